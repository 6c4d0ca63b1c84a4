//! Posts: `app.bsky.feed.defs#postView` and what stands in its place.

use serde::Serialize;
use serde_json::value::RawValue;

use super::actor::{Basic, BlockedAuthor, SHOWN_KNOWN};
use super::embed::Embed;
use super::thread::ThreadgateView;
use super::{Label, Views, label};
use crate::collection::feed::post::PostFields;
use crate::collection::{Coll, Ref};
use crate::query::hydrate::{Post, Subject, Written};

/// `#postView`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PostView<'a> {
    pub uri: &'a str,
    pub cid: &'a str,
    pub author: Basic<'a>,
    pub record: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embed: Option<Embed<'a>>,
    pub bookmark_count: i32,
    pub reply_count: i32,
    pub repost_count: i32,
    pub like_count: i32,
    pub quote_count: i32,
    pub indexed_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub viewer: Option<PostViewerState<'a>>,
    pub labels: Vec<Label<'a>>,
    /// Only of the first post of a thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threadgate: Option<ThreadgateView<'a>>,
}

/// `#viewerState` of a post.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PostViewerState<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repost: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
    pub bookmarked: bool,
    pub thread_muted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_disabled: Option<bool>,
    pub embedding_disabled: bool,
    /// Only of the audience's own posts, where it has pinned one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<bool>,
    /// Only of the post that a thread was asked for by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_likers: Option<KnownLikers<'a>>,
}

/// `#knownLikers`.
#[derive(Debug, Clone, Serialize)]
pub struct KnownLikers<'a> {
    pub count: i64,
    pub actors: Vec<Basic<'a>>,
}

/// A post, or why there is none.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "$type")]
pub enum MaybePost<'a> {
    #[serde(rename = "app.bsky.feed.defs#postView")]
    Post(Box<PostView<'a>>),
    #[serde(rename = "app.bsky.feed.defs#notFoundPost")]
    NotFound(NotFound<'a>),
    #[serde(rename = "app.bsky.feed.defs#blockedPost")]
    Blocked(Box<Blocked<'a>>),
}

/// `#blockedPost`, and the same for embedded records.
#[derive(Debug, Clone, Serialize)]
pub struct Blocked<'a> {
    pub uri: &'a str,
    pub blocked: bool,
    pub author: BlockedAuthor<'a>,
}

/// `#notFoundPost`, and the same for embedded records.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotFound<'a> {
    pub uri: &'a str,
    pub not_found: bool,
}

impl<'a> NotFound<'a> {
    #[must_use]
    pub fn new(uri: &'a str) -> Self {
        Self { uri, not_found: true }
    }
}

/// What a post and the view of it inside another have in common.
pub(super) struct Parts<'a> {
    pub author: Basic<'a>,
    pub labels: Vec<Label<'a>>,
    pub state: &'a Post,
    pub written: &'a Written,
}

impl<'a> Views<'a> {
    /// A post; `None` where it is not held or its author is hidden.
    #[must_use]
    pub fn post(&self, place: Ref) -> Option<PostView<'a>> {
        let parts = self.parts(place)?;
        let (state, embed) = (parts.state, self.embed(&parts, 0));
        let viewer = self.post_viewer(place, &parts.written.uri);
        Some(PostView {
            uri: &parts.written.uri,
            cid: &parts.written.cid,
            author: parts.author,
            record: &state.json,
            embed,
            bookmark_count: 0,
            reply_count: state.stat.replies,
            repost_count: state.stat.reposts,
            like_count: state.stat.likes,
            quote_count: state.stat.quotes,
            indexed_at: &parts.written.indexed_at,
            viewer,
            labels: parts.labels,
            threadgate: self.state.gate_of(place).and_then(|gate| self.threadgate(place, gate)),
        })
    }

    /// What the audience has made of a post, and may; `None` where nobody in particular reads.
    fn post_viewer(&self, place: Ref, uri: &str) -> Option<PostViewerState<'a>> {
        let author = self.state.audience.viewer?;
        let own = |coll, rkey: Option<i64>| self.uri(coll, Ref { rkey: rkey?, author });
        Some(PostViewerState {
            repost: own(Coll::REPOST, self.state.reactions.repost(place)),
            like: own(Coll::LIKE, self.state.reactions.like(place)),
            thread_muted: self.state.reactions.is_muted_thread(self.state.post(place)?.row.thread().unwrap_or(place)),
            reply_disabled: self.state.may_not_reply(place),
            embedding_disabled: self.state.may_not_quote(place),
            pinned: if place.author == author { self.pinned(author).map(|pinned| pinned == uri) } else { None },
            known_likers: self.known_likers(place),
            ..PostViewerState::default()
        })
    }

    /// The address of the post that an account has pinned.
    fn pinned(&self, account: i32) -> Option<&'a str> {
        self.said(self.state.any_actor(account)?).pinned.as_deref()
    }

    /// Some of those who like a post and whom the audience follows.
    fn known_likers(&self, place: Ref) -> Option<KnownLikers<'a>> {
        let known = self.state.known_likers(place)?;
        let shown = known.some.iter().filter(|liker| self.state.lists(**liker, place.author));
        Some(KnownLikers { count: known.count, actors: shown.filter_map(|liker| self.basic(*liker)).take(SHOWN_KNOWN).collect() })
    }

    /// The post at `place`, or why it is not shown at `uri`. `apart`: its author and that of the post it is shown for block each other.
    #[must_use]
    pub fn maybe_post(&self, place: Option<Ref>, uri: &'a str, apart: bool) -> MaybePost<'a> {
        let not_found = || MaybePost::NotFound(NotFound::new(uri));
        let Some(place) = place.filter(|place| self.state.post(*place).is_some()) else { return not_found() };
        if apart || self.state.is_blocked(place.author) {
            return self.blocked(place.author, uri).map_or_else(not_found, |blocked| MaybePost::Blocked(Box::new(blocked)));
        }
        self.post(place).map_or_else(not_found, |post| MaybePost::Post(Box::new(post)))
    }

    /// What stands for a record of an account that is kept apart from somebody.
    pub(super) fn blocked(&self, author: i32, uri: &'a str) -> Option<Blocked<'a>> {
        Some(Blocked { uri, blocked: true, author: self.blocked_author(author)? })
    }

    pub(super) fn parts(&self, place: Ref) -> Option<Parts<'a>> {
        let state = self.state.post(place)?;
        let (author, written) = (self.basic(place.author)?, self.written(place, state)?);
        let (uri, cid) = (written.uri.as_str(), written.cid.as_str());
        let mut labels: Vec<Label<'a>> = self.labels(Subject::record(Coll::POST, place), uri).collect();
        if written.has_own_labels {
            labels.extend(label::own(&self.state.any_actor(place.author)?.did, uri, cid, PostFields::of(&state.record)?.all()));
        }
        Some(Parts { author, labels, state, written })
    }
}
