//! From an edge's record to its numbers, and back to the same bytes. Each record type lends its [`Form`]; an edge that cannot be rebuilt byte
//! for byte says so ([`FLAG_RAW`]) and is never guessed.

use super::edge::{Edge, EdgeKind, EdgeNames, FLAG_RAW, KIND_SHIFT};
use super::fields::Fields;
use super::refs::{SubjectKind, Target};
use super::sort::sort_key;
use super::types::{self, Shape};
use super::{Coll, Derived, Ids, Names, Place, RecordError, Row};
use crate::atproto::cbor::Writer;
use crate::atproto::{AtUri, Cid, Did, Tid, datetime};

/// What the records of one kind of edge look like.
pub(super) struct Form {
    pub kind: EdgeKind,
    /// What a record says; `None` where nothing is derived from it.
    pub read: for<'a> fn(&Fields<'a>) -> Option<Said<'a>>,
    /// The record that says nothing else; `None` where records always say more than columns hold.
    pub write: fn(Coll, &Said<'_>) -> Option<Vec<u8>>,
    /// The records of which collection `via` may name.
    pub via: Option<Coll>,
    /// Whether edges of this kind are ordered by sortAt.
    pub sorted: bool,
}

/// An edge in the words of its record.
pub(super) struct Said<'a> {
    /// The account that it is of, or the author of the record that it is of.
    pub did: &'a str,
    /// The record that it is of, or the list that it is in.
    pub record: Option<Target<'a>>,
    /// The CID that it names its subject by.
    pub cid: Option<&'a str>,
    pub created_at: &'a str,
}

impl Form {
    pub(super) fn names<'a>(&self, record: &'a [u8], into: &mut Names<'a>) {
        let Some(fields) = Fields::of(record) else { return };
        let Some(said) = (self.read)(&fields) else { return };
        into.dids.push(said.did);
        if let Some(target) = said.record {
            target.name(into);
        }
        into.dids.extend(self.via(&fields));
    }

    pub(super) fn row(&self, place: Place, record: &[u8], ids: &dyn Ids) -> Result<Row, RecordError> {
        const NONE: Row = Row::Whole(Derived::Nothing);
        let Some(fields) = Fields::of(record) else { return Ok(NONE) };
        let Some(said) = (self.read)(&fields) else { return Ok(NONE) };
        let account = |did| ids.account(did).ok_or(RecordError::Unnamed);
        let target = said.record.map(|target| target.resolve(ids)).transpose()?;
        let edge = Edge {
            rkey: place.rkey,
            author: place.author,
            sr: target.map_or(0, |target| target.rkey),
            sa: account(said.did)?,
            via: self.via(&fields).map(account).transpose()?,
            dms: dms(place.rkey, said.created_at),
            flags: self.subject_bits(&said),
            sort: if self.sorted { sort_key(place.rkey, Some(said.created_at), place.indexed_at) } else { None },
        };
        // A list item of another's list: the columns have no place for whose it is.
        if edge.record(self.kind).map(|(_, at)| at) != target {
            return Ok(NONE);
        }
        let cid = said.cid.and_then(|cid| cid.parse::<Cid>().ok());
        let is_exact = edge.dms.is_some()
            && cid.is_some() == said.cid.is_some()
            && (self.write)(place.coll, &said).is_some_and(|written| written == record);
        let raw = if is_exact { 0 } else { FLAG_RAW };
        Ok(Row::Edge { kind: self.kind, edge: Edge { flags: edge.flags | raw, ..edge }, cid })
    }

    /// The DID of the record that `via` names, where it is of the right kind.
    fn via<'a>(&self, fields: &Fields<'a>) -> Option<&'a str> {
        let target = Target::parse(fields.strong_ref("via")?.uri)?;
        (Some(target.coll) == self.via).then_some(target.uri.did)
    }

    fn subject_bits(&self, said: &Said<'_>) -> i16 {
        let counted = matches!(self.kind, EdgeKind::Like | EdgeKind::Repost);
        let kind = said.record.filter(|_| counted).and_then(|target| SubjectKind::of(target.coll));
        kind.map_or(0, |kind| kind.number() << KIND_SHIFT)
    }
}

/// See [`Edge::rebuild`].
pub(super) fn rebuild(edge: &Edge, kind: EdgeKind, names: &EdgeNames<'_>) -> Option<Vec<u8>> {
    let Shape::Edge(form) = types::of(kind.coll())?.shape else { return None };
    let record = match edge.record(kind) {
        Some((coll, at)) => {
            let did = if at.author == edge.author { names.author } else { names.subject };
            Some(Target { uri: AtUri { did, collection: coll.nsid()?, rkey: names.rkey? }, coll })
        }
        None => None,
    };
    let (cid, created_at) = (names.cid.map(Cid::to_string), created_at(edge.rkey, edge.dms?)?);
    (form.write)(kind.coll(), &Said { did: names.subject, record, cid: cid.as_deref(), created_at: &created_at })
}

/// An edge to a record by strong reference, to any of the kinds that are counted: like, repost.
pub(super) fn read_strong_ref<'a>(fields: &Fields<'a>) -> Option<Said<'a>> {
    let subject = fields.strong_ref("subject")?;
    let target = Target::parse(subject.uri).filter(|target| SubjectKind::of(target.coll).is_some())?;
    Some(Said { did: target.uri.did, record: Some(target), cid: Some(subject.cid), created_at: fields.text("createdAt")? })
}

pub(super) fn write_strong_ref(coll: Coll, said: &Said<'_>) -> Option<Vec<u8>> {
    let mut writer = Writer::new();
    writer.map(3).text("$type").text(coll.nsid()?);
    writer.text("subject").map(2).text("cid").text(said.cid?).text("uri").text(&said.record?.uri.to_string());
    writer.text("createdAt").text(said.created_at);
    Some(writer.into_bytes())
}

/// An edge to an account: follow, block, verification.
pub(super) fn read_account<'a>(fields: &Fields<'a>) -> Option<Said<'a>> {
    let did = fields.text("subject").filter(|did| Did::is_valid(did))?;
    Some(Said { did, record: None, cid: None, created_at: fields.text("createdAt")? })
}

pub(super) fn write_account(coll: Coll, said: &Said<'_>) -> Option<Vec<u8>> {
    let mut writer = Writer::new();
    writer.map(3).text("$type").text(coll.nsid()?).text("subject").text(said.did).text("createdAt").text(said.created_at);
    Some(writer.into_bytes())
}

/// createdAt less the key's time in milliseconds; `None` where the two do not give the text back: the key is no TID, the text is in another
/// form than that of [`datetime::format_micros`], the difference is over 32 seconds.
fn dms(rkey: i64, text: &str) -> Option<i16> {
    let millis = datetime::parse_micros(text)?.div_euclid(1000);
    let dms = i16::try_from(millis - Tid::from_value(rkey)?.micros() / 1000).ok()?;
    (created_at(rkey, dms)? == text).then_some(dms)
}

/// createdAt of an edge, from its key and `dms`; `None` where the key is no TID.
#[must_use]
pub fn created_at(rkey: i64, dms: i16) -> Option<String> {
    let millis = Tid::from_value(rkey)?.micros() / 1000 + i64::from(dms);
    Some(datetime::format_micros(millis * 1000))
}
