//! The records that the network's people write: valid by their lexicons, except where a function says otherwise. One file a family.
//!
//! Sizes and shapes follow 150 contiguous frames of a production relay (July 2026), in bytes of DAG-CBOR: like 212 (237 on average, 17 % of
//! them with `via`), repost 214 (273, 40 % with `via`), follow 107, block 106, post 248 to 806 with a median of 511, status 514. Of the posts
//! half were replies, every third had facets, every fifth an external card, every eighth images, one in seventeen no `langs`, one in eight
//! two; texts had 0 to 330 bytes, 170 in the middle.

mod actor;
mod edge;
mod embed;
mod gate;
mod graph;
mod invalid;
mod post;
mod service;
mod site;
mod text;

use fastrand::Rng;

use super::target::Named;
use crate::atproto::Cid;
use crate::atproto::cbor::Value;

pub(super) use actor::{Profile, chat, germ, notifications, profile, status, visibility};
pub(super) use edge::{block, follow, like, listblock, listitem, repost, verification};
pub(super) use embed::{external, gallery, images, quote, quote_with_media, video};
pub(super) use gate::{Rule, detaching, hiding, postgate, threadgate};
pub(super) use graph::{list, starterpack};
pub(super) use invalid::invalid;
pub(super) use post::{Reply, post};
pub(super) use service::{generator, labeler};
pub(super) use site::{document, publication};
pub(super) use text::Person;

/// A record before it is signed into a repo.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub collection: &'static str,
    /// `None` = a TID of the time of its commit.
    pub rkey: Option<String>,
    pub record: Value,
    /// Root of the thread, for a reply.
    pub root: Option<Named>,
    /// What the next version of the record needs to know of this one.
    pub kept: Option<Value>,
    /// Its lexicon does not allow it.
    pub is_invalid: bool,
    /// See [`super::target::Target`].
    pub answered_from: i64,
    pub quoted_from: i64,
}

impl Draft {
    fn new<'a>(collection: &'static str, entries: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let typed = std::iter::once(("$type", Value::text(collection))).chain(entries);
        let record = Value::map(typed);
        Self { collection, rkey: None, record, root: None, kept: None, is_invalid: false, answered_from: 0, quoted_from: 0 }
    }

    /// The one record of its collection in a repo.
    fn own<'a>(collection: &'static str, entries: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self::new(collection, entries).under("self")
    }

    /// The record under this key.
    pub(super) fn under(mut self, rkey: impl Into<String>) -> Self {
        self.rkey = Some(rkey.into());
        self
    }

    /// Whether this record is an edge that can be written again: a duplicate.
    pub(super) fn is_edge(&self) -> bool {
        let edges = [
            "app.bsky.feed.like",
            "app.bsky.feed.repost",
            "app.bsky.graph.follow",
            "app.bsky.graph.block",
            "app.bsky.graph.listblock",
            "app.bsky.graph.listitem",
            "app.bsky.graph.verification",
        ];
        edges.contains(&self.collection) && !self.is_invalid
    }

    /// The same record written at another time.
    pub(super) fn created_at(self, created: &str) -> Self {
        self.with("createdAt", Value::text(created))
    }

    /// The CID that the record will have.
    pub(super) fn cid(&self) -> Cid {
        Cid::dag_cbor(&self.record.encode())
    }

    /// The record with one more entry, or another value of it.
    pub(super) fn with(mut self, key: &str, value: Value) -> Self {
        if let Value::Map(entries) = &mut self.record {
            entries.retain(|(k, _)| k != key);
            entries.push((key.to_owned(), value));
        }
        self
    }

    fn with_some(self, key: &str, value: Option<Value>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}

/// An object of a union.
fn typed<'a>(kind: &str, entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::map(std::iter::once(("$type", Value::text(kind))).chain(entries))
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Value {
    Value::Array(texts.into_iter().map(Value::text).collect())
}

fn blob(rng: &mut Rng, mime: &str) -> Value {
    Value::map([
        ("$type", Value::text("blob")),
        ("ref", Value::Link(Cid::raw(&rng.u64(..).to_be_bytes()))),
        ("mimeType", Value::text(mime)),
        ("size", Value::Int(i64::from(rng.u32(1000..900_000)))),
    ])
}

fn self_labels(value: &str) -> Value {
    typed("com.atproto.label.defs#selfLabels", [("values", Value::Array(vec![Value::map([("val", Value::text(value))])]))])
}

/// A record of a collection that no Bluesky lexicon knows.
pub(super) fn foreign(rng: &mut Rng) -> Draft {
    Draft::new("com.example.sandbox.note", [("note", Value::Int(i64::from(rng.u32(..))))])
}
