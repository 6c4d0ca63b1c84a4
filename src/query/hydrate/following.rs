//! Whom an account follows, as far as that can be remembered.

use std::sync::Arc;

use crate::db::read::relation;
use crate::query::{QueryError, Source};

/// Follows of one account that are remembered. The few who follow more are asked for each page.
pub const MOST: i32 = 20_000;

/// Whom an account follows; cheap to copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Follows(Arc<[i32]>);

impl Follows {
    /// Bytes of what is on the heap.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    /// Whether it follows an account.
    #[must_use]
    pub fn contains(&self, account: i32) -> bool {
        self.0.binary_search(&account).is_ok()
    }

    /// Those whom it follows, sorted.
    #[must_use]
    pub fn accounts(&self) -> &[i32] {
        &self.0
    }
}

/// Whom an account follows, where that is remembered.
pub(super) fn remembered(source: &Source, account: i32) -> Option<Follows> {
    source.recall_one(|cache| &cache.follows, &account)
}

/// Whom an account follows; `None`: too many.
///
/// # Errors
/// The database's.
pub async fn of(source: &Source, account: i32) -> Result<Option<Follows>, QueryError> {
    if let Some(follows) = remembered(source, account) {
        return Ok(Some(follows));
    }
    let mut accounts = relation::followed(&**source, account, MOST.saturating_add(1)).await?;
    if i32::try_from(accounts.len()).is_ok_and(|many| many > MOST) {
        return Ok(None);
    }
    accounts.sort_unstable();
    let follows = Follows(accounts.into());
    source.keep(|cache| &cache.follows, [(&account, &follows)]);
    Ok(Some(follows))
}
