//! Threads as lists: the items of `app.bsky.unspecced.getPostThreadV2`.

use serde::Serialize;

use super::Views;
use super::actor::BlockedAuthor;
use super::post::PostView;
use crate::collection::{Coll, Ref};
use crate::query::thread::flat::{Item, Kind, Marks};

/// `#threadItem`.
#[derive(Debug, Clone, Serialize)]
pub struct ThreadItem<'a> {
    pub uri: String,
    pub depth: i64,
    pub value: Value<'a>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "$type")]
pub enum Value<'a> {
    #[serde(rename = "app.bsky.unspecced.defs#threadItemPost")]
    Post(Box<ItemPost<'a>>),
    #[serde(rename = "app.bsky.unspecced.defs#threadItemNotFound")]
    NotFound {},
    #[serde(rename = "app.bsky.unspecced.defs#threadItemBlocked")]
    Blocked { author: Box<BlockedAuthor<'a>> },
    #[serde(rename = "app.bsky.unspecced.defs#threadItemNoUnauthenticated")]
    NotForAll {},
}

/// `app.bsky.unspecced.defs#threadItemPost`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the lexicon has them")]
pub struct ItemPost<'a> {
    pub post: PostView<'a>,
    pub more_parents: bool,
    pub more_replies: i64,
    pub op_thread: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op_thread_post_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op_thread_post_count: Option<usize>,
    pub hidden_by_threadgate: bool,
    pub muted_by_viewer: bool,
}

impl ThreadItem<'_> {
    /// What stands for a post that is not held, at an address as it was asked for.
    #[must_use]
    pub fn not_found(uri: &str) -> Self {
        Self { uri: uri.to_owned(), depth: 0, value: Value::NotFound {} }
    }
}

impl<'a> Views<'a> {
    /// An item of a thread's list; `None` where its address is not known.
    #[must_use]
    pub fn thread_item(&self, item: &Item) -> Option<ThreadItem<'a>> {
        let place = item.place;
        let (uri, value) = match item.kind {
            Kind::NotFound(of) => (self.parent_uri(of)?.to_owned(), Value::NotFound {}),
            Kind::NotForAll => (self.uri(Coll::POST, place)?, Value::NotForAll {}),
            Kind::Blocked => (self.uri(Coll::POST, place)?, Value::Blocked { author: Box::new(self.blocked_author(place.author)?) }),
            Kind::Post(marks) => (self.uri(Coll::POST, place)?, Value::Post(Box::new(self.item_post(place, marks)?))),
        };
        Some(ThreadItem { uri, depth: item.depth, value })
    }

    fn item_post(&self, place: Ref, marks: Marks) -> Option<ItemPost<'a>> {
        let numbered = marks.own.filter(|(_, count)| *count > 1);
        Some(ItemPost {
            post: self.post(place)?,
            more_parents: marks.more_parents,
            more_replies: marks.more_replies,
            op_thread: marks.own.is_some(),
            op_thread_post_index: numbered.map(|(index, _)| index),
            op_thread_post_count: numbered.map(|(_, count)| count),
            hidden_by_threadgate: marks.hidden_by_gate,
            muted_by_viewer: marks.muted,
        })
    }
}
