//! The index alone, given the network's messages in batches of chance: it must hold what the oracle expects.

use std::sync::Arc;

use appviewd::atproto::car::Car;
use appviewd::atproto::commit::SignedCommit;
use appviewd::atproto::frame::{CommitFrame, Frame, OpFrame, SyncFrame};
use appviewd::atproto::{Position, datetime};
use appviewd::config::database::Database;
use appviewd::db::pool::Pools;
use appviewd::db::{migrate, offset};
use appviewd::index::{Batch, Index};
use appviewd::queue::{Action, Body, Commit, Event, Op};
use appviewd::sandbox::{Network, Oracle};
use bytes::Bytes;

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

#[tokio::test]
async fn the_index_holds_what_the_oracle_expects() {
    for seed in 100..102 {
        let postgres = Postgres::start().await;
        let pools = Pools::new(&Database { url: Some(postgres.url()), pool_size: 4, ..Database::default() }).unwrap();
        migrate::with_pool(&pools.writer).await.unwrap();
        let mut client = pools.writer.get().await.unwrap();
        let source: Arc<str> = "relay.example".into();
        offset::insert_missing(&client, &source, 1, Position::new(0, 0)).await.unwrap();
        let (index, mut rng, mut network) =
            (Index::new(appviewd::config::index::Index::default()), fastrand::Rng::with_seed(seed), Network::new(seed, 25));
        let frames: Vec<_> = (0..3000).map(|_| network.next_event().unwrap().frame).collect();
        let (mut rest, mut old) = (&frames[..], Position::new(0, 0));
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rng.usize(1..300).min(rest.len()));
            let events: Vec<_> = now.iter().map(|f| event(f)).collect();
            let new = Position::new(0, events.last().unwrap().seq);
            let batch = Batch { source: Arc::clone(&source), part: 0, old, new, events };
            let prepared = index.prepare(&mut client, batch).await.unwrap();
            index.apply(&mut client, &[prepared]).await.unwrap();
            (rest, old) = (later, new);
        }
        let held = dump::lines(&postgres.connect().await).await;
        judge::compare_in_order(&held, &Oracle::of(&frames, network.invalid())).assert_equal(&format!("seed {seed}"));
    }
}
