//! `app.bsky.graph.listitem`: an account is on a list of the item's author.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::fields::Fields;
use super::super::form::{Form, Said, read_account};
use super::super::refs::Target;
use super::super::types::Type;
use crate::atproto::cbor::Writer;

pub(in super::super) const TYPE: Type = Type::edge(&FORM);

const FORM: Form = Form { kind: EdgeKind::ListItem, read, write, via: None, sorted: false };

fn read<'a>(fields: &Fields<'a>) -> Option<Said<'a>> {
    let list = Target::parse(fields.text("list")?).filter(|target| target.coll == Coll::LIST)?;
    Some(Said { record: Some(list), ..read_account(fields)? })
}

fn write(coll: Coll, said: &Said<'_>) -> Option<Vec<u8>> {
    let mut writer = Writer::new();
    writer.map(4).text("list").text(&said.record?.uri.to_string()).text("$type").text(coll.nsid()?);
    writer.text("subject").text(said.did).text("createdAt").text(said.created_at);
    Some(writer.into_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{AUTHOR, Numbers, assert_kept_whole, assert_rebuilt, dag_cbor};
    use super::super::super::{Ref, Row};
    use super::*;

    fn item(list: &str) -> serde_json::Value {
        json!({"$type": "app.bsky.graph.listitem", "list": list, "subject": "did:plc:bob", "createdAt": "2025-10-09T08:53:20.123Z"})
    }

    #[test]
    fn an_item_of_an_own_list_is_rebuilt_to_its_cid() {
        for key in ["3jzfcijpj2z2a", "a-key:of.mine"] {
            assert_rebuilt(Coll::LISTITEM, &item(&format!("at://{AUTHOR}/app.bsky.graph.list/{key}")));
        }
        let numbers = Numbers::default();
        let row = numbers.row(Coll::LISTITEM, &dag_cbor(&item(&format!("at://{AUTHOR}/app.bsky.graph.list/3jzfcijpj2z2a"))));
        let Row::Edge { edge, kind, .. } = row else { panic!("no edge") };
        assert_eq!(edge.sa, numbers.did("did:plc:bob"));
        assert_eq!(edge.record(kind), Some((Coll::LIST, numbers.at(AUTHOR, "3jzfcijpj2z2a"))));
        assert_eq!(edge.place(), Ref { rkey: edge.rkey, author: numbers.did(AUTHOR) });
    }

    #[test]
    fn an_item_of_another_s_list_is_kept_whole() {
        for list in [
            "at://did:plc:alice/app.bsky.graph.list/3jzfcijpj2z2a",
            "at://did:plc:author/app.bsky.feed.post/3jzfcijpj2z2a",
            "at://did:plc:author",
        ] {
            assert_kept_whole(Coll::LISTITEM, &dag_cbor(&item(list)));
        }
    }
}
