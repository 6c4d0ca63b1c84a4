//! Those of an account's followers whom the one who reads follows, in the order of their ids. All of them, however long it takes.

use super::{Skeleton, Slice, cut, one_more};
use crate::db::Client;
use crate::db::read::list;
use crate::query::hydrate::{Hydration, Wanted};
use crate::query::{Cursor, QueryError};

#[derive(Debug, Clone, Copy)]
pub struct KnownFollowers {
    pub viewer: i32,
    pub of: i32,
}

impl Skeleton for KnownFollowers {
    type Item = i32;
    /// `at` counts the ids down, as every order does here.
    type Cursor = Cursor;

    async fn read(&self, client: &Client, after: Cursor, limit: usize) -> Result<Slice<i32, Cursor>, QueryError> {
        let after = i32::try_from(-after.at).unwrap_or(0).max(0);
        let ids = list::known_followers(client, self.viewer, self.of, after, one_more(limit)).await?;
        Ok(cut(ids, limit, |id| Cursor { at: -i64::from(*id), tie: 0 }))
    }

    fn wants(&self, items: &[i32]) -> Wanted {
        Wanted { actors: items.to_vec(), ..Wanted::default() }
    }

    fn keep(&self, items: Vec<i32>, state: &Hydration) -> Vec<i32> {
        items.into_iter().filter(|id| state.actor(*id).is_some() && !state.is_blocked(*id)).collect()
    }
}
