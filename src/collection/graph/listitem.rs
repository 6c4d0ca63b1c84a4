//! `app.bsky.graph.listitem`: an account is on a list of the item's author.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::fields::Fields;
use super::super::form::{Form, Said, read_account};
use super::super::refs::Target;
use super::super::types::Type;
use crate::atproto::cbor::Writer;

pub(in super::super) const TYPE: Type = Type::edge(&FORM, Coll::LISTITEM);

const FORM: Form = Form { kind: EdgeKind::ListItem, read: read, write: write, via: None, sorted: false };

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
