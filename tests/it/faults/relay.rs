//! The relay misbehaves, or two ingests read it at once.

use appviewd::sandbox::relay::Fault;

use crate::support::daemon::Daemon;
use crate::support::eventually;
use crate::support::stack::Stack;

async fn running(seed: u64) -> (Stack, Daemon) {
    let mut stack = Stack::start(seed).await;
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.set("APPVIEW_RELAY__STALL_SECONDS", 1).start().await;
    let last = stack.send(200);
    daemon.applied(last, 60).await;
    (stack, daemon)
}

#[tokio::test]
async fn two_ingests_at_once() {
    let mut stack = Stack::start(50).await;
    let mut daemons = [("one", "ingest"), ("two", "ingest"), ("worker", "worker")].map(|(name, roles)| stack.daemon(name, roles));
    for daemon in &mut daemons {
        daemon.start().await;
    }
    let [one, two, worker] = &daemons;
    eventually("both ingests are connected", 20, async || stack.relay.stats().connections() >= 2).await;
    let (mut last, mut done) = (0, [0.0; 3]);
    eventually("both ingests did a tenth at least, and met", 60, async || {
        last = stack.send(20);
        let (a, b) = (one.metric("appviewd_ingest_events_total").await, two.metric("appviewd_ingest_events_total").await);
        let refused =
            one.metric("appviewd_ingest_refused_compares_total").await + two.metric("appviewd_ingest_refused_compares_total").await;
        done = [a, b, refused];
        last > 1000 && a.min(b) * 10.0 > a + b && refused > 0.0
    })
    .await;
    worker.applied(last, 60).await;
    eprintln!("events of each, refused compares: {done:?}");
    stack.equals_model().await;
}

#[tokio::test]
async fn the_relay_drops_connections() {
    let (mut stack, daemon) = running(51).await;
    stack.relay.faults().drop_every(Some(100));
    stack.send(500);
    eventually("the relay dropped connections", 30, async || stack.relay.faults().happened("drop") >= 3).await;
    stack.relay.faults().drop_every(None);
    let last = stack.send(100);
    daemon.applied(last, 60).await;
    assert!(stack.relay.stats().connections() > 3);
    stack.equals_model().await;
}

#[tokio::test]
async fn the_relay_repeats_frames() {
    let (mut stack, daemon) = running(52).await;
    stack.relay.faults().once(250, Fault::Repeat(100));
    let last = stack.send(400);
    daemon.applied(last, 60).await;
    assert_eq!(stack.relay.faults().happened("repeat"), 1);
    stack.equals_model().await;
}

#[tokio::test]
async fn the_relay_rewinds() {
    let (mut stack, daemon) = running(53).await;
    stack.relay.faults().once(350, Fault::Rewind(200));
    let last = stack.send(400);
    daemon.applied(last, 60).await;
    assert_eq!(stack.relay.faults().happened("rewind"), 1);
    assert!(stack.relay.stats().frames() >= 800);
    assert_eq!(daemon.metric("appviewd_ingest_epochs_total").await.to_bits(), 0.0_f64.to_bits(), "a rewind is no renumbering");
    stack.equals_model().await;
}

#[tokio::test]
async fn the_relay_stalls() {
    let (mut stack, daemon) = running(54).await;
    stack.relay.faults().once(300, Fault::Stall);
    let last = stack.send(300);
    daemon.applied(last, 60).await;
    assert_eq!(stack.relay.faults().happened("stall"), 1);
    stack.equals_model().await;
}

#[tokio::test]
async fn the_relay_renumbers_and_its_numbers_are_lower_than_the_cursor() {
    renumbered(55, 0).await;
}

#[tokio::test]
async fn the_relay_renumbers_and_its_numbers_have_caught_up_with_the_cursor() {
    renumbered(56, 600).await;
}

/// The relay loses 300 frames that were applied and begins its numbers anew; it sends `meanwhile` messages before ingest is back.
async fn renumbered(seed: u64, meanwhile: usize) {
    let (mut stack, daemon) = running(seed).await;
    let last = stack.send(300);
    daemon.applied(last, 60).await;
    // Ingest writes every second which frame it saw last.
    eventually("ingest has noted the last frame", 10, async || stack.seen() == last).await;
    daemon.freeze();
    stack.relay.log().forget(300);
    stack.relay.log().renumber(1).unwrap();
    assert!(stack.relay.log().head().seq < last);
    stack.send(meanwhile);
    daemon.thaw();
    let now = stack.send(300);
    let what = "the renumbered events are applied";
    eventually(what, 60, async || {
        daemon.number("/ingest/epoch").await == Some(1) && stack.offsets_in(1).await.iter().all(|seq| *seq >= now)
    })
    .await;
    assert!(daemon.metric("appviewd_ingest_epochs_total").await > 0.0);
    stack.equals_model().await;
}

#[tokio::test]
async fn an_error_frame_ends_the_connection_and_nothing_else() {
    let (mut stack, daemon) = running(57).await;
    stack.relay.faults().once(300, Fault::Error { error: "ConsumerTooSlow", message: "too slow" });
    stack.relay.faults().once(400, Fault::Instead(b"\xff\xff".as_slice().into()));
    let last = stack.send(400);
    daemon.applied(last, 60).await;
    assert_eq!((stack.relay.faults().happened("consumer-too-slow"), stack.relay.faults().happened("instead")), (1, 1));
    stack.equals_model().await;
}
