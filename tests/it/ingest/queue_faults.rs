//! A Redis that loses, forgets, is full or does not answer, and a second ingest.

use std::time::Duration;

use appviewd::queue::{Body, Position};
use appviewd::sandbox::relay::spoil;

use super::Bench;
use crate::support::eventually;
use crate::support::proxy::Proxy;

async fn from_the_beginning() -> Bench {
    let mut bench = Bench::new().await;
    bench.config.relay.cursor = Some(0);
    bench.begin(Position::LIVE).await;
    bench
}

#[tokio::test]
async fn two_ingests_at_once_share_the_work_and_double_nothing() {
    let mut bench = from_the_beginning().await;
    let ingests = [bench.ingest(), bench.ingest()];
    for ingest in &ingests {
        ingest.connected().await;
    }
    for _ in 0..120 {
        bench.send(20);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    bench.arrived_all().await;
    bench.holds_all().await;
    let (mut appended, mut refused) = (Vec::new(), 0);
    for ingest in ingests {
        let telemetry = ingest.stop().await;
        let metrics = &telemetry.metrics().ingest;
        appended.push(metrics.events.get());
        refused += metrics.refused_compares.get();
    }
    assert_eq!(appended.iter().sum::<u64>(), 2400);
    assert!(appended.iter().all(|events| *events >= 240), "each did a tenth at least: {appended:?}");
    assert!(refused > 0, "compares were refused");
}

#[tokio::test]
async fn a_redis_that_lost_its_tail_is_sent_the_difference_again() {
    let mut bench = from_the_beginning().await;
    bench.send(300);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    for _ in 0..3 {
        bench.send(200);
        bench.arrived_all().await;
        let head = bench.relay.log().head().seq;
        let cursors = bench.relay.stats().cursors().len();
        bench.redis.kill();
        bench.redis.cut_aof(30_000);
        bench.redis.restart().await;
        bench.arrived(Position::new(0, head)).await;
        bench.holds_all().await;
        let cursors = bench.relay.stats().cursors().split_off(cursors);
        assert!(cursors.iter().flatten().any(|cursor| *cursor < head - 20), "events were fetched twice: {cursors:?} before {head}");
    }
    let telemetry = ingest.stop().await;
    let ended = &telemetry.metrics().ingest.sessions_ended;
    assert!(ended.get("redis") + ended.get("went_back") >= 3);
    assert_eq!(telemetry.metrics().ingest.epochs.get(), 0);
}

#[tokio::test]
async fn an_emptied_redis_is_filled_again_from_where_the_worker_stands() {
    let mut bench = from_the_beginning().await;
    bench.send(300);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    bench.redis.cli(&["FLUSHALL"]);
    eventually("it waits for the worker", 5, async || ingest.telemetry.metrics().ingest.sessions_ended.get("wait") > 0).await;
    bench.begin(Position::new(0, 100)).await;
    bench.arrived_all().await;
    bench.holds(&bench.frames[100..]).await;
    let queue = bench.queue();
    assert_eq!(queue.sources().await.unwrap(), [bench.source.to_string()]);
    let telemetry = ingest.stop().await;
    assert!(telemetry.metrics().ingest.sessions_ended.get("went_back") >= 1);
}

#[tokio::test]
async fn a_partition_that_was_begun_further_back_is_sent_again() {
    let mut bench = from_the_beginning().await;
    bench.send(300);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    let queue = bench.queue();
    queue.begin(&bench.streams()[2], Position::new(0, 40), false).await.unwrap();
    eventually("the session ends", 5, async || ingest.telemetry.metrics().ingest.sessions_ended.get("went_back") > 0).await;
    bench.arrived_all().await;
    let queued = bench.queued().await;
    let again = queued.iter().filter(|one| one.part == 2).count();
    let of_part = |frame: &&Vec<u8>| {
        let seen = appviewd::atproto::frame::peek(frame).unwrap();
        seen.seq > 40 && appviewd::queue::partition(&seen.did.unwrap().parse().unwrap(), super::PARTS) == 2
    };
    assert_eq!(again, bench.frames.iter().filter(of_part).count());
    ingest.stop().await;
}

#[tokio::test]
async fn lost_answers_end_sessions_and_lose_nothing() {
    let mut bench = from_the_beginning().await;
    let proxy = Proxy::in_front_of(&bench.redis.socket());
    let ingest = bench.ingest_at(&proxy.redis_url());
    ingest.connected().await;
    for round in 0..6 {
        let part = format!("{{{}:{}}}", bench.source, round % super::PARTS);
        proxy.lose_answers(part.as_bytes(), 1);
        bench.send(100);
        bench.arrived_all().await;
        eventually("an answer is lost", 10, async || proxy.lost() > u64::from(round)).await;
    }
    bench.arrived_all().await;
    bench.holds_all().await;
    let telemetry = ingest.stop().await;
    assert_eq!(proxy.lost(), 6);
    assert!(telemetry.metrics().ingest.sessions_ended.get("redis") >= 3);
}

#[tokio::test]
async fn a_full_redis_blocks_the_relay_and_nothing_is_lost() {
    let mut bench = from_the_beginning().await;
    bench.send(50);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    bench.redis.cli(&["CONFIG", "SET", "maxmemory", "100000"]);
    // Large frames (their blocks are spoiled, so they are rejected, and rejects are queued too) fill the buffers in between.
    for _ in 0..1500 {
        let made = bench.network.next_event().unwrap();
        let frame = spoil::oversize(&made.frame, 40_000).unwrap_or(made.frame);
        bench.relay.log().push(made.seq, frame.clone());
        bench.frames.push(frame);
    }
    eventually("the relay's send side is blocked", 20, async || {
        bench.relay.stats().blocked().is_some_and(|blocked| blocked.waiting > Duration::from_secs(1))
    })
    .await;
    let blocked_at = bench.relay.stats().blocked().unwrap().seq;
    assert!(bench.relay.log().count_after(blocked_at) > 100, "more has arrived than buffers take");
    assert!(bench.redis.cli(&["INFO", "errorstats"]).contains("errorstat_OOM"), "Redis refused");
    assert!(ingest.telemetry.status().get().ingest.unwrap().held_back);
    assert_eq!(bench.relay.stats().connections(), 1, "the connection is kept");
    bench.redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    bench.arrived_all().await;
    bench.holds_all().await;
    let telemetry = ingest.stop().await;
    assert!(telemetry.metrics().ingest.rejects.get("blocks") > 1000);
}

#[tokio::test]
async fn above_the_high_water_mark_the_relay_is_not_read() {
    let mut bench = from_the_beginning().await;
    let used = bench.queue().memory().await.unwrap().used;
    bench.config.queue.high_water = used + 4_000_000;
    bench.redis.cli(&["EVAL", "redis.call('SET', 'ballast', string.rep('x', 8000000))", "0"]);
    let ingest = bench.ingest();
    eventually("it holds back", 10, async || ingest.telemetry.metrics().ingest.held_back.get() == 1).await;
    ingest.connected().await;
    bench.send(100);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(ingest.telemetry.metrics().ingest.events.get(), 0);
    assert!(bench.queued().await.is_empty());
    bench.redis.cli(&["DEL", "ballast"]);
    bench.arrived_all().await;
    bench.holds_all().await;
    ingest.stop().await;
}

#[tokio::test]
async fn a_redis_that_may_lose_entries_is_refused() {
    let bench = Bench::with_redis(&["--maxmemory-policy", "allkeys-lru"]).await;
    let ingest = bench.ingest();
    let error = ingest.task.await.unwrap().unwrap_err().to_string();
    assert!(error.contains("noeviction") && error.contains("allow_lossy"), "{error}");
}

#[tokio::test]
async fn rejects_carry_why() {
    let mut bench = from_the_beginning().await;
    bench.send(30);
    let made = bench.network.next_event().unwrap();
    let Ok(spoilt) = spoil::wrong_block(&made.frame) else { panic!("seed 11 sends a commit here") };
    bench.relay.log().push(made.seq, spoilt.clone());
    bench.frames.push(spoilt);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    bench.holds_all().await;
    let queued = bench.queued().await;
    let reasons: Vec<_> =
        queued.iter().filter_map(|one| if let Body::Reject { reason, .. } = &one.event.body { Some(reason) } else { None }).collect();
    assert!(matches!(&reasons[..], [reason] if reason.starts_with("blocks: a block that does not hash")), "{reasons:?}");
    ingest.stop().await;
}
