//! `app.bsky.feed.repost`: an account shows a record to its followers.

use super::super::edge::{RecordEdge, rebuild_record_edge};
use super::super::sort::sort_key;
use super::super::{Coll, Ids, Names, Place, RecordError, Row, Subject};
use crate::atproto::Cid;

/// A row of the table `repost`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repost {
    pub rkey: i64,
    pub author: i32,
    /// The subject's key and author.
    pub sr: i64,
    pub sa: i32,
    /// Author of the repost that it was reposted through.
    pub via: Option<i32>,
    /// createdAt less the key's time in milliseconds; `None`: the record is kept raw.
    pub dms: Option<i16>,
    /// [`super::super::FLAG_RAW`] and the kind of subject.
    pub flags: i16,
    /// The subject's CID as this repost names it: no column, but kept once a subject. `None`: the record is kept raw.
    pub cid: Option<Cid>,
    /// sortAt as the value of a TID, where it is over a minute from the key's time.
    pub sort: Option<i64>,
}

impl Repost {
    /// The record's DAG-CBOR, from the subject's names and CID; `None` where the columns do not hold it.
    #[must_use]
    pub fn rebuild(&self, subject: &Subject<'_>, cid: &Cid) -> Option<Vec<u8>> {
        rebuild_record_edge(Coll::REPOST, self.rkey, self.dms, subject, cid)
    }
}

pub(in super::super) fn names<'a>(record: &'a [u8], into: &mut Names<'a>) {
    if let Some(edge) = RecordEdge::read(record) {
        edge.names(into);
    }
}

pub(in super::super) fn row(place: Place, record: &[u8], ids: &impl Ids) -> Result<Row, RecordError> {
    let Some(edge) = RecordEdge::read(record) else { return Ok(Row::Other) };
    let columns = edge.columns(place, record, ids)?;
    Ok(Row::Repost(Repost {
        rkey: place.rkey,
        author: place.author,
        sr: columns.subject.rkey,
        sa: columns.subject.author,
        via: columns.via,
        dms: columns.dms,
        flags: columns.flags,
        cid: columns.cid,
        sort: sort_key(place.rkey, Some(edge.created_at()), place.indexed_at),
    }))
}
