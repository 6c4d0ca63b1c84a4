//! PostgreSQL goes back to an older state, or is away.

use std::time::Duration;

use crate::support::eventually;
use crate::support::stack::Stack;

#[tokio::test]
async fn an_older_postgresql_restored() {
    let mut stack = Stack::start(30).await;
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.start().await;
    let last = stack.send(400);
    daemon.applied(last, 60).await;
    stack.postgres.stop();
    let backup = stack.postgres.backup();
    stack.postgres.restart().await;
    let last = stack.send(600);
    daemon.applied(last, 60).await;
    eventually("the queue is trimmed behind what the backup knows", 20, async || {
        let floors = stack.floors();
        !floors.is_empty() && floors.iter().all(|floor| *floor > 400)
    })
    .await;
    let frames = stack.relay.stats().frames();
    daemon.freeze();
    stack.postgres.stop();
    stack.postgres.restore(&backup);
    stack.postgres.restart().await;
    let offsets = stack.offsets().await;
    assert!(offsets.iter().all(|offset| *offset <= 400), "the restored PostgreSQL is no older: {offsets:?}");
    daemon.thaw();
    let last = stack.send(300);
    daemon.applied(last, 60).await;
    assert!(stack.relay.stats().frames() >= frames + 900, "the difference was not fetched again");
    assert!(daemon.metric("appviewd_queue_begun_total").await > 0.0, "no partition was begun anew");
    stack.equals_model().await;
}

#[tokio::test]
async fn postgresql_away_for_ten_seconds() {
    let mut stack = Stack::start(31).await;
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.start().await;
    let last = stack.send(300);
    daemon.applied(last, 60).await;
    stack.postgres.kill();
    let last = stack.send(700);
    eventually("/ready is red", 10, async || daemon.get("/ready").await.is_some_and(|page| page.contains("worker"))).await;
    eventually("ingest goes on without PostgreSQL", 10, async || stack.queued(last)).await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(daemon.number("/worker/applied_seq").await.unwrap() < last, "applied without PostgreSQL");
    stack.postgres.restart().await;
    daemon.applied(last, 60).await;
    stack.equals_model().await;
}
