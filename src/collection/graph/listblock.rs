//! `app.bsky.graph.listblock`: an account blocks everyone on a list.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::fields::Fields;
use super::super::form::{Form, Said};
use super::super::refs::Target;
use super::super::types::Type;
use crate::atproto::cbor::Writer;

pub(in super::super) const TYPE: Type = Type::edge(&FORM);

const FORM: Form = Form { kind: EdgeKind::ListBlock, read, write, via: None, sorted: false };

fn read<'a>(fields: &Fields<'a>) -> Option<Said<'a>> {
    let list = Target::parse(fields.text("subject")?).filter(|target| target.coll == Coll::LIST)?;
    Some(Said { did: list.uri.did, record: Some(list), cid: None, created_at: fields.text("createdAt")? })
}

fn write(coll: Coll, said: &Said<'_>) -> Option<Vec<u8>> {
    let mut writer = Writer::new();
    writer.map(3).text("$type").text(coll.nsid()?);
    writer.text("subject").text(&said.record?.uri.to_string()).text("createdAt").text(said.created_at);
    Some(writer.into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{Numbers, assert_kept_whole, assert_rebuilt, dag_cbor};
    use super::super::super::{Ref, Row};
    use super::*;

    #[test]
    fn a_block_of_a_list_is_rebuilt_to_its_cid() {
        for list in ["at://did:plc:alice/app.bsky.graph.list/3jzfcijpj2z2a", "at://did:plc:author/app.bsky.graph.list/my-own"] {
            let record = json!({"$type": "app.bsky.graph.listblock", "subject": list, "createdAt": "2025-10-09T08:53:20.123Z"});
            assert_rebuilt(Coll::LISTBLOCK, &record);
        }
    }

    #[test]
    fn the_subject_is_the_list() {
        let subject = "at://did:plc:alice/app.bsky.graph.list/3jzfcijpj2z2a";
        let mut record = json!({"$type": "app.bsky.graph.listblock", "subject": subject, "createdAt": "2025-10-09T08:53:20.123Z"});
        let numbers = Numbers::default();
        let Row::Edge { edge, .. } = numbers.row(Coll::LISTBLOCK, &dag_cbor(&record)) else { panic!("no edge") };
        assert_eq!(Ref { rkey: edge.sr, author: edge.sa }, numbers.at("did:plc:alice", "3jzfcijpj2z2a"));
        for other in [
            "did:plc:alice",
            "at://did:plc:alice/app.bsky.feed.post/3jzfcijpj2z2a",
            "at://did:plc:alice",
            "at://alice.example/app.bsky.graph.list/a",
        ] {
            record["subject"] = json!(other);
            assert_kept_whole(Coll::LISTBLOCK, &dag_cbor(&record));
        }
    }
}
