//! kill -9 between any two hops, at each named failpoint.

use crate::support::stack::Stack;

/// Everything runs in one process, which dies at `failpoint` with the stream half read, and is started again.
async fn dies_and_loses_nothing(seed: u64, failpoint: &str) {
    let mut stack = Stack::start(seed).await;
    stack.send(600);
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.dies_at(failpoint, 30).await;
    let last = stack.send(600);
    daemon.start().await.applied(last, 60).await;
    stack.equals_model().await;
}

#[tokio::test]
async fn kill_9_before_append() {
    dies_and_loses_nothing(10, "ingest.before_append:3").await;
}

#[tokio::test]
async fn kill_9_after_append() {
    dies_and_loses_nothing(11, "ingest.after_append:3").await;
}

#[tokio::test]
async fn kill_9_after_begin() {
    dies_and_loses_nothing(12, "worker.after_begin").await;
}

#[tokio::test]
async fn kill_9_before_commit() {
    dies_and_loses_nothing(13, "worker.before_commit:2").await;
}

#[tokio::test]
async fn kill_9_after_commit() {
    dies_and_loses_nothing(14, "worker.after_commit").await;
}

#[tokio::test]
async fn kill_9_before_trim() {
    dies_and_loses_nothing(15, "worker.before_trim").await;
}

#[tokio::test]
async fn kill_9_after_trim() {
    dies_and_loses_nothing(16, "worker.after_trim").await;
}
