//! Stores that go back or go away; workers that die.

use std::time::Duration;

use appviewd::queue::Position;

use super::rig::{PARTITIONS, Rig, SOURCE};
use crate::support::eventually;

async fn positions(rig: &Rig) -> Vec<Option<Position>> {
    rig.queue().positions(&SOURCE.into(), PARTITIONS).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_loses_and_doubles_nothing() {
    let mut rig = Rig::start(11).await;
    let (_feeder, _feeding) = rig.feeder();
    let mut head = 0;
    for _ in 0..6 {
        head = rig.send(120);
        // The same process again: its leases are still its own.
        let worker = rig.worker("one");
        let from = rig.smallest_offset().await.unwrap_or(0);
        eventually("it applies something", 30, async || rig.smallest_offset().await.is_some_and(|at| at > from)).await;
        drop(worker);
    }
    let _worker = rig.worker("one");
    rig.applied(head, 60).await;
    rig.check().await;
}

/// The worker is held back (there is none), so that what Redis loses was applied by nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_lost_its_tail_is_sent_it_again() {
    let mut rig = Rig::start(12).await;
    let (feeder, _feeding) = rig.feeder();
    let first = rig.send(50);
    rig.worker_until(first).await;
    let head = rig.send(300);
    eventually("all is queued", 20, async || positions(&rig).await.iter().all(|p| p.is_some_and(|p| p.seq == head))).await;
    let (sent, before) = (feeder.sent(), positions(&rig).await);
    rig.redis.kill();
    let size = rig.redis.aof_len();
    rig.redis.cut_aof(size / 2);
    rig.redis.restart().await;
    eventually("all is queued again", 20, async || feeder.sent() > sent && positions(&rig).await == before).await;
    assert!(feeder.sent() > 350, "nothing was sent twice: {}", feeder.sent());
    rig.worker_until(head).await;
    rig.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_redis_is_begun_and_filled_again() {
    let mut rig = Rig::start(13).await;
    let (feeder, _feeding) = rig.feeder();
    let worker = rig.worker("one");
    let mut head = rig.send(200);
    rig.applied(head, 60).await;
    for _ in 0..3 {
        let (sent, begun) = (feeder.sent(), worker.telemetry.metrics().queue.begun.get("absent"));
        head = rig.send(150);
        eventually("some is queued", 20, async || feeder.sent() > sent).await;
        rig.redis.cli(&["FLUSHALL"]);
        eventually("the worker begins the partitions", 20, async || worker.telemetry.metrics().queue.begun.get("absent") > begun).await;
    }
    rig.applied(head, 60).await;
    rig.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_postgres_is_sent_the_difference_again() {
    let mut rig = Rig::start(14).await;
    let (feeder, _feeding) = rig.feeder();
    let worker = rig.worker("one");
    let first = rig.send(200);
    rig.applied(first, 60).await;
    rig.postgres.stop();
    let backup = rig.postgres.backup();
    rig.postgres.restart().await;
    let head = rig.send(250);
    rig.applied(head, 60).await;
    let keys: Vec<String> = (0..PARTITIONS).map(|part| format!("firehose:events:{{{SOURCE}:{part}}}")).collect();
    eventually("what was applied is trimmed", 20, async || keys.iter().all(|key| rig.redis.cli(&["XLEN", key]).trim() == "0")).await;
    let sent = feeder.sent();
    rig.postgres.stop();
    rig.postgres.restore(&backup);
    rig.postgres.restart().await;
    eventually("streams are begun", 30, async || worker.telemetry.metrics().queue.begun.get("ahead") > 0).await;
    rig.applied(head, 60).await;
    assert!(feeder.sent() > sent, "the difference was not sent again");
    rig.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_away_is_waited_for() {
    let mut rig = Rig::start(15).await;
    let (_feeder, _feeding) = rig.feeder();
    let worker = rig.worker("one");
    let first = rig.send(150);
    rig.applied(first, 60).await;
    assert_eq!(worker.status().problem, None);
    rig.postgres.kill();
    let head = rig.send(300);
    eventually("the worker is not ready", 10, async || worker.status().problem.is_some()).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    eventually("events wait in the queue", 10, async || positions(&rig).await.iter().all(|p| p.is_some_and(|p| p.seq == head))).await;
    rig.postgres.restart().await;
    rig.applied(head, 60).await;
    eventually("the worker is ready again", 10, async || worker.status().problem.is_none()).await;
    rig.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_away_is_waited_for() {
    let mut rig = Rig::start(16).await;
    let (_feeder, _feeding) = rig.feeder();
    let worker = rig.worker("one");
    let first = rig.send(150);
    rig.applied(first, 60).await;
    rig.redis.kill();
    eventually("the worker is not ready", 15, async || worker.status().problem.is_some()).await;
    rig.redis.restart().await;
    let head = rig.send(100);
    rig.applied(head, 60).await;
    eventually("the worker is ready again", 10, async || worker.status().problem.is_none()).await;
    rig.check().await;
}
