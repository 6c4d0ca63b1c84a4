//! A whole AppView for one test: a private PostgreSQL and Redis, a relay, a seeded network, and as many daemons as the test wants.

use appviewd::sandbox::Network;
use tempfile::TempDir;

use super::daemon::Daemon;
use super::model::Model;
use super::postgres::Postgres;
use super::redis::Redis;
use super::relay::TestRelay;
use super::{difference, dump};

/// Accounts of a test's network: few, so that they meet often.
const ACCOUNTS: usize = 30;

/// Partitions of a test's queue.
const PARTITIONS: u16 = 4;
/// Differing lines that a failing test shows.
const SHOWN: usize = 12;

/// Ends with the test.
pub struct Stack {
    pub postgres: Postgres,
    pub redis: Redis,
    pub relay: TestRelay,
    pub network: Network,
    /// Every frame that was sent, in order: what the model is given.
    pub frames: Vec<Vec<u8>>,
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
        Self { postgres, redis, relay: TestRelay::start(), network: Network::new(seed, ACCOUNTS), frames: Vec::new(), dir }
    }

    /// A daemon with these roles, not yet started: it reads the relay from its beginning, and has 4 partitions.
    pub fn daemon(&self, name: &str, roles: &str) -> Daemon {
        let mut daemon = Daemon::new(name, roles, self.dir.path());
        daemon.set("RELAY_URL", self.relay.url()).set("RELAY_CURSOR", 0).set("APPVIEW_QUEUE__PARTITIONS", PARTITIONS);
        daemon.set("REDIS_URL", self.redis.url()).set("DATABASE_URL", self.postgres.url());
        daemon
    }

    /// Holds what PostgreSQL holds against the in-order model of all frames that were sent; the model.
    pub async fn equals_model(&self) -> Model {
        let model = Model::of(&self.frames, self.network.invalid());
        let (held, expected) = (self.dump().await, model.lines());
        let missing = difference(&expected, &held);
        let extra = difference(&held, &expected);
        let few = |lines: &[String]| lines.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n  ");
        assert!(
            missing.is_empty() && extra.is_empty(),
            "PostgreSQL is not the model: of {} lines {} missing, {} too many\nmissing:\n  {}\ntoo many:\n  {}",
            expected.len(),
            missing.len(),
            extra.len(),
            few(&missing),
            few(&extra)
        );
        model
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
