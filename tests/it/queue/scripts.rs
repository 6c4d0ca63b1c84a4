//! Random operations give the same answers from the scripts on a real Redis as from the twin.

use std::sync::Arc;

use appviewd::queue::{Appender, Most, Queue, Snapshot, Stream, entry};
use appviewd::queue::{Body, Event, Moved, Position, QueueError};
use bytes::Bytes;
use fastrand::Rng;

use super::twin::Twin;
use crate::support::redis::Redis;

const SEQUENCES: u64 = 3_000;
const STEPS: usize = 14;
/// Sequences that run at once, over the same connections.
const AT_ONCE: u64 = 50;

pub fn queue(redis: &Redis) -> Queue {
    Queue::new(&redis.url(), "firehose:events", "firehose-processors")
}

/// An entry of `n` events.
pub fn packed(n: usize) -> Bytes {
    let event = Event { seq: 1, time: 1, did: None, body: Body::Identity { handle: None } };
    entry::encode(&vec![event; n]).into()
}

/// Few positions, so that they meet; the live one, several epochs, and numbers around 2^53, up to which Lua counts exactly.
fn position(rng: &mut Rng) -> Position {
    const LARGEST: i64 = (1 << 53) + 2;
    match rng.u8(0..10) {
        0 => Position::LIVE,
        1 => Position::new(1, LARGEST - rng.i64(0..4)),
        2..4 => Position::new(1, rng.i64(0..6)),
        _ => Position::new(0, rng.i64(0..12)),
    }
}

struct Pair {
    queue: Queue,
    appender: Arc<Appender>,
    stream: Stream,
    part: u16,
    twin: Twin<Bytes>,
}

impl Pair {
    /// One random operation on both.
    async fn step(&mut self, rng: &mut Rng) {
        let now = self.twin.pos(self.part);
        let expected = now.filter(|_| rng.u8(0..10) < 7).unwrap_or_else(|| position(rng));
        let to = if rng.bool() { position(rng) } else { Position::new(expected.epoch, expected.seq + rng.i64(0..4)) };
        let part = self.part;
        match rng.u8(0..10) {
            0..4 => {
                let (n, at) = (rng.usize(1..5), to.max(Position::new(0, 1)));
                let moved = self.appender.append(&self.stream, expected, at, packed(n)).await;
                if at <= expected {
                    assert!(matches!(moved, Err(QueueError::Backwards { .. })));
                } else {
                    assert_eq!(moved.unwrap(), self.twin.append(part, expected, at, packed(n), n as u64), "append {expected} {at}");
                }
            }
            4..6 => {
                let moved = self.appender.advance(&self.stream, expected, to).await;
                if to < expected {
                    assert!(matches!(moved, Err(QueueError::Backwards { .. })));
                } else {
                    assert_eq!(moved.unwrap(), self.twin.advance(part, expected, to), "advance {expected} {to}");
                }
            }
            6..8 => {
                let only_if_absent = rng.u8(0..4) > 0;
                let begun = self.queue.begin(&self.stream, to, only_if_absent).await.unwrap();
                assert_eq!(begun, self.twin.begin(part, to, only_if_absent), "begin {to} {only_if_absent}");
            }
            _ => {
                let dropped = self.queue.trim(&self.stream, to).await.unwrap();
                assert_eq!(dropped, self.twin.trim(part, to) as u64, "trim {to}");
            }
        }
        self.compare(position(rng), rng.usize(0..5)).await;
    }

    async fn compare(&self, after: Position, count: usize) {
        let found = self.queue.snapshot(&self.stream, after, Most::entries(count)).await.unwrap();
        let Some(expected) = self.twin.parts.get(&self.part) else { return assert_eq!(found, None) };
        let Snapshot { floor, pos, events, complete, entries } = found.expect("the partition is there");
        assert_eq!((floor, pos, events), (expected.floor, expected.pos, expected.events));
        let (want, is_all) = self.twin.after(self.part, after, count);
        let entries: Vec<_> = entries.into_iter().map(|e| (e.last, e.bytes, e.events)).collect();
        assert_eq!(entries, want.into_iter().map(|e| (e.last, e.payload, e.events)).collect::<Vec<_>>());
        // Where exactly `count` were there, Redis has not looked for more.
        assert!(!complete || is_all, "said to be complete after {after}, at most {count}");
        assert!(complete || !is_all || entries.len() == count);
    }
}

#[tokio::test]
async fn scripts_answer_as_their_twin_does() {
    let redis = Redis::start(&["--maxmemory-policy", "noeviction"]).await;
    let queue = queue(&redis);
    let appender = Arc::new(queue.appender().await.unwrap());
    for first in (0..SEQUENCES).step_by(usize::try_from(AT_ONCE).unwrap()) {
        let sequences = (first..first + AT_ONCE).map(|seed| {
            let (queue, appender) = (queue.clone(), Arc::clone(&appender));
            async move {
                let part = u16::try_from(seed).unwrap();
                let stream = queue.stream(&"relay.example".into(), part);
                let mut pair = Pair { queue, appender, stream, part, twin: Twin::new(None) };
                let mut rng = Rng::with_seed(seed);
                for _ in 0..STEPS {
                    pair.step(&mut rng).await;
                }
                pair
            }
        });
        for pair in futures_util::future::join_all(sequences).await {
            assert_group_is_told_truly(&redis, &pair);
        }
    }
}

