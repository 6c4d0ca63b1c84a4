//! The timeline of an account: posts and reposts of those whom it follows and of itself, newest first.

use super::feed::{Cursor, Item, merge, wants};
use super::{Skeleton, Slice, one_more};
use crate::db::Client;
use crate::db::read::walk::{self, Sieve};
use crate::db::read::{self, timeline};
use crate::query::hydrate::{Follows, Hydration, Wanted, following};
use crate::query::{QueryError, Source};

/// How far back is looked for a page, one after the other until it is full: those who follow many accounts find a page in the last hours,
/// and nobody's older posts are read for it.
const WINDOWS: [i64; 3] = [20 * HOUR, 240 * HOUR, i64::MAX];
/// As the difference of two keys.
const HOUR: i64 = 3_600_000_000 << 10;

/// Who follows fewer accounts than these is not worth the first window: that would as a rule not fill the page.
const FEW: i32 = 100;
/// Who follows so many accounts is looked for among what everyone posted first.
const MANY: i32 = 300;
/// Posts, and reposts, of everyone that are gone through for a page for each account that is followed: a row takes about a microsecond, and
/// asking an account for its own about ten, so that less is lost where the page is not found than asking costs afterwards.
const STEPS: i64 = 4;
/// The same at most.
const MOST_STEPS: i64 = 20_000;
/// Rows of others that pass the sieve are expected to be fewer than these and half as many as the page has. Where they are more, each of
/// those who are followed is asked.
const STRANGERS: i64 = 8;

/// The timeline of an account.
#[derive(Debug, Clone)]
pub struct Timeline {
    viewer: i32,
    /// How many accounts it follows: only how the page is looked for depends on it.
    count: i32,
    /// Whom it follows, where the page is first looked for among what everyone posted.
    follows: Option<(Follows, Sieve)>,
}

impl Timeline {
    /// The timeline of `viewer`, who follows about `count` accounts.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(source: &Source, viewer: i32, count: i32) -> Result<Self, QueryError> {
        let follows = if count < MANY { None } else { following::of(source, viewer).await? };
        let follows = follows.map(|follows| {
            let sieve = Sieve::new(follows.accounts(), viewer);
            (follows, sieve)
        });
        Ok(Self { viewer, count, follows })
    }

    /// The page as it is found among the newest of everyone; `None` where that does not fill it.
    async fn walk(&self, client: &Client, after: Cursor, limit: usize) -> Result<Option<Slice<Item, Cursor>>, QueryError> {
        let Some((follows, sieve)) = &self.follows else { return Ok(None) };
        let (steps, most) = (MOST_STEPS.min(STEPS * i64::from(self.count)), one_more(limit));
        let passing = most.saturating_add(most / 2).saturating_add(STRANGERS);
        let (mut posts, mut reposts) = tokio::try_join!(
            walk::posts(client, sieve, after.posts(), steps, passing),
            walk::reposts(client, sieve, after.reposts(), steps, passing),
        )?;
        let is_followed = |author: i32| author == self.viewer || follows.contains(author);
        posts.retain(|post| is_followed(post.author));
        reposts.retain(|repost| is_followed(repost.author));
        // Of a list that is shorter nobody knows what follows.
        let is_full = |found: usize| i64::try_from(found).is_ok_and(|found| found >= most);
        Ok(if is_full(posts.len()) && is_full(reposts.len()) { Some(merge(posts, reposts, limit)) } else { None })
    }

    /// The page as those who are followed have it, each asked for its own.
    async fn ask(&self, client: &Client, after: Cursor, limit: usize) -> Result<Slice<Item, Cursor>, QueryError> {
        let most = one_more(limit);
        // A list begins now, whatever the cursor says: the future has next to nothing in it.
        let now = after.posts().at.min(read::now());
        let mut slice = (Vec::new(), None);
        for window in WINDOWS.into_iter().skip((self.count < FEW).into()) {
            let oldest = now.saturating_sub(window);
            let (posts, reposts) = tokio::try_join!(
                timeline::posts(client, self.viewer, after.posts(), oldest, most),
                timeline::reposts(client, self.viewer, after.reposts(), oldest, most),
            )?;
            slice = merge(posts, reposts, limit);
            if slice.1.is_some() {
                break;
            }
        }
        Ok(slice)
    }
}

impl Skeleton for Timeline {
    type Item = Item;
    type Cursor = Cursor;

    async fn read(&self, client: &Client, after: Cursor, limit: usize) -> Result<Slice<Item, Cursor>, QueryError> {
        match self.walk(client, after, limit).await? {
            Some(slice) => Ok(slice),
            None => self.ask(client, after, limit).await,
        }
    }

    fn wants(&self, items: &[Item]) -> Wanted {
        wants(items)
    }

    fn keep(&self, items: Vec<Item>, state: &Hydration) -> Vec<Item> {
        items.into_iter().filter(|item| state.shows_in_timeline(item.post, item.by(), item.repost.is_some())).collect()
    }
}
