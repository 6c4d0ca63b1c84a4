//! The state of a starter pack.

use super::label::now;
use crate::atproto::{Cid, Tid};
use crate::collection::{Coll, Ref, unpack};
use crate::db::record::Path;
use crate::db::{Client, read};
use crate::query::QueryError;
use crate::query::maps::Map;

/// How long those who came count as having come this week, in microseconds.
const WEEK: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// A starter pack as it stands.
#[derive(Debug, Clone)]
pub struct StarterPack {
    /// The record's bytes.
    pub record: Vec<u8>,
    /// Their hash.
    pub cid: Cid,
    /// Accounts that came through it, at most [`read::pack::MOST_JOINED`].
    pub joined: i64,
    /// Those of them that came within the last week.
    pub joined_this_week: i64,
    /// Operators of this service took it down.
    pub taken_down: bool,
}

pub(super) async fn load(client: &Client, places: &[Ref]) -> Result<Map<Ref, StarterPack>, QueryError> {
    if places.is_empty() {
        return Ok(Map::default());
    }
    let paths: Vec<Path> = places.iter().map(|at| Path { coll: Coll::STARTERPACK, at: *at }).collect();
    let since = Tid::from_micros((now() - WEEK).max(0), 0).value();
    let (records, joined, hidden) = tokio::try_join!(
        read::record::kept(client, &paths),
        read::pack::joined(client, places, since),
        read::takedown::of(client, &paths),
    )?;
    let joined: Map<Ref, (i64, i64)> = joined.into_iter().collect();
    let packs = records.into_iter().map(|(path, packed)| {
        let record = unpack(&packed)?;
        let (joined, joined_this_week) = joined.get(&path.at).copied().unwrap_or_default();
        let pack = StarterPack { cid: Cid::dag_cbor(&record), record, joined, joined_this_week, taken_down: hidden.contains(&path) };
        Ok((path.at, pack))
    });
    packs.collect()
}
