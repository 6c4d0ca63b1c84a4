//! The relay: cursors as the specification has them, back-pressure, and every misbehaviour as its name says.

use appviewd::atproto::frame::Frame;
use appviewd::sandbox::Network;
use appviewd::sandbox::relay::{Fault, spoil};

use super::client::Client;
use crate::support::eventually;
use crate::support::relay::TestRelay;

fn filled(events: usize) -> (TestRelay, Network) {
    let (relay, mut network) = (TestRelay::start(), Network::new(1, 20));
    relay.send(&mut network, events);
    (relay, network)
}

#[tokio::test]
async fn a_cursor_says_where_the_stream_begins() {
    let (relay, mut network) = filled(10);
    assert_eq!(Client::connect(relay.address(), Some(0)).await.seqs(10).await, (1..=10).collect::<Vec<_>>());
    assert_eq!(Client::connect(relay.address(), Some(7)).await.seqs(3).await, [8, 9, 10]);
    let mut live = Client::connect(relay.address(), None).await;
    eventually("the live subscription is served", 5, async || relay.stats().connections() == 3).await;
    relay.send(&mut network, 2);
    assert_eq!(live.seqs(2).await, [11, 12]);
}

#[tokio::test]
async fn an_outdated_cursor_is_told_and_a_future_one_is_refused() {
    let (relay, _) = filled(10);
    relay.log().forget(6);
    let mut outdated = Client::connect(relay.address(), Some(3)).await;
    let info = outdated.next().await.unwrap();
    assert!(matches!(Frame::parse(&info).unwrap(), Frame::Info { name: "OutdatedCursor", .. }));
    assert_eq!(outdated.seqs(4).await, [7, 8, 9, 10]);
    assert_eq!(Client::connect(relay.address(), Some(0)).await.seqs(1).await, [7]);
    let mut future = Client::connect(relay.address(), Some(99)).await;
    let error = future.next().await.unwrap();
    assert!(matches!(Frame::parse(&error).unwrap(), Frame::Error { error: "FutureCursor", .. }));
    assert_eq!(future.next().await, None);
}

#[tokio::test]
async fn every_misbehaviour_happens_as_it_is_named() {
    let (relay, _) = filled(20);
    let faults = relay.faults();
    faults.once(3, Fault::Repeat(2));
    faults.once(6, Fault::Rewind(3));
    faults.once(8, Fault::Drop);
    let mut client = Client::connect(relay.address(), Some(0)).await;
    assert_eq!(client.seqs(12).await, [1, 2, 3, 3, 4, 4, 5, 3, 4, 5, 6, 7]);
    assert_eq!(client.next().await, None);
    faults.once(10, Fault::Instead(spoil::broken(b"abcd").into()));
    faults.once(11, Fault::Error { error: "ConsumerTooSlow", message: "" });
    let mut client = Client::connect(relay.address(), Some(8)).await;
    assert_eq!(client.seqs(1).await, [9]);
    assert_eq!(client.next().await.as_deref(), Some(&b"ab"[..]));
    assert!(matches!(Frame::parse(&client.next().await.unwrap()).unwrap(), Frame::Error { error: "ConsumerTooSlow", .. }));
    for name in ["repeat", "rewind", "drop", "instead", "error"] {
        assert_eq!(faults.happened(name), 1, "{name}");
    }
    assert_eq!(relay.stats().cursors(), [Some(0), Some(8)]);
}

#[tokio::test]
async fn renumbering_begins_the_numbers_anew_and_closes_connections() {
    let (relay, _) = filled(9);
    let mut client = Client::connect(relay.address(), Some(4)).await;
    client.seqs(5).await;
    relay.log().renumber(1).unwrap();
    assert_eq!(client.next().await, None);
    relay.log().forget(2);
    assert_eq!(Client::connect(relay.address(), Some(5)).await.seqs(4).await, [6, 7, 8, 9]);
}

#[tokio::test]
async fn who_does_not_read_is_not_sent_to() {
    let (relay, mut network) = filled(1);
    let mut client = Client::connect(relay.address(), Some(0)).await;
    client.seqs(1).await;
    let mut sent = 1;
    eventually("the relay is blocked", 30, async || {
        relay.send(&mut network, 500);
        sent += 500;
        relay.stats().blocked().is_some_and(|b| b.waiting.as_millis() > 200)
    })
    .await;
    let blocked = relay.stats().blocked().unwrap();
    assert!(relay.log().count_after(blocked.seq) > 0, "nothing waits behind the blocked frame");
    assert_eq!(client.seqs(sent - 1).await, (2..=i64::try_from(sent).unwrap()).collect::<Vec<_>>());
    assert_eq!(relay.stats().blocked(), None);
}
