//! Redis loses its newest writes, loses everything, or is full.

use crate::support::daemon::Daemon;
use crate::support::eventually;
use crate::support::stack::Stack;

/// An ingest and a worker in processes of their own, with everything so far applied.
async fn two_processes(stack: &mut Stack) -> (Daemon, Daemon) {
    let (mut ingest, mut worker) = (stack.daemon("ingest", "ingest"), stack.daemon("worker", "worker"));
    worker.start().await;
    ingest.start().await;
    let last = stack.send(500);
    worker.applied(last, 60).await;
    (ingest, worker)
}

#[tokio::test]
async fn redis_restarted_from_an_aof_whose_tail_was_cut() {
    let mut stack = Stack::start(20).await;
    let (ingest, worker) = two_processes(&mut stack).await;
    worker.freeze();
    let before = stack.redis.aof_len();
    let last = stack.send(800);
    eventually("ingest has queued everything", 20, async || stack.queued(last)).await;
    let (frames, positions) = (stack.relay.stats().frames(), stack.positions());
    ingest.freeze();
    stack.redis.kill();
    stack.redis.cut_aof((stack.redis.aof_len() - before) / 2);
    stack.redis.restart().await;
    let cut = stack.positions();
    assert!(cut.iter().zip(&positions).any(|(now, then)| now < then), "no position went back: {positions:?} to {cut:?}");
    ingest.thaw();
    eventually("ingest has queued everything again", 20, async || stack.queued(last)).await;
    assert!(stack.relay.stats().frames() > frames, "nothing was fetched twice");
    worker.thaw();
    let last = stack.send(200);
    worker.applied(last, 60).await;
    stack.equals_model().await;
}

#[tokio::test]
async fn redis_emptied() {
    let mut stack = Stack::start(21).await;
    let (ingest, worker) = two_processes(&mut stack).await;
    worker.freeze();
    let last = stack.send(800);
    eventually("ingest has queued everything", 20, async || stack.queued(last)).await;
    let frames = stack.relay.stats().frames();
    stack.redis.cli(&["FLUSHALL"]);
    assert!(stack.positions().is_empty(), "the positions are still there");
    worker.thaw();
    let last = stack.send(200);
    worker.applied(last, 60).await;
    assert!(stack.relay.stats().frames() >= frames + 1000, "the events that Redis lost were not fetched again");
    assert!(worker.metric("appviewd_queue_begun_total").await > 0.0);
    stack.equals_model().await;
    drop(ingest);
}

#[tokio::test]
async fn redis_full() {
    let mut stack = Stack::with_redis(22, &["--maxmemory", "64mb", "--maxmemory-policy", "noeviction"]).await;
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.start().await;
    let last = stack.send(300);
    daemon.applied(last, 60).await;
    // Full from one moment to the next, in the middle of the stream, before ingest can have read how much is used.
    let arriving = stack.send(50);
    stack.redis.cli(&["CONFIG", "SET", "maxmemory", "1mb"]);
    stack.send(50);
    eventually("Redis refuses an append", 20, async || stack.redis.cli(&["INFO", "errorstats"]).contains("errorstat_OOM")).await;
    eventually("its error is seen", 20, async || daemon.said().contains("Redis is full")).await;
    let mut last = arriving;
    eventually("the relay's send side is blocked", 40, async || {
        last = stack.send(500);
        stack.relay.stats().blocked().is_some_and(|b| b.waiting.as_millis() > 300)
    })
    .await;
    let blocked = stack.relay.stats().blocked().unwrap();
    last = stack.send(1000).max(last);
    assert!(stack.relay.log().count_after(blocked.seq) >= 1000, "fewer than 1,000 events arrived meanwhile");
    stack.redis.cli(&["CONFIG", "SET", "maxmemory", "256mb"]);
    daemon.applied(last, 60).await;
    stack.equals_model().await;
}
