//! The state of a list.

use std::collections::HashMap;

use crate::atproto::Cid;
use crate::collection::{Coll, Ref, unpack};
use crate::db::record::Path;
use crate::db::{Client, read};
use crate::query::QueryError;

/// A list as it stands.
#[derive(Debug, Clone)]
pub struct List {
    /// The record's bytes.
    pub record: Vec<u8>,
    /// Their hash.
    pub cid: Cid,
    /// Accounts on it.
    pub items: i64,
}

pub(super) async fn load(client: &Client, places: &[Ref]) -> Result<HashMap<Ref, List>, QueryError> {
    let paths: Vec<Path> = places.iter().map(|at| Path { coll: Coll::LIST, at: *at }).collect();
    let (records, counts) = tokio::try_join!(read::record::kept(client, &paths), read::list::members(client, places))?;
    let counts: HashMap<Ref, i64> = counts.into_iter().collect();
    let lists = records.into_iter().map(|(path, packed)| {
        let record = unpack(&packed)?;
        Ok((path.at, List { cid: Cid::dag_cbor(&record), record, items: counts.get(&path.at).copied().unwrap_or(0) }))
    });
    lists.collect()
}
