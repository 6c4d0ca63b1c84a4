//! Items of feeds: `app.bsky.feed.defs#feedViewPost`.

use serde::Serialize;

use super::Views;
use super::actor::Basic;
use super::post::{MaybePost, PostView};
use crate::atproto::{Cid, Tid, datetime};
use crate::collection::{Edge, Ref};
use crate::query::hydrate::micros;

/// `#feedViewPost`.
#[derive(Debug, Clone, Serialize)]
pub struct FeedItem<'a> {
    pub post: PostView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason<'a>>,
}

/// `#replyRef`: what the post answers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply<'a> {
    pub root: MaybePost<'a>,
    pub parent: MaybePost<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grandparent_author: Option<Basic<'a>>,
}

/// Why a post stands in a feed, where it is not for itself.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "$type")]
pub enum Reason<'a> {
    #[serde(rename = "app.bsky.feed.defs#reasonRepost")]
    Repost(Box<RepostReason<'a>>),
    #[serde(rename = "app.bsky.feed.defs#reasonPin")]
    Pin {},
}

/// `#reasonRepost`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RepostReason<'a> {
    pub by: Basic<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    pub indexed_at: String,
}

impl<'a> Views<'a> {
    /// A post with what it answers; `None` where it cannot be shown.
    #[must_use]
    pub fn feed_item(&self, place: Ref, reason: Option<Reason<'a>>) -> Option<FeedItem<'a>> {
        Some(FeedItem { post: self.post(place)?, reply: self.reply(place), reason })
    }

    /// The reason of a repost whose bytes hash to `cid`; `None` where who reposted is hidden.
    #[must_use]
    pub fn repost_reason(&self, edge: &Edge, cid: Option<&Cid>) -> Option<Reason<'a>> {
        let (by, did) = (self.basic(edge.author)?, &self.state.any_actor(edge.author)?.did);
        // A repost's key is a TID: other keys have no text here, and the reason does without its address.
        let uri = Tid::from_value(edge.rkey).map(|rkey| format!("at://{did}/app.bsky.feed.repost/{rkey}"));
        let indexed_at = datetime::format_micros(micros(edge.sort.unwrap_or(edge.rkey)));
        Some(Reason::Repost(Box::new(RepostReason { by, uri, cid: cid.map(Cid::to_string), indexed_at })))
    }

    fn reply(&self, place: Ref) -> Option<Reply<'a>> {
        let post = self.state.post(place)?;
        let names = self.written(place, post)?.reply.as_ref().filter(|_| !self.state.violates_gate(place))?;
        let (parent, root) = (post.row.parent, post.row.thread());
        let apart = |parent: Ref| self.state.splits(parent, root);
        let parent_view = self.maybe_post(parent, &names.parent, self.state.splits(place, parent));
        let root_view = self.maybe_post(root, &names.root, self.state.splits(place, root) || parent.is_some_and(apart));
        let grandparent = parent.filter(|_| matches!(parent_view, MaybePost::Post(_)));
        let grandparent = grandparent.and_then(|parent| self.state.post(parent)?.row.parent);
        Some(Reply {
            root: root_view,
            parent: parent_view,
            grandparent_author: grandparent.and_then(|grandparent| self.basic(grandparent.author)),
        })
    }
}
