//! Kept records once more: what a version before kept whole gets the rows that this one derives, without asking the network. In pages, each a
//! transaction under the lock of applying, while workers run; ended anywhere, it is begun again. Never touches what changed meanwhile.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tracing::{info, warn};

use super::item::{Body, Item, Row, Verdict};
use super::names::Names;
use super::{Batch, Index, IndexError, adopt, begin, fill, settled, write};
use crate::atproto::{Cid, Tid, datetime};
use crate::collection::{Coll, Derived, EdgeKind, Fields, Ref, unpack};
use crate::db::Client;
use crate::db::alias::Alias;
use crate::db::record::{Kept, Path};
use crate::db::reindex::{self, Stored};
use crate::queue::{self, Action, Event, Position};
use crate::telemetry::failpoint;

/// Records that are read and applied together; each may hold 1 MB.
const PAGE: i64 = 100;
/// How often long work says how far it is.
pub(super) const PROGRESS: Duration = Duration::from_secs(5);

/// What reindexing a collection came to, in records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reindexed {
    /// Kept until now under a number that the database had given.
    pub renumbered: u64,
    /// With rows of their own now, or with what is derived from them.
    pub indexed: u64,
    /// Kept whole; nothing is derived from them.
    pub whole: u64,
    /// Kept as they are: they cannot be indexed.
    pub refused: u64,
    /// Changed or deleted in the meantime: whoever did that has indexed them.
    pub gone: u64,
}

impl Index {
    /// Indexes the kept records of `coll` anew.
    ///
    /// # Errors
    /// The database's; what was done until then stays so, and reindexing again is always right.
    pub async fn reindex(&self, client: &mut Client, coll: Coll) -> Result<Reindexed, IndexError> {
        let mut done = Reindexed { renumbered: adopt::of(client, coll).await?, ..Reindexed::default() };
        let (mut after, mut told) = (reindex::START, Instant::now());
        loop {
            let page = reindex::page(client, coll, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            match self.reindex_page(client, coll, &page, &mut done).await {
                Ok(()) => after = last.at,
                // A key's id is gone: the records that are left are read and prepared again.
                Err(IndexError::Stale) => {}
                Err(other) => return Err(other),
            }
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                info!(collection = coll.nsid(), indexed = done.indexed, whole = done.whole, author = after.author, "reindexing");
            }
        }
        done.indexed += fill::all(client, coll).await?;
        Ok(done)
    }

    async fn reindex_page(&self, client: &mut Client, coll: Coll, page: &[Stored], done: &mut Reindexed) -> Result<(), IndexError> {
        let (mut held, mut events) = (Vec::with_capacity(page.len()), Vec::with_capacity(page.len()));
        for stored in page {
            if let Some(event) = event(coll, stored) {
                held.push(stored);
                events.push(event);
            } else {
                done.refused += 1;
                warn!(did = stored.did, collection = coll.nsid(), rkey = stored.at.rkey, "a kept record cannot be read");
            }
        }
        let batch = Batch { source: Arc::from(""), part: 0, old: Position::LIVE, new: Position::LIVE, events };
        let prepared = self.prepare(client, batch).await?;
        let names = self.names.of(client).await?;
        let pairs: Vec<Record<'_>> = held.into_iter().zip(&prepared.items).collect();
        let mut left = vec![&*pairs];
        while let Some(asked) = left.pop() {
            match transact(client, (&names, &prepared.keys), coll, asked).await {
                Ok(now) => *done += now,
                Err(error) => match (error.sql_state_of_data(), asked) {
                    (None, _) => return Err(error),
                    (Some(state), [(stored, _)]) => {
                        done.refused += 1;
                        warn!(
                            did = stored.did,
                            collection = coll.nsid(),
                            rkey = stored.at.rkey,
                            state,
                            "the database refuses a kept record"
                        );
                    }
                    (Some(_), _) => left.extend(<[_; 2]>::from(asked.split_at(asked.len() / 2))),
                },
            }
        }
        Ok(())
    }
}

/// A record as it was read, and as it is indexed.
type Record<'a> = (&'a Stored, &'a Item);

