//! Which things a page shows, in which order, and where the next page begins: one file a kind of page. Filled round by round, so that what
//! may not be shown leaves no hole. Never looks at how a thing is shown.

pub mod author_feed;
pub mod feed;
pub mod follow;
pub mod generated_feed;
pub mod known;
pub mod notification;
pub mod quote;
pub mod ranked;
pub mod reaction;
pub mod search_actors;
pub mod search_posts;
pub mod thread;
pub mod timeline;

use super::hydrate::{Hydration, Wanted};
use super::{Audience, Cursor, QueryError, Source};
use crate::db::Client;
use crate::db::read::feed::Before;

/// Rounds of one page at most: a list of nothing but what may not be shown ends early, with a cursor.
const ROUNDS: usize = 10;

/// A list that is read page by page.
pub trait Skeleton: Sync {
    type Item: Copy + Send + Sync;
    /// A place in the order of the list.
    type Cursor: Copy + Send + Sync;

    /// Up to `limit` items after the cursor, and the place of the last one; `None`: nothing follows.
    fn read(
        &self,
        client: &Client,
        after: Self::Cursor,
        limit: usize,
    ) -> impl Future<Output = Result<Slice<Self::Item, Self::Cursor>, QueryError>> + Send;

    /// What has to be known to show these items.
    fn wants(&self, items: &[Self::Item]) -> Wanted;

    /// Those of `items` that are shown.
    fn keep(&self, items: Vec<Self::Item>, state: &Hydration) -> Vec<Self::Item>;
}

/// Successive items of a list, and where it goes on.
pub type Slice<I, C> = (Vec<I>, Option<C>);

/// A page and all that it shows.
#[derive(Debug)]
pub struct Page<I, C> {
    pub items: Vec<I>,
    pub cursor: Option<C>,
    pub state: Hydration,
}

/// The `limit` items after `after` that `audience` may see. `extra`: what the page shows besides them.
///
/// # Errors
/// The database's; stored bytes that cannot be unpacked.
pub async fn page<S: Skeleton>(
    client: &Source,
    audience: Audience,
    skeleton: &S,
    after: S::Cursor,
    limit: usize,
    extra: &Wanted,
) -> Result<Page<S::Item, S::Cursor>, QueryError> {
    let mut page = Page { items: Vec::new(), cursor: Some(after), state: Hydration::nothing(audience) };
    for round in 0..ROUNDS {
        let Some(after) = page.cursor.filter(|_| page.items.len() < limit) else { break };
        let (items, next) = skeleton.read(client, after, limit - page.items.len()).await?;
        let mut wanted = skeleton.wants(&items);
        if round == 0 {
            wanted.extend(extra);
        }
        page.state.absorb(Hydration::load(client, audience, &wanted).await?);
        page.items.extend(skeleton.keep(items, &page.state));
        page.cursor = next;
    }
    Ok(page)
}

/// One more than `limit` tells whether anything follows.
fn one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

/// Cuts what was read by [`one_more`] to `limit`, and says where it goes on.
fn cut<I, C>(mut items: Vec<I>, limit: usize, place: impl Fn(&I) -> C) -> Slice<I, C> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().map(place).filter(|_| more);
    (items, next)
}

/// Of lists whose tie is an account.
fn before(cursor: Cursor) -> Before {
    Before { at: cursor.at, rkey: 0, author: i32::try_from(cursor.tie).unwrap_or(i32::MAX) }
}
