//! Whom accounts block, by themselves.

use std::sync::Arc;

use crate::db::read::relation::{self, Blocked, Pair};
use crate::query::maps::{Map, Set};
use crate::query::{QueryError, Source};

/// Blocks of one account that are remembered; whoever makes more is asked for each pair.
const MOST: i32 = 256;

/// What an account blocks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocks(Option<Arc<Made>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    /// Accounts, with the keys of the blocks, sorted; `None`: too many to be remembered.
    accounts: Option<Box<[(i32, i64)]>>,
    /// It blocks a list, or several.
    lists: bool,
}

impl Blocks {
    /// Bytes of what is on the heap.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |made| size_of::<Made>() + made.accounts.as_deref().map_or(0, size_of_val))
    }

    fn of(mut accounts: Vec<(i32, i64)>, lists: bool) -> Self {
        if accounts.is_empty() && !lists {
            return Self(None);
        }
        accounts.sort_unstable();
        let few = i32::try_from(accounts.len()).is_ok_and(|many| many <= MOST);
        Self(Some(Arc::new(Made { accounts: few.then(|| accounts.into()), lists })))
    }

    /// Whether it blocks a list, so that it may block anyone.
    fn lists(&self) -> bool {
        self.0.as_ref().is_some_and(|made| made.lists)
    }

    /// Whether nobody knows without asking whether it blocks an account.
    fn is_long(&self) -> bool {
        self.0.as_ref().is_some_and(|made| made.accounts.is_none())
    }

    /// The key of its block of an account.
    fn direct(&self, subject: i32) -> Option<i64> {
        let accounts = self.0.as_ref()?.accounts.as_deref()?;
        let at = accounts.binary_search_by_key(&subject, |(account, _)| *account).ok()?;
        accounts.get(at).map(|(_, rkey)| *rkey)
    }
}

/// Which of these pairs block, and how. Most accounts block few others and no list, so that as a rule nothing is asked.
pub(super) async fn of(source: &Source, pairs: &[Pair]) -> Result<Vec<Blocked>, QueryError> {
    let authors: Set<i32> = pairs.iter().map(|(author, _)| *author).collect();
    let authors: Vec<i32> = authors.into_iter().collect();
    let (mut known, missed) = source.recall(|cache| &cache.blocks, &authors);
    if !missed.is_empty() {
        let found = relation::blocked_by(&**source, &missed, MOST + 1).await?;
        let read: Map<i32, Blocks> = found.into_iter().map(|by| (by.author, Blocks::of(by.accounts, by.lists))).collect();
        source.keep(|cache| &cache.blocks, &read);
        known.extend(read);
    }
    let of = |author: &i32| known.get(author);
    let by = |which: fn(&Blocks) -> bool| pairs.iter().filter(move |(author, _)| of(author).is_some_and(which)).copied().collect();
    let (long, lists): (Vec<Pair>, Vec<Pair>) = (by(Blocks::is_long), by(Blocks::lists));
    let direct = pairs.iter().filter_map(|(by, subject)| {
        let rkey = of(by)?.direct(*subject)?;
        Some(Blocked { by: *by, of: *subject, rkey, list: None })
    });
    let direct: Vec<Blocked> = direct.collect();
    let long = async { if long.is_empty() { Ok(Vec::new()) } else { relation::blocks(&**source, &long).await } };
    let lists = async { if lists.is_empty() { Ok(Vec::new()) } else { relation::list_blocks(&**source, &lists).await } };
    let (long, lists) = tokio::try_join!(long, lists)?;
    Ok([direct, long, lists].concat())
}
