//! A queue, a database, a network whose events go through them, and workers.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use appviewd::config::Config;
use appviewd::config::ingest::Verify;
use appviewd::db::{migrate, pool};
use appviewd::identity::Identities;
use appviewd::ingest::judge::{Verdict, judge};
use appviewd::queue::Queue;
use appviewd::sandbox::{Network, Oracle};
use appviewd::telemetry::Telemetry;
use appviewd::telemetry::status::WorkerStatus;
use appviewd::worker;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::feeder::{Feeder, Log};
use crate::support::postgres::Postgres;
use crate::support::redis::Redis;
use crate::support::{dump, eventually, judge, purge};

pub const SOURCE: &str = "relay.example";
pub const PARTITIONS: u16 = 4;
const ACCOUNTS: usize = 20;

pub struct Rig {
    pub postgres: Postgres,
    pub redis: Redis,
    pub config: Config,
    network: Network,
    frames: Vec<Vec<u8>>,
    log: Log,
}

/// A worker in this process. Dropped, it ends where it stands.
pub struct Worker {
    pub telemetry: Telemetry,
    shutdown: CancellationToken,
    task: AbortOnDropHandle<anyhow::Result<()>>,
}

impl Rig {
    pub async fn start(seed: u64) -> Self {
        let (postgres, redis) = tokio::join!(Postgres::start(), Redis::start(&[]));
        let mut config = Config::default();
        config.relay.url = format!("wss://{SOURCE}");
        config.relay.cursor = Some(0);
        config.queue.partitions = PARTITIONS;
        "http://127.0.0.1:9".clone_into(&mut config.identity.plc_url);
        config.redis.url = Some(redis.url());
        config.database.url = Some(postgres.url());
        migrate::with_pool(&pool::writer(&postgres.url(), 1).unwrap()).await.unwrap();
        Self { postgres, redis, config, network: Network::new(seed, ACCOUNTS), frames: Vec::new(), log: Log::default() }
    }

    pub fn queue(&self) -> Queue {
        Queue::new(&self.redis.url(), &self.config.queue.key, &self.config.queue.group)
    }

    /// The network's next events; the number of the last.
    pub fn send(&mut self, events: usize) -> i64 {
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap();
        let mut log = self.log.lock().unwrap();
        for _ in 0..events {
            let made = self.network.next_event().unwrap();
            match judge(&made.frame, now, Verify::Proof) {
                Verdict::Event(judged) => log.push(judged.event),
                other => panic!("the network's frame {} is {other:?}", made.seq),
            }
            self.frames.push(made.frame);
        }
        log.last().map_or(0, |event| event.seq)
    }

    pub fn feeder(&self) -> (Feeder, AbortOnDropHandle<()>) {
        let feeder = Feeder {
            queue: self.queue(),
            source: SOURCE.into(),
            parts: PARTITIONS,
            log: Arc::clone(&self.log),
            sent: Arc::new(AtomicU64::new(0)),
            sessions: Arc::new(AtomicU64::new(0)),
        };
        (feeder.clone(), AbortOnDropHandle::new(tokio::spawn(feeder.run())))
    }

    pub fn worker(&self, name: &str) -> Worker {
        self.worker_at(name, &self.redis.url())
    }

    /// A worker that reaches the queue's Redis by another way.
    pub fn worker_at(&self, name: &str, redis: &str) -> Worker {
        self.worker_between(name, redis, &self.postgres.url())
    }

    /// A worker that reaches PostgreSQL by another way.
    pub fn worker_over(&self, name: &str, postgres: &str) -> Worker {
        self.worker_between(name, &self.redis.url(), postgres)
    }

    fn worker_between(&self, name: &str, redis: &str, postgres: &str) -> Worker {
        let queue = Queue::new(redis, &self.config.queue.key, &self.config.queue.group);
        let mut config = self.config.clone();
        config.worker.consumer_id = Some(name.to_owned());
        let (telemetry, shutdown) = (Telemetry::new(&["worker"]), CancellationToken::new());
        let pool = pool::writer(postgres, 10).unwrap();
        let identities = Arc::new(Identities::new(&config, &telemetry));
        let role = worker::run(Arc::new(config), queue, pool, identities, telemetry.clone(), shutdown.clone());
        Worker { telemetry, shutdown, task: AbortOnDropHandle::new(tokio::spawn(role)) }
    }

    /// Has a worker that lives just as long apply everything up to `seq`.
    pub async fn worker_until(&self, seq: i64) {
        let worker = self.worker("a while");
        self.applied(seq, 60).await;
        worker.stop().await.unwrap();
    }

    /// Waits until every partition is applied up to `seq`.
    pub async fn applied(&self, seq: i64, secs: u64) {
        eventually(&format!("everything up to {seq} is applied"), secs, async || self.smallest_offset().await.is_some_and(|at| at >= seq))
            .await;
    }

    /// `None` while there are no offsets, or no database.
    pub async fn smallest_offset(&self) -> Option<i64> {
        let (client, connection) = tokio_postgres::connect(&self.postgres.url(), tokio_postgres::NoTls).await.ok()?;
        let _driver = AbortOnDropHandle::new(tokio::spawn(connection));
        client.query_one("SELECT min(seq) FROM stream_offset", &[]).await.ok()?.try_get(0).ok()
    }

    /// PostgreSQL holds what the oracle expects of the same frames.
    pub async fn check(&self) {
        purge::finish(&self.postgres).await;
        let held = dump::lines(&self.postgres.connect().await).await;
        judge::compare(&held, &Oracle::of(&self.frames, self.network.invalid())).assert_equal("after all frames");
        assert!(held.len() > 20, "the network made next to nothing");
    }
}

impl Worker {
    pub fn status(&self) -> WorkerStatus {
        self.telemetry.status().get().worker.unwrap()
    }

    /// Asks it to stop, and waits.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        tokio::time::timeout(std::time::Duration::from_secs(20), self.task).await.expect("the worker stops in time").unwrap()
    }

    /// How it ended by itself.
    pub async fn ended(self) -> anyhow::Result<()> {
        self.task.await.unwrap()
    }
}
