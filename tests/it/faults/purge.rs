//! kill -9 in the middle of removing a deleted account's rows.

use appviewd::atproto::frame::{AccountFrame, Frame};

use crate::support::dump::miscounts;
use crate::support::eventually;
use crate::support::owned::owned;
use crate::support::stack::Stack;

#[tokio::test]
async fn kill_9_between_the_batches_of_a_purge() {
    let mut stack = Stack::start(70).await;
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.start().await;
    let last = stack.send(500);
    daemon.applied(last, 60).await;
    daemon.kill();
    let client = stack.postgres.connect().await;
    let most = "SELECT a.id, a.did FROM post p JOIN account a ON a.id = p.author GROUP BY 1, 2 ORDER BY count(*) DESC, 1 LIMIT 1";
    let row = client.query_one(most, &[]).await.unwrap();
    let (account, did): (i32, String) = (row.get(0), row.get(1));
    // More rows than the network makes; they count nothing, so that the oracle need not know of them.
    let many = "INSERT INTO \"like\" (rkey, sr, author, sa, flags) SELECT n, n, $1, $1, 8 FROM generate_series(1, 12000) n";
    client.execute(many, &[&account]).await.unwrap();
    let seq = last + 1;
    let frame = AccountFrame { seq, did: &did, time: "2026-06-01T00:00:00Z", active: false, status: Some("deleted") };
    let frame = Frame::Account(frame).encode();
    stack.relay.log().push(seq, frame.clone());
    stack.frames.push(frame);
    daemon.dies_at("worker.after_purge_batch:2", 30).await;
    let left: i64 = client.query_one("SELECT count(*) FROM \"like\" WHERE author = $1", &[&account]).await.unwrap().get(0);
    assert!((1..12_000).contains(&left), "it did not die in the middle: {left}");
    assert_eq!(miscounts(&client).await, [""; 0], "each batch takes back its own counts");
    daemon.start().await.applied(seq, 60).await;
    eventually("the purge is over", 30, async || daemon.metric("appviewd_worker_purges_total").await > 0.0).await;
    eventually("/status tells of no purge", 10, async || daemon.number("/worker/purges").await == Some(0)).await;
    let rows = owned(&client, &did).await;
    assert!(rows.iter().all(|(place, _)| place == "rkey_alias.author"), "{rows:?}");
    stack.equals_model().await;
    assert!(daemon.said().contains("removed the rows of a deleted account"));
}
