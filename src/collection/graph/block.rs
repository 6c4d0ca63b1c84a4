//! `app.bsky.graph.block`: an account blocks an account.

use super::super::edge::EdgeKind;
use super::super::form::{Form, read_account, write_account};
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::edge(&FORM);

const FORM: Form = Form { kind: EdgeKind::Block, read: read_account, write: write_account, via: None, sorted: false };

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::Coll;
    use super::super::super::testing::{assert_kept_whole, assert_rebuilt, dag_cbor};

    #[test]
    fn a_block_is_rebuilt_to_its_cid() {
        let mut record = json!({"$type": "app.bsky.graph.block", "subject": "did:plc:alice", "createdAt": "2025-10-09T08:53:20.123Z"});
        assert_rebuilt(Coll::BLOCK, &record);
        record["subject"] = json!("alice.example.com");
        assert_kept_whole(Coll::BLOCK, &dag_cbor(&record));
    }
}
