//! What likes, reposts, follows and blocks have in common: a subject, a time close to their key's, perhaps a `via`. Their records are
//! rebuilt from columns; an edge that cannot be rebuilt byte for byte says so ([`FLAG_RAW`]) and is never guessed.

use super::fields::Fields;
use super::refs::Target;
use super::{Coll, Ids, Names, Place, RecordError, SubjectKind};
use crate::atproto::cbor::Writer;
use crate::atproto::{Cid, Did, Tid, datetime};

/// The columns and the subject's CID do not give the record's bytes back: they are kept in `record_exc`.
pub const FLAG_RAW: i16 = 2;
/// Where the number of the [`SubjectKind`] stands in the flags (0x70).
pub const KIND_SHIFT: u32 = 4;

/// Through what an edge came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// Through a repost, as likes and reposts.
    Repost,
    /// Through a starter pack, as follows.
    StarterPack,
}

impl Via {
    fn coll(self) -> Coll {
        match self {
            Self::Repost => Coll::REPOST,
            Self::StarterPack => Coll::STARTERPACK,
        }
    }

    /// The DID of the record that `fields` names in `via`, where it is of this kind.
    pub(super) fn did<'a>(self, fields: &Fields<'a>) -> Option<&'a str> {
        let target = Target::parse(fields.strong_ref("via")?.uri)?;
        (target.coll == self.coll()).then_some(target.uri.did)
    }

    pub(super) fn resolve(self, fields: &Fields<'_>, ids: &impl Ids) -> Result<Option<i32>, RecordError> {
        self.did(fields).map(|did| ids.account(did).ok_or(RecordError::Unnamed)).transpose()
    }
}

/// An edge to a record: like, repost.
pub(super) struct RecordEdge<'a> {
    pub fields: Fields<'a>,
    target: Target<'a>,
    kind: SubjectKind,
    cid: &'a str,
    created_at: &'a str,
}

/// The numbers of a [`RecordEdge`].
pub(super) struct RecordColumns {
    pub subject: super::Ref,
    pub via: Option<i32>,
    pub dms: Option<i16>,
    pub flags: i16,
    pub cid: Option<Cid>,
}

impl<'a> RecordEdge<'a> {
    /// `None` where the record is no edge that is derived: its subject is of no [`SubjectKind`].
    pub(super) fn read(record: &'a [u8]) -> Option<Self> {
        let fields = Fields::of(record)?;
        let subject = fields.strong_ref("subject")?;
        let target = Target::parse(subject.uri)?;
        let (kind, created_at) = (SubjectKind::of(target.coll)?, fields.text("createdAt")?);
        Some(Self { fields, target, kind, cid: subject.cid, created_at })
    }

    pub(super) fn names(&self, into: &mut Names<'a>) {
        self.target.name(into);
        into.dids.extend(Via::Repost.did(&self.fields));
    }

    pub(super) fn created_at(&self) -> &'a str {
        self.created_at
    }

    pub(super) fn columns(&self, place: Place, record: &[u8], ids: &impl Ids) -> Result<RecordColumns, RecordError> {
        let dms = dms(place.rkey, self.created_at);
        let cid = self.cid.parse::<Cid>().ok();
        let subject = Subject { did: self.target.uri.did, kind: self.kind, rkey: self.target.uri.rkey };
        let rebuilt = cid.zip(dms).and_then(|_| record_edge(place.coll, self.created_at, &subject, self.cid));
        let raw = if rebuilt.as_deref() == Some(record) { 0 } else { FLAG_RAW };
        Ok(RecordColumns {
            subject: self.target.resolve(ids)?,
            via: Via::Repost.resolve(&self.fields, ids)?,
            dms,
            flags: raw | (self.kind.number() << KIND_SHIFT),
            cid,
        })
    }
}

/// The subject of a like or repost by its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    pub did: &'a str,
    pub kind: SubjectKind,
    pub rkey: &'a str,
}

/// An edge to an account: follow, block.
pub(super) struct AccountEdge<'a> {
    pub fields: Fields<'a>,
    pub did: &'a str,
    created_at: &'a str,
}

impl<'a> AccountEdge<'a> {
    /// `None` where the record is no edge that is derived: its subject is no DID.
    pub(super) fn read(record: &'a [u8]) -> Option<Self> {
        let fields = Fields::of(record)?;
        let did = fields.text("subject").filter(|did| Did::is_valid(did))?;
        let created_at = fields.text("createdAt")?;
        Some(Self { fields, did, created_at })
    }

    pub(super) fn subject(&self, ids: &impl Ids) -> Result<i32, RecordError> {
        ids.account(self.did).ok_or(RecordError::Unnamed)
    }

    /// `dms` and the flags.
    pub(super) fn columns(&self, place: Place, record: &[u8]) -> (Option<i16>, i16) {
        let dms = dms(place.rkey, self.created_at);
        let rebuilt = dms.and_then(|_| account_edge(place.coll, self.created_at, self.did));
        (dms, if rebuilt.as_deref() == Some(record) { 0 } else { FLAG_RAW })
    }
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

/// The DAG-CBOR of a like or repost; `None` where the columns do not hold it.
pub(super) fn rebuild_record_edge(coll: Coll, rkey: i64, dms: Option<i16>, subject: &Subject<'_>, cid: &Cid) -> Option<Vec<u8>> {
    record_edge(coll, &created_at(rkey, dms?)?, subject, &cid.to_string())
}

/// The DAG-CBOR of a follow or block; `None` where the columns do not hold it.
pub(super) fn rebuild_account_edge(coll: Coll, rkey: i64, dms: Option<i16>, subject: &str) -> Option<Vec<u8>> {
    account_edge(coll, &created_at(rkey, dms?)?, subject)
}

fn record_edge(coll: Coll, created_at: &str, subject: &Subject<'_>, cid: &str) -> Option<Vec<u8>> {
    let uri = format!("at://{}/{}/{}", subject.did, subject.kind.coll().nsid()?, subject.rkey);
    let mut writer = Writer::new();
    writer.map(3).text("$type").text(coll.nsid()?);
    writer.text("subject").map(2).text("cid").text(cid).text("uri").text(&uri);
    writer.text("createdAt").text(created_at);
    Some(writer.into_bytes())
}

fn account_edge(coll: Coll, created_at: &str, subject: &str) -> Option<Vec<u8>> {
    let mut writer = Writer::new();
    writer.map(3).text("$type").text(coll.nsid()?).text("subject").text(subject).text("createdAt").text(created_at);
    Some(writer.into_bytes())
}
