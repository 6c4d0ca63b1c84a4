//! `app.bsky.feed.like`: an account likes a record.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::form::{Form, read_strong_ref, write_strong_ref};
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::edge(&FORM);

const FORM: Form = Form { kind: EdgeKind::Like, read: read_strong_ref, write: write_strong_ref, via: Some(Coll::REPOST), sorted: false };

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::Row;
    use super::super::super::SubjectKind;
    use super::super::super::testing::{Numbers, assert_kept_whole, assert_rebuilt, dag_cbor};
    use crate::atproto::Cid;

    use super::*;

    #[test]
    fn a_like_is_rebuilt_to_its_cid() {
        let cid = Cid::dag_cbor(b"subject").to_string();
        for subject in ["at://did:plc:alice/app.bsky.feed.post/3jzfcijpj2z2a", "at://did:plc:alice/app.bsky.feed.generator/science"] {
            assert_rebuilt(
                Coll::LIKE,
                &json!({
                    "$type": "app.bsky.feed.like", "subject": {"cid": cid, "uri": subject}, "createdAt": "2025-10-09T08:53:20.123Z",
                }),
            );
        }
    }

    #[test]
    fn a_like_through_a_repost_is_kept_raw_and_names_its_author() {
        let cid = Cid::dag_cbor(b"subject").to_string();
        let numbers = Numbers::default();
        let record = dag_cbor(&json!({
            "$type": "app.bsky.feed.like", "createdAt": "2025-10-09T08:53:20.123Z",
            "subject": {"cid": cid, "uri": "at://did:plc:alice/app.bsky.labeler.service/self"},
            "via": {"cid": cid, "uri": "at://did:plc:bob/app.bsky.feed.repost/3jzfcijpj2z2b"},
        }));
        let Row::Edge { edge, .. } = numbers.row(Coll::LIKE, &record) else { panic!("no edge") };
        assert_eq!((edge.via, edge.subject_kind(), edge.is_raw()), (Some(numbers.did("did:plc:bob")), Some(SubjectKind::Labeler), true));
    }

    #[test]
    fn likes_of_what_is_not_counted_are_kept_whole() {
        let subject = json!({"cid": Cid::dag_cbor(b"").to_string(), "uri": "at://did:plc:alice/com.example.thing/1"});
        assert_kept_whole(
            Coll::LIKE,
            &dag_cbor(&json!({"$type": "app.bsky.feed.like", "subject": subject, "createdAt": "2025-10-09T08:53:20.123Z"})),
        );
    }
}
