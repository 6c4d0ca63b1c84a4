//! `app.bsky.feed.postgate`: who may quote a post. Kept whole; derived is only that nobody may.

use super::super::fields::Fields;
use super::super::refs::{Target, is_own_post};
use super::super::types::{Shape, Type};
use super::super::{Coll, Derived, Ids, Names, Place, RecordError, Row};

pub(in super::super) const TYPE: Type = Type { coll: Coll::POSTGATE, shape: Shape::Own { names, row } };

fn names<'a>(record: &'a [u8], into: &mut Names<'a>) {
    if let Some(post) = Fields::of(record).and_then(|fields| post(&fields)) {
        post.name(into);
    }
}

fn row(place: Place, record: &[u8], ids: &dyn Ids) -> Result<Row, RecordError> {
    const NONE: Row = Row::Whole(Derived::Nothing);
    let Some(fields) = Fields::of(record) else { return Ok(NONE) };
    let Some(post) = post(&fields) else { return Ok(NONE) };
    let closed = fields.types("embeddingRules").any(|name| name == "app.bsky.feed.postgate#disableRule");
    Ok(if closed && is_own_post(place, post.resolve(ids)?) { Row::Whole(Derived::Postgate) } else { NONE })
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
