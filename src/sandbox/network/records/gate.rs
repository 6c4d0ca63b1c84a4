//! Gates: who may answer a post, who may quote it, and what its author has hidden or detached since.

use super::{Draft, texts, typed};
use crate::atproto::cbor::Value;

/// Replies or quotes that a gate lists at most: fewer than any lexicon allows.
const MAX_LISTED: usize = 40;

/// Who may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Rule {
    Mentioned,
    Followers,
    Followed,
    /// Those on the list of this address.
    List(String),
}

impl Rule {
    fn value(&self) -> Value {
        match self {
            Self::Mentioned => typed("app.bsky.feed.threadgate#mentionRule", []),
            Self::Followers => typed("app.bsky.feed.threadgate#followerRule", []),
            Self::Followed => typed("app.bsky.feed.threadgate#followingRule", []),
            Self::List(list) => typed("app.bsky.feed.threadgate#listRule", [("list", Value::text(list.as_str()))]),
        }
    }
}

/// Who may answer the post of this address: everybody where `allow` is `None`, nobody where it is empty.
pub(in super::super) fn threadgate(post: &str, allow: Option<&[Rule]>, created: &str) -> Draft {
    let allow = allow.map(|rules| Value::Array(rules.iter().map(Rule::value).collect()));
    remembered(gate("app.bsky.feed.threadgate", post, created).with_some("allow", allow))
}

/// The gate `before` with these replies hidden as well.
pub(in super::super) fn hiding(before: &Value, replies: &[String]) -> Draft {
    more("app.bsky.feed.threadgate", before, "hiddenReplies", replies)
}

/// Who may quote the post of this address: nobody where it is `closed`.
pub(in super::super) fn postgate(post: &str, closed: bool, created: &str) -> Draft {
    let rules = closed.then(|| Value::Array(vec![typed("app.bsky.feed.postgate#disableRule", [])]));
    remembered(gate("app.bsky.feed.postgate", post, created).with_some("embeddingRules", rules))
}

/// The gate `before` with these quotes detached as well.
pub(in super::super) fn detaching(before: &Value, quotes: &[String]) -> Draft {
    more("app.bsky.feed.postgate", before, "detachedEmbeddingUris", quotes)
}

/// The gate of a post has the post's key.
fn gate(collection: &'static str, post: &str, created: &str) -> Draft {
    let draft = Draft::new(collection, [("post", Value::text(post)), ("createdAt", Value::text(created))]);
    match post.rsplit('/').next() {
        Some(rkey) => draft.under(rkey),
        None => draft,
    }
}

/// The next version of a gate is made of this one.
fn remembered(mut draft: Draft) -> Draft {
    draft.kept = Some(draft.record.clone());
    draft
}

fn more(collection: &'static str, before: &Value, list: &str, new: &[String]) -> Draft {
    let held = before.get(list).and_then(|held| if let Value::Array(items) = held { Some(items.as_slice()) } else { None });
    let held = held.unwrap_or_default().iter().filter_map(Value::as_text);
    let all = texts(new.iter().map(String::as_str).chain(held).take(MAX_LISTED));
    let mut draft = Draft::new(collection, []);
    draft.record.clone_from(before);
    remembered(draft.with(list, all))
}
