//! The relay: cursors as the specification has them, back-pressure, and every misbehaviour as its name says.

use appviewd::atproto::frame::Frame;
use appviewd::sandbox::Network;
use appviewd::sandbox::relay::{Fault, Rate, spoil};

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
    for name in ["repeat", "rewind", "drop", "instead", "consumer-too-slow"] {
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

/// What a client sees from the frame of the fault on: one message, or `None` for the end.
fn seen(message: Option<&Vec<u8>>) -> String {
    let Some(message) = message else { return "the end".to_owned() };
    match Frame::parse(message) {
        Ok(Frame::Commit(f)) if f.too_big => "too big".to_owned(),
        Ok(Frame::Commit(f)) => match appviewd::atproto::Car::parse(f.blocks) {
            Ok(car) => match car.get(&f.commit).map(|block| appviewd::atproto::commit::SignedCommit::decode(block).unwrap().data) {
                Some(data) if car.get(&data).is_none() => "a commit without its tree".to_owned(),
                _ => format!("commit {}", f.seq),
            },
            Err(_) => "a commit whose blocks do not hash".to_owned(),
        },
        Ok(Frame::Info { name, .. }) => name.to_owned(),
        Ok(Frame::Error { error, .. }) => error.to_owned(),
        Ok(Frame::Other { t, .. }) => t.to_owned(),
        Ok(Frame::Sync(f)) => format!("sync {}", f.seq),
        Ok(Frame::Account(f)) => format!("account {} {}", f.seq, f.status.unwrap_or("active")),
        Ok(Frame::Identity(f)) => format!("identity {}", f.seq),
        Err(_) => "no frame".to_owned(),
    }
}

/// Every fault that has a name is seen by the client as what it is, once, and counted once; then the stream is as it should be.
#[tokio::test]
async fn every_fault_by_name_is_counted_and_a_client_sees_it() {
    const AT: i64 = 30;
    let told: [(&str, &[&str]); 20] = [
        ("drop", &["the end"]),
        ("stall", &[]),
        ("repeat", &["commit 30", "commit 30", "commit 31", "commit 31"]),
        ("rewind", &["commit 3"]),
        ("renumber", &["the end"]),
        ("forget", &["the end"]),
        ("future-cursor", &["FutureCursor"]),
        ("consumer-too-slow", &["ConsumerTooSlow", "the end"]),
        ("outdated-cursor", &["OutdatedCursor", "commit 30", "commit 31"]),
        ("unknown-type", &["#weather", "commit 30", "commit 31"]),
        ("bad-signature", &["commit 30", "commit 31"]),
        ("missing-block", &["a commit without its tree", "commit 31"]),
        ("altered-block", &["a commit whose blocks do not hash", "commit 31"]),
        ("oversize", &["no frame", "commit 31"]),
        ("broken-frame", &["no frame", "commit 31"]),
        ("broken-cbor", &["no frame", "commit 31"]),
        ("sync-same", &["commit 30", "sync 30", "commit 31"]),
        ("sync-other", &["sync 30", "commit 31"]),
        ("too-big", &["too big", "commit 31"]),
        ("account", &["account 30 takendown", "commit 31"]),
    ];
    assert_eq!(told.map(|(name, _)| name), Fault::named().map(|fault| fault.name()).collect::<Vec<_>>()[..]);
    let mut network = Network::new(2, 1);
    let commits =
        std::iter::repeat_with(|| network.next_event().unwrap().frame).filter(|f| matches!(Frame::parse(f), Ok(Frame::Commit(_))));
    let frames: Vec<_> = (1..=60).zip(commits).map(|(seq, frame)| spoil::with_seq(&frame, seq).unwrap()).collect();
    for (name, wanted) in told {
        let relay = TestRelay::start();
        for (seq, frame) in (1..).zip(&frames) {
            relay.log().push(seq, frame.clone());
        }
        // A rewind of 50 frames goes on from the beginning of the window.
        relay.log().forget(2);
        relay.faults().once(AT, Fault::by_name(name).unwrap());
        let mut client = Client::connect(relay.address(), Some(2)).await;
        assert_eq!(client.seqs(27).await, (3..30).collect::<Vec<_>>(), "{name}");
        let mut found = Vec::new();
        for _ in wanted {
            found.push(seen(client.next().await.as_ref()));
        }
        assert_eq!(found, wanted, "{name}");
        eventually("the fault is counted", 5, async || relay.faults().happened(name) == 1).await;
        if name == "forget" {
            assert_eq!(relay.log().forgotten(), 60, "the window is smaller than the outage");
        }
        if name == "renumber" {
            assert_eq!((relay.log().head().seq, relay.log().head().numbering), (88, 1));
        }
    }
}

/// Asks as an outside test does, with nothing but HTTP.
async fn counts(address: std::net::SocketAddr) -> serde_json::Value {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /faults HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
}

#[tokio::test]
async fn faults_by_chance_are_counted_and_an_outside_test_can_ask() {
    let (relay, _) = filled(400);
    let rate = |text: &str| text.parse::<Rate>().map(|rate| (rate.fault, rate.per_mille)).unwrap();
    relay.faults().by_chance(1, vec![rate("drop=20"), rate("rewind=10"), rate("too-big=30")]);
    let mut at = 0;
    while at < 400 {
        let mut client = Client::connect(relay.address(), Some(at)).await;
        while let Some(message) = client.next().await {
            at = Frame::parse(&message).unwrap().seq().unwrap();
            if at == 400 {
                break;
            }
        }
    }
    let counts = counts(relay.address()).await;
    for name in ["drop", "rewind", "too-big"] {
        assert_eq!(counts[name].as_u64(), Some(relay.faults().happened(name)), "{name}");
        assert!(relay.faults().happened(name) > 0, "{name} never happened");
    }
    assert_eq!(counts["stall"], 0);
}
