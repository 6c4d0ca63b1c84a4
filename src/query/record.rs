//! One record by its path, as the bytes that its author signed: kept whole, or rebuilt from columns. Never guesses: what the columns do not
//! hold is kept raw, and was found so when it was written.

use super::{QueryError, names};
use crate::atproto::Cid;
use crate::collection::{Block, Coll, FLAG_RAW, Follow, KIND_SHIFT, Like, Ref, Repost, Subject, SubjectKind, unpack};
use crate::db::edge::{self, Edge, EdgeKind, KIND_MASK};
use crate::db::record::Path;
use crate::db::stat::{self, PostStat};
use crate::db::{Client, read};

/// The bytes of the record at `path`; `None` where none is held.
///
/// # Errors
/// The database's; stored bytes that cannot be unpacked.
pub async fn bytes(client: &Client, path: Path) -> Result<Option<Vec<u8>>, QueryError> {
    if let Some(kind) = EdgeKind::of(path.coll)
        && let Some(edge) = edge::at(client, kind, &[path.at]).await?.into_iter().next()
    {
        return edge_bytes(client, kind, &edge).await;
    }
    let stored = match path.coll {
        Coll::POST => read::post::at(client, &[path.at]).await?.into_iter().next().map(|post| post.record),
        _ => None,
    };
    // Edges and posts that derive nothing (their subject is none that is known) are kept whole beside the others.
    let stored = match stored {
        Some(stored) => Some(stored),
        None => read::record::kept(client, &[path]).await?.into_iter().next().map(|(_, record)| record),
    };
    Ok(stored.map(|stored| unpack(&stored)).transpose()?)
}

async fn edge_bytes(client: &Client, kind: EdgeKind, edge: &Edge) -> Result<Option<Vec<u8>>, QueryError> {
    if edge.flags & FLAG_RAW != 0 {
        let path = Path { coll: kind.coll(), at: edge.place() };
        let raw = read::record::raw(client, &[path]).await?.into_iter().next();
        return Ok(raw.map(|(_, record)| unpack(&record)).transpose()?);
    }
    let Some(did) = read::key::did(client, edge.sa).await? else { return Ok(None) };
    if matches!(kind, EdgeKind::Follow | EdgeKind::Block) {
        return Ok(rebuild_account_edge(kind, edge, &did));
    }
    let Some(of) = subject_kind(edge) else { return Ok(None) };
    let subject = Ref { rkey: edge.sr, author: edge.sa };
    let stats = stat::of(client, &[stat::Subject { sr: edge.sr, sa: edge.sa, kind: of.number() }]).await?;
    let aliases: names::Aliases = match names::aliased(of.coll(), std::iter::once(subject)) {
        none if none.is_empty() => names::Aliases::new(),
        paths => read::key::texts(client, &paths).await?.into_iter().collect(),
    };
    let Some(rkey) = names::key_text(subject, &aliases) else { return Ok(None) };
    let cid = stats.first().and_then(|(_, PostStat { cid, .. })| *cid);
    Ok(cid.and_then(|cid| rebuild_record_edge(kind, edge, &Subject { did: &did, kind: of, rkey: &rkey }, &cid)))
}

/// What a like or repost is of.
#[must_use]
pub fn subject_kind(edge: &Edge) -> Option<SubjectKind> {
    SubjectKind::from_number((edge.flags & KIND_MASK) >> KIND_SHIFT)
}

/// A like or repost from its columns, the names of its subject, and the CID that edges name it by.
#[must_use]
pub fn rebuild_record_edge(kind: EdgeKind, edge: &Edge, subject: &Subject<'_>, cid: &Cid) -> Option<Vec<u8>> {
    let Edge { rkey, author, sr, sa, via, dms, flags, sort } = *edge;
    match kind {
        EdgeKind::Like => Like { rkey, author, sr, sa, via, dms, flags, cid: Some(*cid) }.rebuild(subject, cid),
        EdgeKind::Repost => Repost { rkey, author, sr, sa, via, dms, flags, cid: Some(*cid), sort }.rebuild(subject, cid),
        EdgeKind::Follow | EdgeKind::Block => None,
    }
}

fn rebuild_account_edge(kind: EdgeKind, edge: &Edge, did: &str) -> Option<Vec<u8>> {
    let Edge { rkey, author, sa: subject, via, dms, flags, .. } = *edge;
    match kind {
        EdgeKind::Follow => Follow { rkey, author, subject, via, dms, flags }.rebuild(did),
        EdgeKind::Block => Block { rkey, author, subject, dms, flags }.rebuild(did),
        EdgeKind::Like | EdgeKind::Repost => None,
    }
}