/// Every fiftieth, since asking starts a process.
fn assert_group_is_told_truly(redis: &Redis, pair: &Pair) {
    let Some(part) = pair.twin.parts.get(&pair.part).filter(|_| pair.part.is_multiple_of(50)) else { return };
    let told = group(redis, &pair.stream);
    assert_eq!((told.read, told.lag), (part.read, part.entries.len()), "partition {}: {told:?}", pair.part);
}

/// What `XINFO GROUPS` says.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    pub at: String,
    pub read: usize,
    pub lag: usize,
    pub pending: usize,
}

pub fn group(redis: &Redis, stream: &Stream) -> Group {
    let text = redis.cli(&["XINFO", "GROUPS", &format!("firehose:events:{{{}:{}}}", stream.source, stream.part)]);
    let lines: Vec<&str> = text.lines().collect();
    let value = |name: &str| lines[lines.iter().position(|l| *l == name).unwrap_or_else(|| panic!("{name} in {text:?}")) + 1];
    let number = |name| value(name).parse().unwrap_or_else(|_| panic!("{name} in {text:?}"));
    Group { at: value("last-delivered-id").to_owned(), read: number("entries-read"), lag: number("lag"), pending: number("pending") }
}

#[tokio::test]
async fn the_group_shows_operators_the_true_lag() {
    let redis = Redis::start(&[]).await;
    let queue = queue(&redis);
    let stream = queue.stream(&"relay.example".into(), 0);
    let at = |seq| Position::new(0, seq);
    queue.begin(&stream, at(100), true).await.unwrap();
    assert_eq!(group(&redis, &stream), Group { at: "0-100".into(), read: 0, lag: 0, pending: 0 });
    let appender = queue.appender().await.unwrap();
    for n in 0..10 {
        let moved = appender.append(&stream, at(100 + n * 10), at(110 + n * 10), packed(2)).await.unwrap();
        assert_eq!(moved, Moved::Done);
    }
    assert_eq!(group(&redis, &stream).lag, 10);
    assert_eq!(queue.trim(&stream, at(145)).await.unwrap(), 4);
    assert_eq!(group(&redis, &stream), Group { at: "0-145".into(), read: 4, lag: 6, pending: 0 });
    queue.trim(&stream, at(200)).await.unwrap();
    assert_eq!(group(&redis, &stream), Group { at: "0-200".into(), read: 10, lag: 0, pending: 0 });
    appender.append(&stream, at(200), at(201), packed(1)).await.unwrap();
    assert_eq!(group(&redis, &stream).lag, 1);
}

#[tokio::test]
async fn a_snapshot_keeps_to_its_bytes() {
    let redis = Redis::start(&[]).await;
    let queue = queue(&redis);
    let stream = queue.stream(&"relay.example".into(), 0);
    queue.begin(&stream, Position::LIVE, true).await.unwrap();
    let appender = queue.appender().await.unwrap();
    let mut at = Position::LIVE;
    for seq in 1..=20 {
        let frame = Event { seq, time: 0, did: None, body: Body::Unreadable { reason: String::new(), frame: vec![1; 10_000].into() } };
        let last = Position::new(0, seq);
        assert_eq!(appender.append(&stream, at, last, entry::encode(&[frame]).into()).await.unwrap(), Moved::Done);
        at = last;
    }
    let snapshot = queue.snapshot(&stream, Position::LIVE, Most { bytes: 25_000, ..Most::entries(100) }).await.unwrap().unwrap();
    assert_eq!((snapshot.entries.len(), snapshot.complete), (3, false));
    let snapshot = queue.snapshot(&stream, Position::new(0, 18), Most { bytes: 25_000, ..Most::entries(100) }).await.unwrap().unwrap();
    assert_eq!((snapshot.entries.len(), snapshot.complete), (2, true));
}

#[tokio::test]
async fn a_snapshot_keeps_to_its_events() {
    let redis = Redis::start(&[]).await;
    let queue = queue(&redis);
    let stream = queue.stream(&"relay.example".into(), 0);
    queue.begin(&stream, Position::LIVE, true).await.unwrap();
    let appender = queue.appender().await.unwrap();
    let mut at = Position::LIVE;
    for entry in 1..=30 {
        let last = Position::new(0, entry * 10);
        appender.append(&stream, at, last, packed(10)).await.unwrap();
        at = last;
    }
    for (events, entries) in [(1, 1), (2, 2), (11, 2), (12, 3), (101, 11), (1000, 30)] {
        let snapshot = queue.snapshot(&stream, Position::LIVE, Most { events, ..Most::entries(100) }).await.unwrap().unwrap();
        assert_eq!((snapshot.entries.len(), snapshot.complete), (entries, entries == 30), "{events} events");
    }
}
