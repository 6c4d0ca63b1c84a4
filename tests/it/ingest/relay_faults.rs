//! Relays that drop, repeat, rewind, renumber, stall, and send what cannot be read.

use appviewd::atproto::frame::{Frame, MAX_FRAME};
use appviewd::queue::{Body, Position};
use appviewd::sandbox::relay::{Fault, spoil};

use super::{Bench, seqs};
use crate::support::eventually;

async fn from_the_beginning() -> Bench {
    let mut bench = Bench::new().await;
    bench.config.relay.cursor = Some(0);
    bench.begin(Position::LIVE).await;
    bench
}

#[tokio::test]
async fn drops_repeats_and_rewinds_lose_and_double_nothing() {
    let mut bench = from_the_beginning().await;
    bench.send(400);
    let faults = bench.relay.faults();
    faults.once(50, Fault::Repeat(20));
    faults.once(120, Fault::Rewind(60));
    faults.once(200, Fault::Drop);
    faults.once(260, Fault::Error { error: "ConsumerTooSlow", message: "too slow" });
    faults.once(300, Fault::Drop);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    bench.holds_all().await;
    let metrics = ingest.stop().await;
    for (fault, times) in [("repeat", 1), ("rewind", 1), ("drop", 2), ("consumer-too-slow", 1)] {
        assert_eq!(bench.relay.faults().happened(fault), times, "{fault}");
    }
    let metrics = &metrics.metrics().ingest;
    assert!(metrics.passed_over.get() >= 80, "repeated and rewound events are passed over: {}", metrics.passed_over.get());
    assert_eq!((metrics.epochs.get(), metrics.sessions_ended.get("consumer_too_slow")), (0, 1));
}

#[tokio::test]
async fn a_relay_that_says_nothing_is_left_though_it_answers_pings() {
    let mut bench = from_the_beginning().await;
    bench.config.relay.stall_seconds = 1;
    bench.send(100);
    bench.relay.faults().once(60, Fault::Stall);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    bench.holds_all().await;
    let telemetry = ingest.stop().await;
    assert_eq!(bench.relay.faults().happened("stall"), 1);
    assert!(telemetry.metrics().ingest.sessions_ended.get("stalled") >= 1);
}

/// Events of the first epoch, then gaps, then all of the second, in every partition.
async fn renumbered(mut bench: Bench, first: i64) {
    bench.send(100);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    eventually("the newest frame is written down", 5, async || {
        bench.queue().seen(&bench.source).await.unwrap().is_some_and(|seen| seen.seq == 100)
    })
    .await;
    bench.relay.log().renumber(first).unwrap();
    let last = bench.relay.log().head().seq;
    bench.arrived(Position::new(1, last)).await;
    let queued = bench.queued().await;
    let epochs = |epoch| queued.iter().filter(|one| one.epoch == epoch).cloned().collect::<Vec<_>>();
    assert_eq!(seqs(&epochs(0), |_| true), (1..=100).collect::<Vec<_>>());
    let second = epochs(1);
    assert_eq!(seqs(&second, |body| !matches!(body, Body::Gap { .. })), (first..=last).collect::<Vec<_>>());
    assert_eq!(seqs(&second, |body| matches!(body, Body::Gap { .. })), [first - 1; super::PARTS as usize]);
    let telemetry = ingest.stop().await;
    assert_eq!(telemetry.metrics().ingest.epochs.get(), 1);
    assert_eq!(telemetry.status().get().ingest.unwrap().epoch, 1);
    // The new numbers are those of old from here on.
    let ingest = bench.ingest();
    ingest.connected().await;
    bench.arrived(Position::new(1, last)).await;
    let telemetry = ingest.stop().await;
    assert_eq!(telemetry.metrics().ingest.epochs.get(), 0);
    assert_eq!(bench.queued().await.len(), queued.len());
}

#[tokio::test]
async fn lower_numbers_are_a_new_epoch() {
    let mut bench = from_the_beginning().await;
    // Only the newest ten are kept, so that the relay ends far below the cursor.
    bench.send(100);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    eventually("the newest frame is written down", 5, async || bench.queue().seen(&bench.source).await.unwrap().is_some()).await;
    bench.relay.log().forget(90);
    bench.relay.log().renumber(1).unwrap();
    bench.arrived(Position::new(1, 10)).await;
    let queued = bench.queued().await;
    let second: Vec<_> = queued.iter().filter(|one| one.epoch == 1).cloned().collect();
    assert_eq!(seqs(&second, |body| !matches!(body, Body::Gap { .. })), (1..=10).collect::<Vec<_>>());
    assert_eq!(seqs(&second, |body| matches!(body, Body::Gap { .. })), [0; super::PARTS as usize]);
    let telemetry = ingest.stop().await;
    assert_eq!(telemetry.metrics().ingest.epochs.get(), 1);
}

