//! `app.bsky.feed.postgate`: who may quote a post. Kept whole; derived is only that nobody may.

use super::super::fields::Fields;
use super::super::refs::{Target, is_own_post};
use super::super::types::{Shape, Type};
use super::super::{Coll, Derived, Ids, Names, Place, RecordError, Row};
use crate::atproto::Tid;

pub(in super::super) const TYPE: Type = Type { coll: Coll::POSTGATE, shape: Shape::Own { names, row } };

/// What views read of a gate: who may quote the post, and which posts may show it no longer.
#[derive(Debug, Clone)]
pub struct PostgateFields<'a> {
    /// Nobody but its author may quote the post.
    pub closed: bool,
    all: Fields<'a>,
}

impl<'a> PostgateFields<'a> {
    /// The gate that stands at `key` (a post's key, as a number); `None` where it is of another post.
    #[must_use]
    pub fn of(record: &'a [u8], key: i64) -> Option<Self> {
        let all = Fields::of(record)?;
        let is_own = post(&all)?.uri.rkey.parse::<Tid>().is_ok_and(|tid| tid.value() == key);
        is_own.then(|| Self { closed: is_closed(&all), all })
    }

    /// The addresses of the posts that quote it and may not show it.
    pub fn detached(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.all.items("detachedEmbeddingUris").filter_map(|mut item| item.text().ok())
    }
}

fn is_closed(fields: &Fields<'_>) -> bool {
    fields.types("embeddingRules").any(|name| name == "app.bsky.feed.postgate#disableRule")
}

fn names<'a>(record: &'a [u8], into: &mut Names<'a>) {
    if let Some(post) = Fields::of(record).and_then(|fields| post(&fields)) {
        post.name(into);
    }
}

fn row(place: Place, record: &[u8], ids: &dyn Ids) -> Result<Row, RecordError> {
    const NONE: Row = Row::Whole(Derived::Nothing);
    let Some(fields) = Fields::of(record) else { return Ok(NONE) };
    let Some(post) = post(&fields) else { return Ok(NONE) };
    Ok(if is_closed(&fields) && is_own_post(place, post.resolve(ids)?) { Row::Whole(Derived::Postgate) } else { NONE })
}

fn post<'a>(fields: &Fields<'a>) -> Option<Target<'a>> {
    Target::of(fields.text("post")?, Coll::POST)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{AUTHOR, Numbers, assert_kept_whole, dag_cbor, key};
    use super::*;

    fn gate(post: &str, rules: &serde_json::Value) -> Vec<u8> {
        dag_cbor(&json!({
            "$type": "app.bsky.feed.postgate", "post": post, "embeddingRules": rules, "detachedEmbeddingUris": [], "createdAt": "2025-10-09T08:53:20.123Z",
        }))
    }

    #[test]
    fn only_the_rule_against_quotes_of_an_own_post_is_derived() {
        let own = format!("at://{AUTHOR}/app.bsky.feed.post/{}", key());
        let closed = json!([{"$type": "app.bsky.feed.postgate#disableRule"}]);
        assert_eq!(Numbers::default().row(Coll::POSTGATE, &gate(&own, &closed)), Row::Whole(Derived::Postgate));
        assert_kept_whole(Coll::POSTGATE, &gate(&own, &json!([])));
        assert_kept_whole(Coll::POSTGATE, &gate(&own, &json!([{"$type": "com.example.rule"}])));
        let others = [
            format!("at://did:plc:alice/app.bsky.feed.post/{}", key()),
            format!("at://{AUTHOR}/app.bsky.feed.post/3jzfcijpj2z2a"),
            format!("at://{AUTHOR}/app.bsky.feed.generator/{}", key()),
            format!("at://{AUTHOR}"),
        ];
        for other in others {
            assert_kept_whole(Coll::POSTGATE, &gate(&other, &closed));
        }
    }
}
