//! `bench api`: its data is what the index would have made of the same records, a small run ends and tells what happened.

use std::process::Stdio;
use std::sync::Arc;

use appviewd::atproto::{Cid, Tid};
use appviewd::bench::api::Data;
use appviewd::config::database::Database;
use appviewd::db::pool::{self, Pools};
use appviewd::db::{migrate, offset};
use appviewd::index::{Batch, Index};
use appviewd::queue::{Action, Body, Commit, Event, Op, Position};
use bytes::Bytes;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::ingest::bench;
use crate::support::dump::{self, Record};
use crate::support::eventually;
use crate::support::postgres::Postgres;

/// The least that can be made.
const RECORDS: u32 = 10_000;
/// Seconds for making the data and measuring, in a debug build on a busy machine.
const END_SECS: u64 = 240;

#[tokio::test]
async fn data_is_what_the_index_makes_of_its_records() {
    let (made, applied) = (Postgres::start().await, Postgres::start().await);
    let folder = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let data = Data::of(folder.path(), &made.url(), 3, RECORDS, &stop).await.unwrap();
    assert_eq!(Data::of(folder.path(), &made.url(), 3, RECORDS, &stop).await.unwrap(), data, "it is made once");
    let other = Data::of(folder.path(), &made.url(), 4, RECORDS, &stop).await.unwrap_err().to_string();
    assert!(other.contains("other data (seed 3"), "{other}");
    let client = pool::writer(&made.url(), 1).unwrap().get().await.unwrap();
    let records = dump::records(&client).await;
    assert_eq!(records.len(), usize::try_from(RECORDS).unwrap());
    assert_eq!(dump::miscounts(&client).await, Vec::<String>::new());
    apply(&applied, records).await;
    let held = lines(&client).await;
    let expected = lines(&pool::writer(&applied.url(), 1).unwrap().get().await.unwrap()).await;
    let missing: Vec<_> = expected.iter().filter(|line| held.binary_search(line).is_err()).take(5).collect();
    let extra: Vec<_> = held.iter().filter(|line| expected.binary_search(line).is_err()).take(5).collect();
    assert!(missing.is_empty() && extra.is_empty() && held.len() == expected.len(), "missing {missing:#?}, not to be there {extra:#?}");
    for word in ["notif ", "count ", "thread ", "edge "] {
        assert!(held.iter().any(|line| line.starts_with(word)), "{word}");
    }
}

/// What a database holds, but for repos: made data has no trees.
async fn lines(client: &tokio_postgres::Client) -> Vec<String> {
    let mut lines = dump::lines(client).await;
    lines.retain(|line| !line.starts_with("repo "));
    lines
}

/// Has the index apply the records, one a commit, oldest first.
async fn apply(postgres: &Postgres, mut records: Vec<Record>) {
    let pools = Pools::new(&Database { url: Some(postgres.url()), ..Database::default() }).unwrap();
    migrate::with_pool(&pools.writer).await.unwrap();
    let (index, mut client) = (Index::new(appviewd::config::index::Index::default()), pools.writer.get().await.unwrap());
    let mut at = Position::LIVE;
    offset::insert_missing(&client, "relay", 1, at).await.unwrap();
    // Keys that are no TIDs are of profiles, which come first.
    let rev = |record: &Record| record.rkey.parse::<Tid>().unwrap_or(Tid::from_micros(1, 0));
    records.sort_by_key(rev);
    for some in records.chunks(1_000) {
        let events: Vec<Event> = some.iter().zip(at.seq + 1..).map(|(record, seq)| event(record, rev(record), seq)).collect();
        let new = Position::new(0, events.last().unwrap().seq);
        let batch = Batch { source: Arc::from("relay"), part: 0, old: at, new, events };
        let prepared = index.prepare(&mut client, batch).await.unwrap();
        let applied = index.apply(&mut client, &[prepared]).await.unwrap();
        assert_eq!((applied.created, applied.dead_letters), (u64::try_from(some.len()).unwrap(), 0), "{applied:?}");
        at = new;
    }
}

fn event(record: &Record, rev: Tid, seq: i64) -> Event {
    let cid = Some(Cid::dag_cbor(&record.bytes));
    let bytes = Bytes::from(record.bytes.clone());
    let (collection, rkey) = (record.collection.parse().unwrap(), record.rkey.parse().unwrap());
    let ops = vec![Op { action: Action::Create, collection, rkey, cid, prev: None, record: bytes }];
    let root = Cid::dag_cbor(b"root");
    let commit = Commit { rev, since: None, prev_data: None, data: root, commit: root, block: None, fault: None, ops };
    Event { seq, time: rev.micros() + 1_000_000, did: Some(record.did.parse().unwrap()), body: Body::Commit(commit) }
}

#[tokio::test]
async fn a_small_run_ends_and_tells_what_happened() {
    let dir = crate::daemon::embedded::open_folder();
    let json = dir.path().join("figures.json");
    let mut command = bench(dir.path(), "api", &["--records", "10000", "--seconds", "1", "--connections", "2"]);
    command.args(["--only", "one row,profile,timeline of 15"]).arg("--json").arg(&json);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("the benchmark ends", END_SECS, async || child.try_wait().unwrap().is_some()).await;
    let output = child.wait_with_output().unwrap();
    let (out, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{log}\n{out}");
    let figures: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let methods = figures["methods"].as_array().unwrap();
    let names: Vec<_> = methods.iter().map(|method| method["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["one row", "profile", "profile, signed in", "timeline of 15"]);
    for method in methods {
        let closed = &method["closed"][0];
        assert_eq!((&closed["connections"], &closed["errors"]), (&2.into(), &0.into()), "{method:#}");
        assert!(closed["per_second"].as_f64().unwrap() > 1.0 && closed["latency"]["p50"].as_f64().unwrap() > 0.0, "{method:#}");
        assert!(closed["cost"]["daemon"].as_f64().unwrap() > 1.0 && closed["cost"]["postgres"].as_f64().unwrap() > 1.0, "{method:#}");
    }
    let rates: Vec<_> = methods[1]["open"].as_array().unwrap().iter().map(|open| open["rate"].as_u64().unwrap()).collect();
    assert_eq!(rates, [1_000, 3_000]);
    assert!(out.contains("at saturation") && out.contains("at a given rate") && out.contains("timeline of 15"), "{out}");
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["figures.json"]);
}
