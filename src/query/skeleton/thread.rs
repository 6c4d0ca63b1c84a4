//! The posts around one: those that it answers, and the replies below it. Reads a bounded part of what may be a thread of any size.

use crate::collection::Ref;
use crate::db::Client;
use crate::db::read::thread::{self, Bounds};
use crate::query::QueryError;
use crate::query::thread::Thread;

/// Replies to the anchor that are looked at. All of them are shown at once: more than this nobody reads.
const DIRECT: i64 = 1000;

/// Replies to each of the others: the most that a client may ask for.
const NESTED: i64 = 100;

/// Replies of all levels, the nearest first.
const TOTAL: i64 = 1500;

/// Oldest direct replies, and as many others, among which the author's own thread is found: it is written at once, as a rule.
const OWN: i64 = 500;

/// How far a thread is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Posts above the anchor.
    pub height: i64,
    /// Levels below it.
    pub depth: i64,
    /// Of a post with too many replies the oldest are read, not the newest.
    pub oldest: bool,
    /// Also what the author of the thread's first post wrote on from there.
    pub own: bool,
}

/// The thread around the post at `anchor`; `None`: it is not held.
///
/// # Errors
/// The database's.
pub async fn thread(client: &Client, anchor: Ref, reach: Reach) -> Result<Option<Thread>, QueryError> {
    let level = |levels: i64| i32::try_from(levels).unwrap_or(i32::MAX);
    let bounds = Bounds { depth: level(reach.depth), direct: DIRECT, nested: NESTED, total: TOTAL };
    let below = async {
        match reach.oldest {
            _ if reach.depth == 0 => Ok(Vec::new()),
            true => thread::oldest_below(client, anchor, bounds).await,
            false => thread::newest_below(client, anchor, bounds).await,
        }
    };
    let own = async { if reach.own { thread::own(client, anchor, OWN).await } else { Ok(Vec::new()) } };
    let (above, below, own) = tokio::try_join!(thread::above(client, anchor, level(reach.height)), below, own)?;
    let height = usize::try_from(reach.height).unwrap_or(usize::MAX);
    Ok(Thread::new(above, height, &below, &own))
}
