//! A whole AppView for one test: a private PostgreSQL and Redis, a relay, a seeded network, and as many daemons as the test wants.

use appviewd::sandbox::Network;
use tempfile::TempDir;

use super::daemon::Daemon;
use super::postgres::Postgres;
use super::redis::Redis;
use super::relay::TestRelay;

/// Accounts of a test's network: few, so that they meet often.
const ACCOUNTS: usize = 30;

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
        let dir = tempfile::Builder::new().prefix("avdm").tempdir_in("/tmp").unwrap();
        Self { postgres, redis, relay: TestRelay::start(), network: Network::new(seed, ACCOUNTS), frames: Vec::new(), dir }
    }

    /// A daemon with these roles, not yet started: it reads the relay from its beginning, and has 4 partitions.
    pub fn daemon(&self, name: &str, roles: &str) -> Daemon {
        let mut daemon = Daemon::new(name, roles, self.dir.path());
        daemon.set("RELAY_URL", self.relay.url()).set("RELAY_CURSOR", 0).set("APPVIEW_QUEUE__PARTITIONS", 4);
        daemon.set("REDIS_URL", self.redis.url()).set("DATABASE_URL", self.postgres.url());
        daemon
    }

    /// Has the network make `events` messages and the relay send them; the number of the last.
    pub fn send(&mut self, events: usize) -> i64 {
        self.frames.extend(self.relay.send(&mut self.network, events));
        self.relay.log().head().seq
    }
}
