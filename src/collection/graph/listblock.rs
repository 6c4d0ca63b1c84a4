//! `app.bsky.graph.listblock`: an account blocks everyone on a list.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::fields::Fields;
use super::super::form::{Form, Said};
use super::super::refs::Target;
use super::super::types::Type;
use crate::atproto::cbor::Writer;

pub(in super::super) const TYPE: Type = Type::edge(&FORM, Coll::LISTBLOCK);

const FORM: Form = Form { kind: EdgeKind::ListBlock, read: read, write: write, via: None, sorted: false };

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
