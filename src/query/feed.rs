//! The feed of an author: posts and reposts merged by time, page by page. A cursor names the last item that was looked at, so that no item
//! is shown twice or passed over, however many share a time.

use std::fmt;
use std::str::FromStr;

use super::QueryError;
use crate::collection::feed::post::{FLAG_MEDIA, FLAG_REPLY, FLAG_VIDEO};
use crate::collection::{Edge, Ref};
use crate::db::read::feed::{self, Before, Wanted};
use crate::db::{Client, read};

/// One item of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// The post that is shown.
    pub post: Ref,
    /// The repost that it is shown for.
    pub repost: Option<Edge>,
    place: Cursor,
}

/// A place in the order of a feed, newest first: by time, then key, then kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    at: i64,
    rkey: i64,
    is_repost: bool,
}

/// The text is no cursor of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Malformed cursor")]
pub struct CursorError;

/// What of an author's feed is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    All,
    NoReplies,
    /// No replies but those in threads of the author's own.
    OwnThreads,
    /// Posts with pictures or a video; no reposts.
    Media,
    /// Posts with a video; no reposts.
    Video,
}

impl Cursor {
    /// Before the newest item.
    pub const NEWEST: Self = Self { at: i64::MAX, rkey: i64::MAX, is_repost: true };
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}__{}{}", self.at, if self.is_repost { "r" } else { "p" }, self.rkey)
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
        Ok(Self { at: at.parse().map_err(|_| CursorError)?, rkey: rkey.parse().map_err(|_| CursorError)?, is_repost })
    }
}

impl Filter {
    /// By the name that `app.bsky.feed.getAuthorFeed` has for it; unknown names are the default, as for every open list of known values.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "posts_no_replies" => Self::NoReplies,
            "posts_and_author_threads" => Self::OwnThreads,
            "posts_with_media" => Self::Media,
            "posts_with_video" => Self::Video,
            _ => Self::All,
        }
    }

    fn wanted(self) -> Wanted {
        match self {
            Self::All => Wanted::default(),
            Self::NoReplies => Wanted { mask: FLAG_REPLY, ..Wanted::default() },
            Self::OwnThreads => Wanted { own_threads: true, ..Wanted::default() },
            Self::Media => Wanted { mask: FLAG_MEDIA, flags: FLAG_MEDIA, ..Wanted::default() },
            Self::Video => Wanted { mask: FLAG_VIDEO, flags: FLAG_VIDEO, ..Wanted::default() },
        }
    }

    fn has_reposts(self) -> bool {
        !matches!(self, Self::Media | Self::Video)
    }
}

/// The `limit` items after `cursor`, newest first, and where the next page begins; `None`: these were the last.
///
/// # Errors
/// The database's.
pub async fn author(
    client: &Client,
    author: i32,
    filter: Filter,
    cursor: Cursor,
    limit: usize,
) -> Result<(Vec<Item>, Option<Cursor>), QueryError> {
    // One more than asked for tells whether there is another page.
    let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    // A post of the same time and key as a repost stands after it.
    let posts_before = Before { at: cursor.at, rkey: cursor.rkey.saturating_add(i64::from(cursor.is_repost)) };
    let reposts_before = Before { at: cursor.at, rkey: cursor.rkey };
    let reposts =
        async { if filter.has_reposts() { read::feed::reposts(client, author, reposts_before, most).await } else { Ok(Vec::new()) } };
    let (posts, reposts) = tokio::try_join!(feed::posts(client, author, posts_before, filter.wanted(), most), reposts)?;
    let posts = posts.into_iter().map(|post| Item {
        post: Ref { rkey: post.rkey, author },
        repost: None,
        place: Cursor { at: post.at, rkey: post.rkey, is_repost: false },
    });
    let reposts = reposts.into_iter().map(|edge| Item {
        post: Ref { rkey: edge.sr, author: edge.sa },
        repost: Some(edge),
        place: Cursor { at: edge.sort.unwrap_or(edge.rkey), rkey: edge.rkey, is_repost: true },
    });
    let mut items: Vec<Item> = posts.chain(reposts).collect();
    items.sort_unstable_by_key(|item| std::cmp::Reverse(item.place));
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().map(|item| item.place).filter(|_| more);
    Ok((items, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for cursor in [Cursor::NEWEST, Cursor { at: 0, rkey: -7, is_repost: false }] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "1", "1__", "1__2", "1__x2", "a__p2", "1__p", "1__p2x", "99999999999999999999__p1", "\0__p1"] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
