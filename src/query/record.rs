//! One record by its path, as the bytes that its author signed: kept whole, or rebuilt from columns. Never guesses: what the columns do not
//! hold is kept raw, and was found so when it was written.

use super::{QueryError, names};
use crate::collection::{Coll, Edge, EdgeKind, EdgeNames, Ref, unpack};
use crate::db::record::Path;
use crate::db::{Client, edge, read, stat};

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
    if edge.is_raw() {
        let path = Path { coll: kind.coll(), at: edge.place() };
        let raw = read::record::raw(client, &[path]).await?.into_iter().next();
        return Ok(raw.map(|(_, record)| unpack(&record)).transpose()?);
    }
    let Some(author) = read::key::did(client, edge.author).await? else { return Ok(None) };
    let Some(subject) = read::key::did(client, edge.sa).await? else { return Ok(None) };
    let rkey = match edge.record(kind) {
        Some((coll, at)) => names::key_text(at, &aliases(client, coll, at).await?),
        None => None,
    };
    let cid = match edge.subject_kind().filter(|_| matches!(kind, EdgeKind::Like | EdgeKind::Repost)) {
        Some(of) => {
            stat::of(client, &[stat::Subject { sr: edge.sr, sa: edge.sa, kind: of.number() }]).await?.first().and_then(|(_, s)| s.cid)
        }
        None => None,
    };
    Ok(edge.rebuild(kind, &EdgeNames { author: &author, subject: &subject, rkey: rkey.as_deref(), cid: cid.as_ref() }))
}

async fn aliases(client: &Client, coll: Coll, at: Ref) -> Result<names::Aliases, QueryError> {
    match names::aliased(coll, std::iter::once(at)) {
        none if none.is_empty() => Ok(names::Aliases::new()),
        paths => Ok(read::key::texts(client, &paths).await?.into_iter().collect()),
    }
}
