//! `app.bsky.graph.verification`: an account says that another is who it says.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::fields::Fields;
use super::super::form::{Form, Said, read_account};
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::edge(&FORM);

const FORM: Form = Form { kind: EdgeKind::Verification, read: read_account, write, via: None, sorted: false };

/// What views read of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerificationFields<'a> {
    /// What the account was called then.
    pub handle: &'a str,
    pub display_name: &'a str,
    pub created_at: &'a str,
}

impl<'a> VerificationFields<'a> {
    /// `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        let text = |key| all.text(key).unwrap_or_default();
        Some(Self { handle: text("handle"), display_name: text("displayName"), created_at: text("createdAt") })
    }
}

/// The handle and the display name that were verified stand in the record alone.
fn write(_: Coll, _: &Said<'_>) -> Option<Vec<u8>> {
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::Row;
    use super::super::super::testing::{Numbers, assert_kept_whole, dag_cbor};
    use super::*;

    #[test]
    fn a_verification_is_an_edge_whose_record_is_kept_raw() {
        let mut record = json!({
            "$type": "app.bsky.graph.verification", "subject": "did:plc:alice", "handle": "alice.example.com", "displayName": "Alice",
            "createdAt": "2025-10-09T08:53:20.123Z",
        });
        let numbers = Numbers::default();
        let row = numbers.row(Coll::VERIFICATION, &dag_cbor(&record));
        let Row::Edge { kind: EdgeKind::Verification, edge, cid: None } = &row else { panic!("{row:?}") };
        assert_eq!((edge.sa, edge.sr, edge.dms, edge.is_raw()), (numbers.did("did:plc:alice"), 0, Some(123), true));
        assert_eq!(numbers.rebuild(&row), None);
        record["subject"] = json!("alice.example.com");
        assert_kept_whole(Coll::VERIFICATION, &dag_cbor(&record));
    }
}
