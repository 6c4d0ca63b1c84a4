//! Feeds: posts and reposts merged by time. A cursor names the last item that was looked at, so that no item is shown twice or passed over,
//! however many share a time.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use super::{Slice, cut};
use crate::atproto::Cid;
use crate::collection::{Coll, Edge, EdgeKind, EdgeNames, Ref, unpack};
use crate::db::read::feed::{Before, Posted};
use crate::db::record::Path;
use crate::db::{Client, read};
use crate::query::hydrate::{Hydration, Wanted};
use crate::query::{CursorError, QueryError};

/// One item of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// The post that is shown.
    pub post: Ref,
    /// The repost that it is shown for.
    pub repost: Option<Edge>,
    place: Cursor,
}

/// A place in the order of a feed, newest first: by time, then key, then author, then kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    at: i64,
    rkey: i64,
    author: i32,
    is_repost: bool,
}

impl Cursor {
    /// Before the newest item.
    pub const NEWEST: Self = Self { at: i64::MAX, rkey: i64::MAX, author: i32::MAX, is_repost: true };

    /// Before which posts are read: one of the same time, key and author as a repost stands after it.
    pub(super) fn posts(self) -> Before {
        Before { at: self.at, rkey: self.rkey, author: self.author.saturating_add(self.is_repost.into()) }
    }

    /// Before which reposts are read.
    pub(super) fn reposts(self) -> Before {
        Before { at: self.at, rkey: self.rkey, author: self.author }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}__{}{}_{}", self.at, if self.is_repost { "r" } else { "p" }, self.rkey, self.author)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (at, item) = text.split_once("__").ok_or(CursorError)?;
        let (is_repost, rkey) = match (item.strip_prefix('p'), item.strip_prefix('r')) {
            (Some(rkey), _) => (false, rkey),
            (_, Some(rkey)) => (true, rkey),
            _ => return Err(CursorError),
        };
        let (rkey, author) = rkey.split_once('_').ok_or(CursorError)?;
        let (Ok(at), Ok(rkey), Ok(author)) = (at.parse(), rkey.parse(), author.parse()) else { return Err(CursorError) };
        Ok(Self { at, rkey, author, is_repost })
    }
}

impl Item {
    /// A post that stands for itself.
    pub(super) fn of_post(posted: Posted) -> Self {
        let Posted { rkey, author, at } = posted;
        Self { post: Ref { rkey, author }, repost: None, place: Cursor { at, rkey, author, is_repost: false } }
    }

    /// A post that stands for its repost.
    pub(super) fn of_repost(edge: Edge) -> Self {
        let place = Cursor { at: edge.sort.unwrap_or(edge.rkey), rkey: edge.rkey, author: edge.author, is_repost: true };
        Self { post: Ref { rkey: edge.sr, author: edge.sa }, repost: Some(edge), place }
    }

    /// Who brought it into the feed: who reposted it, or its author.
    #[must_use]
    pub fn by(&self) -> i32 {
        self.repost.map_or(self.post.author, |edge| edge.author)
    }
}

/// The newest `limit` of posts and reposts that were each read up to one more, and where it goes on.
pub(super) fn merge(posts: Vec<Posted>, reposts: Vec<Edge>, limit: usize) -> Slice<Item, Cursor> {
    let mut items: Vec<Item> = posts.into_iter().map(Item::of_post).chain(reposts.into_iter().map(Item::of_repost)).collect();
    items.sort_unstable_by_key(|item| Reverse(item.place));
    cut(items, limit, |item| item.place)
}

/// What has to be known to show these items.
pub(super) fn wants(items: &[Item]) -> Wanted {
    let reposters = items.iter().filter_map(|item| item.repost).map(|edge| edge.author).collect();
    Wanted { posts: items.iter().map(|item| item.post).collect(), replies: true, actors: reposters, ..Wanted::default() }
}

/// The CIDs of the reposts among `items`, by their keys: of bytes rebuilt from columns, or kept raw.
///
/// # Errors
/// The database's; stored bytes that cannot be unpacked.
pub async fn repost_cids(client: &Client, items: &[Item], state: &Hydration) -> Result<HashMap<Ref, Cid>, QueryError> {
    let reposts = || items.iter().filter_map(|item| item.repost);
    let mut cids: HashMap<Ref, Cid> = reposts().filter_map(|edge| Some((edge.place(), rebuilt_cid(&edge, state)?))).collect();
    let raw: Vec<Path> = reposts().filter(Edge::is_raw).map(|edge| Path { coll: Coll::REPOST, at: edge.place() }).collect();
    if !raw.is_empty() {
        for (path, record) in read::record::raw(client, &raw).await? {
            cids.insert(path.at, Cid::dag_cbor(&unpack(&record)?));
        }
    }
    Ok(cids)
}

fn rebuilt_cid(edge: &Edge, state: &Hydration) -> Option<Cid> {
    if edge.is_raw() {
        return None;
    }
    let place = Ref { rkey: edge.sr, author: edge.sa };
    let (named_cid, rkey) = (state.post(place)?.stat.cid?, state.key(place)?);
    let (author, subject) = (&state.any_actor(edge.author)?.did, &state.any_actor(edge.sa)?.did);
    let names = EdgeNames { author, subject, rkey: Some(&rkey), cid: Some(&named_cid) };
    Some(Cid::dag_cbor(&edge.rebuild(EdgeKind::Repost, &names)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for cursor in [Cursor::NEWEST, Cursor { at: 0, rkey: -7, author: 3, is_repost: false }] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in [
            "",
            "1",
            "1__",
            "1__2_1",
            "1__x2_1",
            "a__p2_1",
            "1__p",
            "1__p2",
            "1__p2_",
            "1__p2_x",
            "1__p2_1x",
            "99999999999999999999__p1_1",
            "\0__p1_1",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
