//! The state of a list.

use crate::atproto::Cid;
use crate::collection::{Coll, EdgeKind, Pair, Ref, unpack};
use crate::db::record::Path;
use crate::db::{Client, edge, read};
use crate::query::QueryError;
use crate::query::maps::Map;

/// A list as it stands.
#[derive(Debug, Clone)]
pub struct List {
    /// The record's bytes.
    pub record: Vec<u8>,
    /// Their hash.
    pub cid: Cid,
    /// Accounts on it.
    pub items: i64,
    /// The one who reads mutes those on it.
    pub muted: bool,
    /// Key of the block of it by the one who reads.
    pub block: Option<i64>,
    /// Operators of this service took it down.
    pub taken_down: bool,
}

pub(super) async fn load(client: &Client, viewer: Option<i32>, places: &[Ref]) -> Result<Map<Ref, List>, QueryError> {
    if places.is_empty() {
        return Ok(Map::default());
    }
    let paths: Vec<Path> = places.iter().map(|at| Path { coll: Coll::LIST, at: *at }).collect();
    let pair = |author| places.iter().map(move |list| Pair { author, sr: list.rkey, sa: list.author, kind: 0 });
    let mut pairs: Vec<Pair> = viewer.into_iter().flat_map(pair).collect();
    pairs.sort_unstable();
    let blocks = async { if pairs.is_empty() { Ok(Vec::new()) } else { edge::of(client, EdgeKind::ListBlock, &pairs).await } };
    let muted = async {
        match viewer {
            Some(viewer) => read::relation::muted_lists(client, viewer, places).await,
            None => Ok(Vec::new()),
        }
    };
    let (records, counts, blocks, muted, hidden) = tokio::try_join!(
        read::record::kept(client, &paths),
        read::list::members(client, places),
        blocks,
        muted,
        read::takedown::of(client, &paths),
    )?;
    let counts: Map<Ref, i64> = counts.into_iter().collect();
    let blocks = blocks.into_iter().filter(|block| !block.is_duplicate());
    let blocks: Map<Ref, i64> = blocks.map(|block| (Ref { rkey: block.sr, author: block.sa }, block.rkey)).collect();
    let lists = records.into_iter().map(|(path, packed)| {
        let record = unpack(&packed)?;
        let list = List {
            cid: Cid::dag_cbor(&record),
            record,
            items: counts.get(&path.at).copied().unwrap_or(0),
            muted: muted.contains(&path.at),
            block: blocks.get(&path.at).copied(),
            taken_down: hidden.contains(&path),
        };
        Ok((path.at, list))
    });
    lists.collect()
}
