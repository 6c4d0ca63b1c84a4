//! A whole AppView for one test: a private PostgreSQL and Redis, a relay, a seeded network, and as many daemons as the test wants.

use std::collections::HashSet;

use appviewd::atproto::Cid;
use appviewd::sandbox::{Network, Oracle};
use tempfile::TempDir;

use super::daemon::Daemon;
use super::postgres::Postgres;
use super::redis::Redis;
use super::relay::TestRelay;
use super::{dump, eventually, judge, purge};

/// Accounts of a test's network: few, so that they meet often.
const ACCOUNTS: usize = 30;

/// Partitions of a test's queue.
const PARTITIONS: u16 = 4;

/// Ends with the test.
pub struct Stack {
    pub postgres: Postgres,
    pub redis: Redis,
    pub relay: TestRelay,
    pub network: Network,
    /// Every frame that was sent, in order: what the oracle is given.
    pub frames: Vec<Vec<u8>>,
    /// Numbers of frames that were all applied before the next was sent.
    settled: Vec<usize>,
    /// CIDs of records of other networks that their lexicons do not allow.
    invalid: HashSet<Cid>,
    dir: TempDir,
}

impl Stack {
    /// The servers, a network of this seed, and no daemon yet.
    pub async fn start(seed: u64) -> Self {
        Self::with_redis(seed, &[]).await
    }

    /// The same with further arguments for Redis.
    pub async fn with_redis(seed: u64, extra: &[&str]) -> Self {
        let (postgres, redis) = tokio::join!(Postgres::start(), Redis::start(extra));
        Self::over(seed, postgres, redis)
    }

    /// The same over servers that run already.
    pub fn over(seed: u64, postgres: Postgres, redis: Redis) -> Self {
        let dir = tempfile::Builder::new().prefix("avdm").tempdir_in("/tmp").unwrap();
        Self {
            postgres,
            redis,
            relay: TestRelay::start(),
            network: Network::new(seed, ACCOUNTS),
            frames: Vec::new(),
            settled: Vec::new(),
            invalid: HashSet::new(),
            dir,
        }
    }

    /// A daemon with these roles, not yet started: it reads the relay from its beginning, and has 4 partitions.
    pub fn daemon(&self, name: &str, roles: &str) -> Daemon {
        let mut daemon = Daemon::new(name, roles, self.dir.path());
        daemon.set("RELAY_URL", self.relay.url()).set("RELAY_CURSOR", 0).set("APPVIEW_QUEUE__PARTITIONS", PARTITIONS);
        daemon.set("REDIS_URL", self.redis.url()).set("DATABASE_URL", self.postgres.url());
        daemon
    }

    /// What must be held after all frames that were sent.
    pub fn oracle(&self) -> Oracle {
        let mut oracle = Oracle::new(self.network.invalid() | &self.invalid);
        for (sent, frame) in self.frames.iter().enumerate() {
            if self.settled.contains(&sent) {
                oracle.settle();
            }
            oracle.play_bytes(frame);
        }
        oracle
    }

    /// Holds what PostgreSQL holds against the oracle of all frames that were sent; the oracle.
    pub async fn equals_model(&self) -> Oracle {
        let oracle = self.oracle();
        purge::finish(&self.postgres).await;
        judge::compare(&self.dump().await, &oracle).assert_equal("after all frames");
        assert_eq!(dump::miscounts(&self.postgres.connect().await).await, Vec::<String>::new(), "counts and rows");
        assert_eq!(dump::unsearched(&self.postgres.connect().await).await, Vec::<String>::new(), "tokens and records");
        oracle
    }

    /// Waits until everything that was sent is applied and every deleted account is purged: nothing that is sent from now on can change
    /// places with what was sent before.
    pub async fn settle(&mut self, secs: u64) {
        let seq = self.relay.log().head().seq;
        let client = self.postgres.connect().await;
        eventually(&format!("everything up to {seq} is applied"), secs, async || {
            let sql = "SELECT (SELECT min(seq) FROM stream_offset) >= $1 AND NOT EXISTS (SELECT 1 FROM repo WHERE purge)";
            client.query_one(sql, &[&seq]).await.is_ok_and(|row| row.get::<_, Option<bool>>(0) == Some(true))
        })
        .await;
        self.settled.push(self.frames.len());
    }

    /// What PostgreSQL holds.
    pub async fn dump(&self) -> Vec<String> {
        dump::lines(&self.postgres.connect().await).await
    }

    /// A field of every partition's positions in Redis, as (epoch, seq).
    fn at(&self, field: &str) -> Vec<(i64, i64)> {
        let key = |part: u16| format!("firehose:events:{{{}:{part}}}:at", self.relay.source());
        let read = |part| position(self.redis.cli(&["HGET", &key(part), field]).trim());
        (0..PARTITIONS).filter_map(read).collect()
    }

    /// Where each partition of the queue ends; those that are not there are left out.
    pub fn positions(&self) -> Vec<(i64, i64)> {
        self.at("pos")
    }

    /// The numbers up to which each partition of the queue was trimmed.
    pub fn floors(&self) -> Vec<i64> {
        self.at("floor").into_iter().map(|(_, seq)| seq).collect()
    }

    /// Whether every partition of the queue has everything up to `seq`.
    pub fn queued(&self, seq: i64) -> bool {
        let positions = self.positions();
        positions.len() == usize::from(PARTITIONS) && positions.iter().all(|(_, at)| *at >= seq)
    }

    /// Number of the last frame that ingest has noted.
    pub fn seen(&self) -> i64 {
        let key = format!("firehose:events:{{{}}}:seen", self.relay.source());
        self.redis.cli(&["HGET", &key, "seq"]).trim().parse().unwrap_or(-1)
    }

    /// Where each partition is applied.
    pub async fn offsets(&self) -> Vec<i64> {
        let rows = self.postgres.connect().await.query("SELECT seq FROM stream_offset", &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Where each partition is applied in that epoch; -1 where it is in another.
    pub async fn offsets_in(&self, epoch: i64) -> Vec<i64> {
        let rows = self.postgres.connect().await.query("SELECT epoch, seq FROM stream_offset", &[]).await.unwrap();
        rows.iter().map(|row| if row.get::<_, i64>(0) == epoch { row.get(1) } else { -1 }).collect()
    }

    /// Has the relay send `events` messages of another network too.
    pub fn send_of(&mut self, network: &mut Network, events: usize) {
        self.frames.extend(self.relay.send(network, events));
        self.invalid.extend(network.invalid());
    }

    /// Has the network make `events` messages and the relay send them; the number of the last.
    pub fn send(&mut self, events: usize) -> i64 {
        self.frames.extend(self.relay.send(&mut self.network, events));
        self.relay.log().head().seq
    }
}

/// `<epoch>-<seq>`.
fn position(text: &str) -> Option<(i64, i64)> {
    let (epoch, seq) = text.split_once('-')?;
    Some((epoch.parse().ok()?, seq.parse().ok()?))
}
