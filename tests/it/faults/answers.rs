//! Answers lost after the server has carried the request out: what was done is not known to whoever asked.

use crate::support::proxy::{APPLY_LOCK, Proxy};
use crate::support::redis::script_name;
use crate::support::stack::Stack;

/// Answers that are lost in each test.
const LOST: u64 = 3;

async fn redis_answers_lost(seed: u64, script: &str, times: u64) {
    let mut stack = Stack::start(seed).await;
    let proxy = Proxy::in_front_of(&stack.redis.socket());
    proxy.lose_answers(script_name(script).as_bytes(), times);
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.set("REDIS_URL", proxy.redis_url()).start().await;
    stack.send(400);
    crate::support::eventually("answers are lost", 30, async || proxy.lost() == times).await;
    let last = stack.send(400);
    daemon.applied(last, 60).await;
    stack.equals_model().await;
}

#[tokio::test]
async fn answers_of_append_lost() {
    redis_answers_lost(40, "append", LOST).await;
}

#[tokio::test]
async fn answers_of_advance_lost() {
    redis_answers_lost(41, "advance", LOST).await;
}

#[tokio::test]
async fn answers_of_trim_lost() {
    redis_answers_lost(42, "trim", LOST).await;
}

#[tokio::test]
async fn answers_of_begin_lost() {
    redis_answers_lost(43, "begin", LOST).await;
}

#[tokio::test]
async fn answers_of_commit_lost() {
    let mut stack = Stack::start(44).await;
    let proxy = Proxy::of_postgres(stack.postgres.socket_dir());
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.set("DATABASE_URL", proxy.postgres_url()).start().await;
    let last = stack.send(200);
    daemon.applied(last, 60).await;
    // Interning and the heartbeat commit too; only applying takes this lock.
    proxy.lose_answers_after(APPLY_LOCK, b"COMMIT", LOST);
    for lost in 1..=LOST {
        stack.send(100);
        crate::support::eventually("an answer is lost", 30, async || proxy.lost() >= lost).await;
    }
    let last = stack.send(300);
    daemon.applied(last, 60).await;
    let met = daemon.metric("appviewd_worker_lost_total").await;
    assert!(met >= 1.0, "the compare met no batch that was applied already");
    stack.equals_model().await;
}
