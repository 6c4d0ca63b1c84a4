//! `app.bsky.graph.follow`: an account follows an account.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::form::{Form, read_account, write_account};
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::edge(&FORM);

const FORM: Form = Form { kind: EdgeKind::Follow, read: read_account, write: write_account, via: Some(Coll::STARTERPACK), sorted: false };

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::Row;
    use super::super::super::testing::{Numbers, assert_kept_whole, assert_rebuilt, dag_cbor};
    use crate::atproto::Cid;

    use super::*;

    #[test]
    fn a_follow_is_rebuilt_to_its_cid() {
        let mut record = json!({"$type": "app.bsky.graph.follow", "subject": "did:plc:alice", "createdAt": "2025-10-09T08:53:20.123Z"});
        assert_rebuilt(Coll::FOLLOW, &record);
        record["subject"] = json!("alice.example.com");
        assert_kept_whole(Coll::FOLLOW, &dag_cbor(&record));
    }

    #[test]
    fn a_follow_through_a_starter_pack_names_its_author() {
        let via = json!({"cid": Cid::dag_cbor(b"").to_string(), "uri": "at://did:plc:bob/app.bsky.graph.starterpack/3jzfcijpj2z2b"});
        let record =
            json!({"$type": "app.bsky.graph.follow", "subject": "did:plc:alice", "via": via, "createdAt": "2025-10-09T08:53:20.123Z"});
        let numbers = Numbers::default();
        let Row::Edge { edge, .. } = numbers.row(Coll::FOLLOW, &dag_cbor(&record)) else { panic!("no edge") };
        assert_eq!((edge.via, edge.sa, edge.sr), (Some(numbers.did("did:plc:bob")), numbers.did("did:plc:alice"), 0));
    }
}
