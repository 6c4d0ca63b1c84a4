//! Posts: `app.bsky.feed.defs#postView` and what stands in its place.

use serde::Serialize;

use super::actor::ProfileViewBasic;
use super::embed::Embed;
use super::{Label, Views, label};
use crate::atproto::datetime;
use crate::atproto::json::RecordJson;
use crate::collection::Ref;
use crate::collection::feed::post::PostFields;
use crate::query::hydrate::Post;

/// `#postView`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PostView<'a> {
    pub uri: String,
    pub cid: String,
    pub author: ProfileViewBasic<'a>,
    pub record: RecordJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embed: Option<Embed<'a>>,
    pub bookmark_count: i32,
    pub reply_count: i32,
    pub repost_count: i32,
    pub like_count: i32,
    pub quote_count: i32,
    pub indexed_at: String,
    pub labels: Vec<Label<'a>>,
}

/// A post, or why there is none.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "$type")]
pub enum MaybePost<'a> {
    #[serde(rename = "app.bsky.feed.defs#postView")]
    Post(Box<PostView<'a>>),
    #[serde(rename = "app.bsky.feed.defs#notFoundPost")]
    NotFound(NotFound<'a>),
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
    pub uri: String,
    pub cid: String,
    pub author: ProfileViewBasic<'a>,
    pub labels: Vec<Label<'a>>,
    pub indexed_at: String,
    pub state: &'a Post,
    pub fields: PostFields<'a>,
}

impl<'a> Views<'a> {
    /// A post; `None` where it is not held or its author is hidden.
    #[must_use]
    pub fn post(&self, place: Ref) -> Option<PostView<'a>> {
        let parts = self.parts(place)?;
        let (state, embed) = (parts.state, self.embed(place.author, &parts, 0));
        Some(PostView {
            uri: parts.uri,
            cid: parts.cid,
            author: parts.author,
            record: RecordJson(&state.record),
            embed,
            bookmark_count: 0,
            reply_count: state.stat.replies,
            repost_count: state.stat.reposts,
            like_count: state.stat.likes,
            quote_count: state.stat.quotes,
            indexed_at: parts.indexed_at,
            labels: parts.labels,
        })
    }

    /// The post at `place`, or the news that there is none at `uri`.
    #[must_use]
    pub fn maybe_post(&self, place: Option<Ref>, uri: &'a str) -> MaybePost<'a> {
        let post = place.and_then(|place| self.post(place));
        post.map_or_else(|| MaybePost::NotFound(NotFound::new(uri)), |post| MaybePost::Post(Box::new(post)))
    }

    /// The address of a held post.
    #[must_use]
    pub fn post_uri(&self, place: Ref) -> Option<String> {
        let did = &self.state.any_actor(place.author)?.did;
        Some(format!("at://{did}/app.bsky.feed.post/{}", self.state.post_key(place)?))
    }

    pub(super) fn parts(&self, place: Ref) -> Option<Parts<'a>> {
        let state = self.state.post(place)?;
        let fields = PostFields::of(&state.record)?;
        let author = self.basic(place.author)?;
        let (uri, cid) = (self.post_uri(place)?, state.cid.to_string());
        let labels = label::own(author.did, &uri, &cid, fields.all());
        let indexed_at = datetime::format_micros(state.sort_micros());
        Some(Parts { uri, cid, author, labels, indexed_at, state, fields })
    }
}
