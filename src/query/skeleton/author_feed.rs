//! The feed of an author: posts and reposts, newest first.

use std::collections::HashSet;

use super::feed::{Cursor, Item, merge, wants};
use super::{Page, Skeleton, Slice, one_more, page};
use crate::collection::Ref;
use crate::collection::actor::profile::ProfileFields;
use crate::collection::feed::post::{FLAG_MEDIA, FLAG_REPLY, FLAG_VIDEO};
use crate::db::Client;
use crate::db::read::feed::{self, Wanted as Flags};
use crate::query::hydrate::{Hydration, Wanted};
use crate::query::{Audience, QueryError, Source, names};

/// What of an author's feed is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    All,
    NoReplies,
    /// No replies but those in threads of the author's own.
    OwnThreads,
    /// Posts with pictures; no reposts.
    Media,
    /// Posts with a video; no reposts.
    Video,
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

    fn flags(self) -> Flags {
        match self {
            Self::All => Flags::default(),
            Self::NoReplies => Flags { mask: FLAG_REPLY, ..Flags::default() },
            Self::OwnThreads => Flags { own_threads: true, ..Flags::default() },
            Self::Media => Flags { mask: FLAG_MEDIA | FLAG_VIDEO, flags: FLAG_MEDIA, ..Flags::default() },
            Self::Video => Flags { mask: FLAG_VIDEO, flags: FLAG_VIDEO, ..Flags::default() },
        }
    }

    fn has_reposts(self) -> bool {
        !matches!(self, Self::Media | Self::Video)
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    pub author: i32,
    pub filter: Filter,
    pub cursor: Cursor,
    pub limit: usize,
    /// The post of their own that the author pinned, where it is to stand first.
    pub pin: Option<Ref>,
}

/// The author's feed, but for the post that stands pinned before it.
struct AuthorFeed {
    author: i32,
    filter: Filter,
    pin: Option<Ref>,
}

/// The page, and the pinned post before it, where there is one to be shown.
///
/// # Errors
/// The database's; stored bytes that cannot be unpacked.
pub async fn author_feed(client: &Source, audience: Audience, request: Request) -> Result<(Option<Ref>, Page<Item, Cursor>), QueryError> {
    let pin = request.pin;
    let skeleton = AuthorFeed { author: request.author, filter: request.filter, pin };
    let extra = Wanted { posts: pin.into_iter().collect(), replies: true, actors: vec![request.author], ..Wanted::default() };
    let page = page(client, audience, &skeleton, request.cursor, request.limit, &extra).await?;
    Ok((pin.filter(|pin| page.state.post(*pin).is_some()), page))
}

impl Skeleton for AuthorFeed {
    type Item = Item;
    type Cursor = Cursor;

    async fn read(&self, client: &Client, after: Cursor, limit: usize) -> Result<Slice<Item, Cursor>, QueryError> {
        let most = one_more(limit);
        let reposts = self.filter.has_reposts().then(|| after.reposts());
        let (posts, reposts) = feed::items(client, self.author, (after.posts(), reposts), self.filter.flags(), most).await?;
        Ok(merge(posts, reposts, limit))
    }

    fn wants(&self, items: &[Item]) -> Wanted {
        wants(items)
    }

    fn keep(&self, items: Vec<Item>, state: &Hydration) -> Vec<Item> {
        let own: HashSet<Ref> = items.iter().filter(|item| item.repost.is_none()).map(|item| item.post).collect();
        let in_thread = |item: &Item| self.filter != Filter::OwnThreads || item.repost.is_some() || is_own_thread(item.post, &own, state);
        let is_pin = |item: &Item| item.repost.is_none() && self.pin == Some(item.post);
        items.into_iter().filter(|item| state.shows_in_author_feed(item.post, item.by()) && in_thread(item) && !is_pin(item)).collect()
    }
}

/// Whether every post from `post` up to the first one of its thread stands among `own`. Ends: each step needs another member of `own`.
fn is_own_thread(post: Ref, own: &HashSet<Ref>, state: &Hydration) -> bool {
    let mut at = post;
    for _ in 0..own.len() {
        let Some(found) = state.post(at).filter(|_| own.contains(&at)) else { return false };
        match found.row.parent {
            Some(parent) => at = parent,
            None => return found.row.flags & FLAG_REPLY == 0,
        }
    }
    false
}

/// The post of their own that `author`, who was gathered in `state`, pinned.
///
/// # Errors
/// The database's.
pub async fn pinned(client: &Client, state: &Hydration, author: i32) -> Result<Option<Ref>, QueryError> {
    let profile = state.actor(author).and_then(|actor| ProfileFields::of(actor.profile.as_deref()?));
    let Some(pin) = profile.and_then(|profile| profile.pinned_post) else { return Ok(None) };
    let posts = names::posts(client, std::iter::once(pin.uri)).await?;
    Ok(posts.into_iter().find(|post| post.author == author))
}
