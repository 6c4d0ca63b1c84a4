//! `app.bsky.feed.repost`: an account shows a record to its followers.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::form::{Form, read_strong_ref, write_strong_ref};
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::edge(&FORM);

const FORM: Form = Form { kind: EdgeKind::Repost, read: read_strong_ref, write: write_strong_ref, via: Some(Coll::REPOST), sorted: true };

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::Row;
    use super::super::super::testing::{Numbers, assert_rebuilt, dag_cbor};
    use crate::atproto::Cid;

    use super::*;

    #[test]
    fn a_repost_is_rebuilt_to_its_cid() {
        let cid = Cid::dag_cbor(b"subject").to_string();
        for subject in ["at://did:plc:alice/app.bsky.feed.post/3jzfcijpj2z2a", "at://did:plc:alice/app.bsky.feed.generator/science"] {
            assert_rebuilt(
                Coll::REPOST,
                &json!({
                    "$type": "app.bsky.feed.repost", "subject": {"cid": cid, "uri": subject}, "createdAt": "2025-10-09T08:53:20.123Z",
                }),
            );
        }
    }

    #[test]
    fn a_repost_with_an_old_time_carries_it() {
        let subject = json!({"cid": Cid::dag_cbor(b"").to_string(), "uri": "at://did:plc:alice/app.bsky.feed.post/3jzfcijpj2z2a"});
        let record = json!({"$type": "app.bsky.feed.repost", "subject": subject, "createdAt": "2024-10-09T08:53:20.000Z"});
        let row = Numbers::default().row(Coll::REPOST, &dag_cbor(&record));
        assert!(matches!(&row, Row::Edge { edge, .. } if edge.sort.is_some() && edge.dms.is_none() && edge.is_raw()), "{row:?}");
    }
}
