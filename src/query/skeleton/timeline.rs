//! The timeline of an account: posts and reposts of those whom it follows and of itself, newest first.

use super::feed::{Cursor, Item, merge, wants};
use super::{Skeleton, Slice, one_more};
use crate::db::Client;
use crate::db::read::{timeline, walk};
use crate::query::QueryError;
use crate::query::hydrate::{Hydration, Wanted};

/// How far back is looked for a page, one after the other until it is full, in buckets of about 20 hours: those who follow many accounts
/// find a page in the last hours, and nobody's older posts are read for it.
const WINDOWS: [i32; 3] = [1, 12, i32::MAX];

/// Who follows so many accounts is looked for among what everyone posted first: asking each of them would read 13 pages an account.
const MANY: i32 = 300;
/// Posts, and reposts, of everyone that are gone through for a page at most: some milliseconds.
const STEPS: i64 = 20_000;

/// The timeline of `viewer`.
#[derive(Debug, Clone, Copy)]
pub struct Timeline {
    pub viewer: i32,
}

impl Timeline {
    /// The page as it is found among the newest of everyone; `None` where that does not fill it.
    async fn walk(&self, client: &Client, after: Cursor, limit: usize) -> Result<Option<Slice<Item, Cursor>>, QueryError> {
        let most = one_more(limit);
        if walk::follows(client, self.viewer).await? < MANY {
            return Ok(None);
        }
        let (posts, reposts) = tokio::try_join!(
            walk::posts(client, self.viewer, after.posts(), STEPS, most),
            walk::reposts(client, self.viewer, after.reposts(), STEPS, most),
        )?;
        // Of a list that is shorter nobody knows what follows.
        let is_full = |found: usize| i64::try_from(found).is_ok_and(|found| found >= most);
        Ok(if is_full(posts.len()) && is_full(reposts.len()) { Some(merge(posts, reposts, limit)) } else { None })
    }
}

impl Skeleton for Timeline {
    type Item = Item;
    type Cursor = Cursor;

    async fn read(&self, client: &Client, after: Cursor, limit: usize) -> Result<Slice<Item, Cursor>, QueryError> {
        if let Some(slice) = self.walk(client, after, limit).await? {
            return Ok(slice);
        }
        let most = one_more(limit);
        let mut slice = (Vec::new(), None);
        for window in WINDOWS {
            let (posts, reposts) = tokio::try_join!(
                timeline::posts(client, self.viewer, after.posts(), window, most),
                timeline::reposts(client, self.viewer, after.reposts(), window, most),
            )?;
            slice = merge(posts, reposts, limit);
            if slice.1.is_some() {
                break;
            }
        }
        Ok(slice)
    }

    fn wants(&self, items: &[Item]) -> Wanted {
        wants(items)
    }

    fn keep(&self, items: Vec<Item>, state: &Hydration) -> Vec<Item> {
        items.into_iter().filter(|item| state.shows_in_timeline(item.post, item.by(), item.repost.is_some())).collect()
    }
}