#[tokio::test]
async fn higher_numbers_are_a_new_epoch() {
    renumbered(from_the_beginning().await, 5000).await;
}

#[tokio::test]
async fn another_frame_under_the_last_number_is_a_new_epoch() {
    renumbered(from_the_beginning().await, 50).await;
}

#[tokio::test]
async fn what_the_relay_has_forgotten_is_a_gap_with_its_bounds() {
    let mut bench = from_the_beginning().await;
    bench.send(50);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    ingest.stop().await;
    bench.send(100);
    bench.relay.log().forget(120);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    let queued = bench.queued().await;
    let gaps: Vec<_> = queued.iter().filter(|one| matches!(one.event.body, Body::Gap { .. })).collect();
    assert_eq!(gaps.len(), usize::from(super::PARTS));
    for gap in gaps {
        let expected = Body::Gap { from: Position::new(0, 50), to: Position::new(0, 121) };
        assert_eq!((gap.event.seq, &gap.event.body), (120, &expected));
    }
    let events = seqs(&queued, |body| !matches!(body, Body::Gap { .. }));
    assert_eq!(events, (1..=50).chain(121..=150).collect::<Vec<_>>());
    let telemetry = ingest.stop().await;
    assert_eq!((telemetry.metrics().ingest.gaps.get(), telemetry.metrics().ingest.epochs.get()), (1, 0));
}

#[tokio::test]
async fn an_oversize_frame_is_rejected_and_the_stream_goes_on() {
    let mut bench = from_the_beginning().await;
    bench.send(60);
    let at = bench.frames.iter().position(|f| matches!(Frame::parse(f).unwrap(), Frame::Commit(c) if c.seq > 20)).unwrap();
    let seq = i64::try_from(at).unwrap() + 1;
    let oversize = spoil::oversize(&bench.frames[at], MAX_FRAME + 1).unwrap();
    bench.relay.faults().once(seq, Fault::Instead(oversize.into()));
    let ingest = bench.ingest();
    bench.arrived_all().await;
    bench.holds_all().await;
    let queued = bench.queued().await;
    let rejects: Vec<_> = queued.iter().filter(|one| matches!(one.event.body, Body::Reject { .. })).collect();
    assert_eq!(rejects.len(), 1);
    assert!(matches!(&rejects[0].event.body, Body::Reject { reason, frame } if reason.contains("frame_size") && frame.len() == 65536));
    assert_eq!(rejects[0].event.seq, seq);
    let telemetry = ingest.stop().await;
    assert_eq!(telemetry.metrics().ingest.rejects.get("frame_size"), 1);
    assert_eq!(bench.relay.stats().connections(), 1, "the connection went on");
}

#[tokio::test]
async fn an_unreadable_frame_ends_the_connection_and_is_skipped_when_it_comes_again() {
    let mut bench = from_the_beginning().await;
    bench.send(30);
    let made = bench.network.next_event().unwrap();
    let broken = spoil::broken(&made.frame);
    bench.relay.log().push(made.seq, broken.clone());
    bench.send(29);
    let ingest = bench.ingest();
    bench.arrived_all().await;
    let queued = bench.queued().await;
    let unreadable: Vec<_> = queued.iter().filter(|one| matches!(one.event.body, Body::Unreadable { .. })).collect();
    assert_eq!(unreadable.len(), 1);
    assert_eq!((unreadable[0].part, unreadable[0].event.seq), (0, 32));
    assert!(matches!(&unreadable[0].event.body, Body::Unreadable { frame, .. } if *frame == broken));
    assert_eq!(seqs(&queued, |body| !matches!(body, Body::Unreadable { .. })), (1..=30).chain(32..=60).collect::<Vec<_>>());
    let telemetry = ingest.stop().await;
    let metrics = &telemetry.metrics().ingest;
    assert_eq!((metrics.sessions_ended.get("unreadable"), metrics.rejects.get("unreadable"), metrics.frames.get("unreadable")), (1, 1, 2));
    assert_eq!(bench.relay.stats().connections(), 2);
}

#[tokio::test]
async fn a_relay_that_is_away_is_asked_until_it_is_back() {
    let mut bench = from_the_beginning().await;
    bench.send(20);
    let (address, log) = (bench.relay.address(), std::sync::Arc::clone(&bench.relay.relay.log));
    bench.relay = crate::support::relay::TestRelay::start();
    let ingest = bench.ingest();
    eventually("it cannot connect", 10, async || {
        ingest.telemetry.status().get().ingest.unwrap().problem.is_some_and(|p| p.contains("connect"))
    })
    .await;
    bench.relay = crate::support::relay::TestRelay::at(address, log);
    bench.arrived_all().await;
    bench.holds_all().await;
    ingest.stop().await;
}
