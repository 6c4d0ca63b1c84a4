//! Offsets: moved by compare-and-set, with the data or not at all.

use std::sync::Arc;

use appviewd::atproto::Position;
use appviewd::db::{lock, offset};
use appviewd::index::{Batch, IndexError};

use super::kit::*;

#[tokio::test]
async fn a_batch_whose_offset_has_moved_is_lost_and_leaves_nothing() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let batch = desk.batch(vec![alice.commit([create(POST, 1, &post("x", 1))])]);
    let (first, second) = (desk.prepare(batch.clone()).await, desk.prepare(batch).await);
    desk.index.apply(&mut desk.client, &[first]).await.unwrap();
    let before = desk.lines().await;
    let lost = desk.index.apply(&mut desk.client, &[second]).await;
    assert!(matches!(lost, Err(IndexError::Lost)), "{lost:?}");
    assert_eq!(desk.lines().await, before);
}

#[tokio::test]
async fn one_lost_batch_takes_the_others_of_its_transaction_along() {
    let (mut desk, mut alice, mut bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
    let good = desk.batch(vec![alice.commit([create(POST, 1, &post("x", 1))])]);
    let bad = Batch { part: 1, old: Position::new(0, 99), new: Position::new(0, 100), ..desk.batch(vec![bob.commit([])]) };
    let (good, bad) = (desk.prepare(good).await, desk.prepare(bad).await);
    let prepared = [good, bad];
    assert!(matches!(desk.index.apply(&mut desk.client, &prepared).await, Err(IndexError::Lost)));
    assert_eq!(desk.number("SELECT count(*) FROM post").await, 0);
    assert_eq!(desk.number("SELECT max(seq) FROM stream_offset").await, 0);
    desk.index.apply(&mut desk.client, &prepared[..1]).await.unwrap();
    assert_eq!(desk.number("SELECT count(*) FROM post").await, 1);
}

#[tokio::test]
async fn an_empty_batch_moves_its_offset() {
    let mut desk = Desk::open().await;
    let batch = Batch { new: Position::new(0, 77), ..desk.batch(Vec::new()) };
    let prepared = desk.prepare(batch).await;
    desk.index.apply(&mut desk.client, &[prepared]).await.unwrap();
    let offsets = offset::read(&desk.client, &[SOURCE, "elsewhere"]).await.unwrap();
    assert_eq!(offsets.iter().map(|o| o.at.seq).collect::<Vec<_>>(), [77, 0, 0, 0]);
    assert_eq!(offset::all(&desk.client).await.unwrap(), offsets);
}

#[tokio::test]
async fn the_commit_that_leaves_live_is_synchronous_and_others_are_not() {
    let mut desk = Desk::open().await;
    let note = "CREATE TABLE noted (seq int8, setting text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO noted VALUES (NEW.seq, current_setting('synchronous_commit')); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER note AFTER UPDATE ON stream_offset DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()";
    desk.client.batch_execute(note).await.unwrap();
    offset::insert_missing(&desk.client, "new.test", 1, Position::LIVE).await.unwrap();
    for (old, new) in [(Position::LIVE, Position::new(0, 5)), (Position::new(0, 5), Position::new(0, 6))] {
        let batch = Batch { source: Arc::from("new.test"), part: 0, old, new, events: Vec::new() };
        let prepared = desk.prepare(batch).await;
        desk.index.apply(&mut desk.client, &[prepared]).await.unwrap();
    }
    assert_eq!(desk.number("SELECT count(*) FROM noted WHERE (seq = 5) = (setting = 'on')").await, 2);
}

#[tokio::test]
async fn applying_waits_for_the_apply_lock() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let prepared = [desk.prepare(desk.batch(vec![alice.commit([])])).await];
    let mut other = desk.pools.writer.get().await.unwrap();
    let holder = other.transaction().await.unwrap();
    lock::apply(&holder).await.unwrap();
    let watcher = desk.pools.writer.get().await.unwrap();
    let waits = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        crate::support::eventually("apply waits", 20, async || watcher.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 1).await;
        let seq: i64 = watcher.query_one("SELECT max(seq) FROM stream_offset", &[]).await.unwrap().get(0);
        assert_eq!(seq, 0);
        holder.rollback().await.unwrap();
    };
    let (applied, ()) = tokio::join!(desk.index.apply(&mut desk.client, &prepared), waits);
    assert_eq!(applied.unwrap().commits, 1);
}