impl std::ops::AddAssign for Reindexed {
    fn add_assign(&mut self, other: Self) {
        self.renumbered += other.renumbered;
        self.indexed += other.indexed;
        self.whole += other.whole;
        self.refused += other.refused;
        self.gone += other.gone;
    }
}

/// The record as a commit that brings it; `None` where what is stored is no record.
fn event(coll: Coll, stored: &Stored) -> Option<Event> {
    let record = unpack(&stored.record).ok()?;
    let tid = Tid::from_value(stored.at.rkey);
    let op = queue::Op {
        action: Action::Update,
        collection: coll.nsid()?.parse().ok()?,
        rkey: tid.map_or_else(|| stored.alias.clone(), |tid| Some(tid.to_string()))?.parse().ok()?,
        cid: Some(Cid::dag_cbor(&record)),
        prev: None,
        record: Bytes::from(record),
    };
    let time = indexed_at(tid, &op.record, stored.rev);
    let unused = Cid::dag_cbor(b"");
    let commit = queue::Commit {
        rev: stored.rev.unwrap_or_else(|| Tid::from_micros(time, 0)),
        since: None,
        prev_data: None,
        data: unused,
        commit: unused,
        block: None,
        fault: None,
        ops: vec![op],
    };
    Some(Event { seq: 0, time, did: Some(stored.did.parse().ok()?), body: queue::Body::Commit(commit) })
}

/// indexedAt is not kept with a record: the earliest time that its key, its createdAt and its repo's newest commit tell, in microseconds.
fn indexed_at(tid: Option<Tid>, record: &[u8], rev: Option<Tid>) -> i64 {
    let created = Fields::of(record).and_then(|fields| datetime::parse_micros(fields.text("createdAt")?));
    [tid.map(Tid::micros), created, rev.map(Tid::micros)].into_iter().flatten().min().unwrap_or(0).max(0)
}

/// `keys`: the record keys of the items that are no TID, and what remembers them.
async fn transact(
    client: &mut Client,
    (names, keys): (&Names, &[(Alias, i64)]),
    coll: Coll,
    records: &[Record<'_>],
) -> Result<Reindexed, IndexError> {
    let tx = begin(client).await?;
    if !names.hold(&tx, keys.iter()).await? {
        return Err(IndexError::Stale);
    }
    let kept: Vec<Kept<'_>> =
        records.iter().map(|(stored, _)| Kept { path: Path { coll, at: stored.at }, record: &stored.record }).collect();
    let unchanged: HashSet<Ref> = reindex::unchanged(&tx, &kept).await?.into_iter().collect();
    let items: Vec<&Item> = records.iter().map(|(_, item)| *item).collect();
    let mut world = settled::read(&tx, &items, false).await?;
    let mut now = Reindexed::default();
    for (stored, item) in records {
        let path = Path { coll, at: stored.at };
        // What is left of a deleted account is about to go.
        let ended = world.repos.is_deleted(stored.at.author) || world.repos.is_purged(stored.at.author);
        if ended || !unchanged.contains(&stored.at) {
            now.gone += 1;
            continue;
        }
        match put(item) {
            None => now.refused += 1,
            // What stands in a table of its own came later than what was kept for it.
            Some(_) if world.posts.holds(path) || EdgeKind::of(coll).is_some_and(|kind| world.edges.holds(kind, path.at)) => {
                world.kept.remove(path);
                now.gone += 1;
            }
            Some((Row::Whole { derived: Derived::Nothing, .. }, _)) => now.whole += 1,
            Some((row, record)) => {
                world.put(path, row, record, item.time)?;
                world.settle_arrivals(item.time);
                now.indexed += 1;
            }
        }
    }
    write::all(&tx, &world, &[]).await?;
    failpoint::hit("reindex.before_commit");
    tx.commit().await?;
    Ok(now)
}

/// The row and the bytes of a record that can be indexed.
fn put(item: &Item) -> Option<(&Row, &[u8])> {
    let Body::Commit(commit) = &item.body else { return None };
    let op = commit.ops.first()?;
    match &op.verdict {
        Verdict::Put(_, row) => Some((row, &op.record)),
        _ => None,
    }
}
