//! Where ingest begins, resumes and stops.

use appviewd::queue::Position;

use super::Bench;
use crate::support::eventually;

#[tokio::test]
async fn a_first_start_reads_what_happens_from_now_on() {
    let mut bench = Bench::new().await;
    bench.send(50);
    bench.begin(Position::LIVE).await;
    let ingest = bench.ingest();
    ingest.connected().await;
    eventually("the relay serves it", 5, async || bench.relay.stats().connections() == 1).await;
    bench.send(100);
    bench.arrived_all().await;
    bench.holds(&bench.frames[50..]).await;
    assert_eq!(bench.relay.stats().cursors(), [None]);
    let telemetry = ingest.stop().await;
    let status = telemetry.status().get().ingest.unwrap();
    assert_eq!((status.source.as_str(), status.seq, status.epoch), (&*bench.source, 150, 0));
    assert_eq!(telemetry.metrics().ingest.events.get(), 100);
}

#[tokio::test]
async fn it_waits_for_a_worker_to_say_where_partitions_stand() {
    let mut bench = Bench::new().await;
    bench.config.relay.cursor = Some(0);
    let ingest = bench.ingest();
    eventually("it says what it waits for", 5, async || {
        ingest.telemetry.status().get().ingest.unwrap().problem.is_some_and(|p| p.contains("worker"))
    })
    .await;
    assert_eq!(bench.relay.stats().connections(), 0);
    bench.send(30);
    bench.begin(Position::LIVE).await;
    bench.arrived_all().await;
    bench.holds_all().await;
    ingest.stop().await;
}

#[tokio::test]
async fn relay_cursor_sets_another_first_start_and_is_ignored_later() {
    let mut bench = Bench::new().await;
    bench.send(60);
    bench.config.relay.cursor = Some(40);
    bench.begin(Position::LIVE).await;
    let ingest = bench.ingest();
    bench.arrived_all().await;
    bench.holds(&bench.frames[40..]).await;
    ingest.stop().await;
    bench.send(20);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    bench.holds(&bench.frames[40..]).await;
    ingest.stop().await;
}

#[tokio::test]
async fn the_old_systems_cursor_is_taken_once() {
    let mut bench = Bench::new().await;
    bench.send(60);
    bench.redis.cli(&["SET", "firehose:python_cursor", "25"]);
    bench.begin(Position::LIVE).await;
    let ingest = bench.ingest();
    bench.arrived_all().await;
    bench.holds(&bench.frames[25..]).await;
    ingest.stop().await;
}

#[tokio::test]
async fn partitions_that_never_had_an_event_join_the_smallest_other() {
    let mut bench = Bench::new().await;
    bench.send(60);
    let queue = bench.queue();
    for (part, at) in [(0, 20), (1, 30)] {
        queue.begin(&bench.streams()[part], Position::new(0, at), true).await.unwrap();
    }
    bench.begin(Position::LIVE).await;
    let ingest = bench.ingest();
    bench.arrived_all().await;
    let queued = bench.queued().await;
    assert!(queued.iter().all(|one| one.event.seq > if one.part == 1 { 30 } else { 20 }));
    let of_frames = bench.frames.iter().filter(|frame| {
        let seen = appviewd::atproto::frame::peek(frame).unwrap();
        let part = appviewd::queue::partition(&seen.did.unwrap().parse().unwrap(), super::PARTS);
        seen.seq > if part == 1 { 30 } else { 20 }
    });
    assert_eq!(queued.len(), of_frames.count());
    ingest.stop().await;
}

#[tokio::test]
async fn a_stop_sends_what_was_read_and_the_next_start_resumes() {
    let mut bench = Bench::new().await;
    bench.config.relay.cursor = Some(0);
    bench.begin(Position::LIVE).await;
    for _ in 0..3 {
        bench.send(200);
        let ingest = bench.ingest();
        eventually("some is read", 10, async || ingest.telemetry.metrics().ingest.events.get() > 0).await;
        ingest.stop().await;
    }
    let ingest = bench.ingest();
    bench.arrived_all().await;
    bench.holds_all().await;
    ingest.stop().await;
}

#[tokio::test]
async fn a_killed_ingest_loses_and_doubles_nothing() {
    let mut bench = Bench::new().await;
    bench.config.relay.cursor = Some(0);
    bench.begin(Position::LIVE).await;
    for round in 0..8 {
        bench.send(150);
        let ingest = bench.ingest();
        eventually("entries are appended", 10, async || ingest.telemetry.metrics().ingest.entries.get() > round % 3).await;
        ingest.kill();
    }
    let ingest = bench.ingest();
    bench.arrived_all().await;
    bench.holds_all().await;
    ingest.stop().await;
}

#[tokio::test]
async fn idle_partitions_move_on_within_a_second_and_a_half() {
    let mut bench = Bench::new().await;
    bench.config.relay.cursor = Some(0);
    bench.begin(Position::LIVE).await;
    let ingest = bench.ingest();
    ingest.connected().await;
    bench.send(1);
    let sent = std::time::Instant::now();
    bench.arrived_all().await;
    assert!(sent.elapsed() < std::time::Duration::from_millis(1500), "{:?}", sent.elapsed());
    assert_eq!(bench.positions().await.len(), usize::from(super::PARTS));
    ingest.stop().await;
}
