//! `app.bsky.graph.follow`: an account follows an account.

use super::super::edge::{AccountEdge, Via, rebuild_account_edge};
use super::super::{Coll, Ids, Names, Place, RecordError, Row};

/// A row of the table `follow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follow {
    pub rkey: i64,
    pub author: i32,
    pub subject: i32,
    /// Author of the starter pack that it was made through.
    pub via: Option<i32>,
    /// createdAt less the key's time in milliseconds; `None`: the record is kept raw.
    pub dms: Option<i16>,
    /// [`super::super::FLAG_RAW`].
    pub flags: i16,
}

impl Follow {
    /// The record's DAG-CBOR, from the subject's DID; `None` where the columns do not hold it.
    #[must_use]
    pub fn rebuild(&self, subject: &str) -> Option<Vec<u8>> {
        rebuild_account_edge(Coll::FOLLOW, self.rkey, self.dms, subject)
    }
}

pub(in super::super) fn names<'a>(record: &'a [u8], into: &mut Names<'a>) {
    if let Some(edge) = AccountEdge::read(record) {
        into.dids.push(edge.did);
        into.dids.extend(Via::StarterPack.did(&edge.fields));
    }
}

pub(in super::super) fn row(place: Place, record: &[u8], ids: &impl Ids) -> Result<Row, RecordError> {
    let Some(edge) = AccountEdge::read(record) else { return Ok(Row::Other) };
    let (dms, flags) = edge.columns(place, record);
    let via = Via::StarterPack.resolve(&edge.fields, ids)?;
    Ok(Row::Follow(Follow { rkey: place.rkey, author: place.author, subject: edge.subject(ids)?, via, dms, flags }))
}
