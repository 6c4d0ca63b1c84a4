//! Relay to queue, against a real Redis and scripted relays; the worker is played by `begin`.

mod hostile;
mod judge;
mod queue_faults;
mod relay_faults;
mod start;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use appviewd::atproto::frame::Frame;
use appviewd::config::Config;
use appviewd::ingest;
use appviewd::queue::{Body, Event, Most, Position, Queue, Stream, entry, partition};
use appviewd::sandbox::Network;
use appviewd::telemetry::Telemetry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::eventually;
use crate::support::redis::Redis;
use crate::support::relay::TestRelay;

const PARTS: u16 = 4;

/// A Redis, a relay with a seeded network, and what ingest needs to know of them.
struct Bench {
    redis: Redis,
    relay: TestRelay,
    network: Network,
    /// Every frame sent, in order.
    frames: Vec<Vec<u8>>,
    config: Config,
    source: Arc<str>,
}

/// A running ingest role.
struct Ingest {
    telemetry: Telemetry,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

/// What the queue holds: each event with its partition and the epoch of its entry, in the order of the stream.
#[derive(Debug, Clone)]
struct Queued {
    part: u16,
    epoch: i64,
    event: Event,
}

impl Bench {
    async fn new() -> Self {
        Self::with_redis(&[]).await
    }

    async fn with_redis(extra: &[&str]) -> Self {
        let redis = Redis::start(extra).await;
        let relay = TestRelay::start();
        let mut config = Config::default();
        config.relay.url = relay.url();
        config.redis.url = Some(redis.url());
        config.queue.partitions = PARTS;
        let source = relay.source().into();
        // It lives now: events that come late are packed at leisure, and most of these tests are about the ones that do not.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let network = Network::beginning_at(11, 20, i64::try_from(now).unwrap());
        Self { redis, relay, network, frames: Vec::new(), config, source }
    }

    fn queue(&self) -> Queue {
        self.queue_at(&self.redis.url())
    }

    fn queue_at(&self, url: &str) -> Queue {
        Queue::new(url, &self.config.queue.key, &self.config.queue.group)
    }

    fn ingest(&self) -> Ingest {
        self.ingest_at(&self.redis.url())
    }

    fn ingest_at(&self, redis_url: &str) -> Ingest {
        let (telemetry, stop) = (Telemetry::new(&["ingest"]), CancellationToken::new());
        let config = Arc::new(self.config.clone());
        let task = tokio::spawn(ingest::run(config, self.queue_at(redis_url), telemetry.clone(), stop.clone()));
        Ingest { telemetry, stop, task }
    }

    fn streams(&self) -> Vec<Stream> {
        (0..PARTS).map(|part| self.queue().stream(&self.source, part)).collect()
    }

    /// What a worker does at its first start, or after Redis lost a partition.
    async fn begin(&self, at: Position) {
        let queue = self.queue();
        for stream in self.streams() {
            queue.begin(&stream, at, true).await.unwrap();
        }
    }

    fn send(&mut self, events: usize) {
        self.frames.extend(self.relay.send(&mut self.network, events));
    }

    /// Positions of all partitions; those of absent ones left out.
    async fn positions(&self) -> Vec<Position> {
        self.queue().positions(&self.source, PARTS).await.unwrap().into_iter().flatten().collect()
    }

    /// Waits until every partition stands at `at`.
    async fn arrived(&self, at: Position) {
        eventually(&format!("every partition stands at {at}"), 20, async || {
            let positions = self.queue().positions(&self.source, PARTS).await.unwrap_or_default();
            positions.len() == usize::from(PARTS) && positions.iter().all(|p| *p == Some(at))
        })
        .await;
    }

    /// Waits until everything that was sent lies in the queue.
    async fn arrived_all(&self) {
        self.arrived(Position::new(0, self.relay.log().head().seq)).await;
    }

    async fn queued(&self) -> Vec<Queued> {
        let queue = self.queue();
        let mut found = Vec::new();
        for stream in self.streams() {
            let snapshot = queue.snapshot(&stream, Position::LIVE, Most::entries(1_000_000)).await.unwrap().expect("a partition");
            for held in snapshot.entries {
                let events = entry::decode(&held.bytes).unwrap();
                found.extend(events.into_iter().map(|event| Queued { part: stream.part, epoch: held.last.epoch, event }));
            }
        }
        found
    }

    /// Checks that the queue holds exactly the events of `frames`, each once, in its partition, in order.
    async fn holds(&self, frames: &[Vec<u8>]) {
        let queued = self.queued().await;
        for pair in queued.windows(2).filter(|pair| pair[0].part == pair[1].part) {
            assert!((pair[0].epoch, pair[0].event.seq) < (pair[1].epoch, pair[1].event.seq), "out of order: {pair:?}");
        }
        for one in &queued {
            assert_eq!(partition(one.event.did.as_ref().unwrap(), PARTS), one.part);
        }
        let mut found: Vec<i64> = queued.iter().map(|one| one.event.seq).collect();
        found.sort_unstable();
        let sent: Vec<i64> = frames.iter().map(|frame| Frame::parse(frame).unwrap().seq().unwrap()).collect();
        assert_eq!(found, sent, "lost or doubled");
    }

    async fn holds_all(&self) {
        self.holds(&self.frames).await;
    }
}

impl Ingest {
    /// Asks for a stop; the role must end well.
    async fn stop(self) -> Telemetry {
        self.stop.cancel();
        tokio::time::timeout(std::time::Duration::from_secs(15), self.task).await.expect("a stop in time").unwrap().unwrap();
        self.telemetry
    }

    /// Dies like a process: nothing is flushed.
    fn kill(self) {
        self.task.abort();
    }

    async fn connected(&self) {
        eventually("the relay is read", 10, async || self.telemetry.status().get().ingest.unwrap().connected).await;
    }
}

/// Numbers of events that satisfy `wanted`.
fn seqs(queued: &[Queued], wanted: impl Fn(&Body) -> bool) -> Vec<i64> {
    let mut seqs: Vec<i64> = queued.iter().filter(|one| wanted(&one.event.body)).map(|one| one.event.seq).collect();
    seqs.sort_unstable();
    seqs
}
