//! The index alone, given the network's messages in batches of chance: it must hold what the oracle expects.

use std::sync::Arc;

use appviewd::atproto::car::Car;
use appviewd::atproto::commit::SignedCommit;
use appviewd::atproto::frame::{CommitFrame, Frame, OpFrame, SyncFrame};
use appviewd::atproto::{Position, datetime};
use appviewd::config::database::Database;
use appviewd::db::pool::Pools;
use appviewd::db::{migrate, offset};
use appviewd::index::{Batch, Index, IndexError};
use appviewd::queue::{Action, Body, Commit, Event, Op};
use appviewd::sandbox::{Network, Oracle};
use bytes::Bytes;
use deadpool_postgres::Client;

use crate::support::postgres::Postgres;
use crate::support::{dump, judge};

/// The event of a good frame, without any judging.
fn event(bytes: &[u8]) -> Event {
    let frame = Frame::parse(bytes).unwrap();
    let (did, time, body) = match &frame {
        Frame::Commit(f) => (f.repo, f.time, Body::Commit(commit(f))),
        Frame::Sync(f) => (f.did, f.time, sync(f)),
        Frame::Identity(f) => (f.did, f.time, Body::Identity { handle: f.handle.map(str::to_owned) }),
        Frame::Account(f) => (f.did, f.time, Body::Account { active: f.active, status: f.status.map(str::to_owned) }),
        other => panic!("{other:?}"),
    };
    Event { seq: frame.seq().unwrap(), time: datetime::parse_micros(time).unwrap(), did: Some(did.parse().unwrap()), body }
}

fn commit(frame: &CommitFrame<'_>) -> Commit {
    let car = Car::parse(frame.blocks).unwrap();
    let data = SignedCommit::decode(car.get(&frame.commit).unwrap()).unwrap().data;
    Commit {
        rev: frame.rev.parse().unwrap(),
        since: frame.since.map(|since| since.parse().unwrap()),
        prev_data: frame.prev_data,
        data,
        commit: frame.commit,
        block: None,
        fault: None,
        ops: frame.ops.iter().map(|o| op(o, &car)).collect(),
    }
}

fn op(op: &OpFrame<'_>, car: &Car<'_>) -> Op {
    let (collection, rkey) = op.path.split_once('/').unwrap();
    let action = match op.action {
        "create" => Action::Create,
        "update" => Action::Update,
        _ => Action::Delete,
    };
    let record = op.cid.map_or_else(Bytes::new, |cid| Bytes::copy_from_slice(car.get(&cid).unwrap()));
    Op { action, collection: collection.parse().unwrap(), rkey: rkey.parse().unwrap(), cid: op.cid, prev: op.prev, record }
}

fn sync(frame: &SyncFrame<'_>) -> Body {
    let car = Car::parse(frame.blocks).unwrap();
    let data = SignedCommit::decode(car.get(&car.root()).unwrap()).unwrap().data;
    Body::Sync { rev: frame.rev.parse().unwrap(), data, commit: car.root() }
}

/// The stream's host.
const SOURCE: &str = "relay.example";

/// Applies the messages in batches of chance, in one pipeline. A batch ends with a deletion and is followed by the purge: what comes later
/// finds the account gone, as it is in the order of the stream.
async fn apply(client: &mut Client, frames: &[Vec<u8>], rng: &mut fastrand::Rng) {
    let source: Arc<str> = SOURCE.into();
    offset::insert_missing(client, &source, 1, Position::new(0, 0)).await.unwrap();
    let index = Index::new(appviewd::config::index::Index::default());
    let mut at = Position::new(0, 0);
    while let Some(rest) = frames.get(usize::try_from(at.seq).unwrap()..).filter(|rest| !rest.is_empty()) {
        let most = rng.usize(1..300).min(rest.len());
        let now = &rest[..rest[..most].iter().position(|frame| is_deletion(frame)).map_or(most, |at| at + 1)];
        let events: Vec<_> = now.iter().map(|f| event(f)).collect();
        let new = Position::new(0, events.last().unwrap().seq);
        let batch = Batch { source: Arc::clone(&source), part: 0, old: at, new, events };
        let prepared = index.prepare(client, batch).await.unwrap();
        at = match index.apply(client, &[prepared]).await {
            Ok(_) => new,
            Err(IndexError::Purging(purging)) => {
                let waiting = purging.waiting[0].clone();
                while index.purge(client, waiting.account).await.unwrap().is_some_and(|purged| !purged.done) {}
                waiting.reached
            }
            // A purge took a name away that was known: the batch is prepared again.
            Err(IndexError::Stale) => at,
            Err(error) => panic!("{error}"),
        };
        while index.purge_some(client).await.unwrap().is_some() {}
    }
}

fn is_deletion(frame: &[u8]) -> bool {
    matches!(Frame::parse(frame).unwrap(), Frame::Account(frame) if frame.status == Some("deleted"))
}

/// A database to which the index applied so many messages of the network, and what the oracle expects of it: everything is equal.
pub async fn holds_what_is_expected(seed: u64, network: Network, events: usize) -> (Postgres, Oracle) {
    let (postgres, oracle, _) = applied(seed, network, events).await;
    (postgres, oracle)
}

/// The same with the messages.
pub async fn applied(seed: u64, mut network: Network, events: usize) -> (Postgres, Oracle, Vec<Vec<u8>>) {
    let postgres = Postgres::start().await;
    let pools = Pools::new(&Database { url: Some(postgres.url()), pool_size: 4, ..Database::default() }).unwrap();
    migrate::with_pool(&pools.writer).await.unwrap();
    let frames: Vec<_> = (0..events).map(|_| network.next_event().unwrap().frame).collect();
    apply(&mut pools.writer.get().await.unwrap(), &frames, &mut fastrand::Rng::with_seed(seed)).await;
    let (client, oracle) = (postgres.connect().await, Oracle::of(&frames, network.invalid()));
    judge::compare_in_order(&dump::lines(&client).await, &oracle).assert_equal(&format!("seed {seed}"));
    assert_eq!(dump::miscounts(&client).await, Vec::<String>::new(), "counts and rows");
    assert_eq!(dump::unsearched(&client).await, Vec::<String>::new(), "tokens and records");
    (postgres, oracle, frames)
}

#[tokio::test]
async fn the_index_holds_what_the_oracle_expects() {
    for seed in 100..102 {
        holds_what_is_expected(seed, Network::new(seed, 25), 3000).await;
    }
}

/// Gates change under living threads, answered posts go, accounts are born again: in the order of the stream all of it is certain.
#[tokio::test]
async fn in_order_the_index_holds_the_hardest_network_exactly() {
    for seed in 200..202 {
        holds_what_is_expected(seed, Network::new(seed, 25).dense().tangled(), 3000).await;
    }
}
