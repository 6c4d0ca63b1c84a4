//! One round: the relay sends, the plan's faults begin and end, everything is healed, and PostgreSQL must hold what the oracle expects.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use appviewd::atproto::frame::Frame;
use fastrand::Rng;
use tempfile::TempDir;

use super::act::Begun;
use super::plan::{Fault, Plan, Planned, TICKS};
use crate::support::daemon::Daemon;
use crate::support::eventually;
use crate::support::postgres::Postgres;
use crate::support::proxy::Proxy;
use crate::support::redis::Redis;
use crate::support::stack::Stack;

/// Megabytes of the disk of Redis: some times what a round writes there.
const REDIS_DISK: u64 = 64;
/// Megabytes of the disk of PostgreSQL: the cluster, its log and a round's rows.
const POSTGRES_DISK: u64 = 512;
/// Seconds in which everything that the relay sent is applied, once nothing is broken any more.
const HEALED: u64 = 120;
/// Milliseconds that a step lasts.
const STEP: std::ops::Range<u64> = 40..220;
/// Messages that are sent at once while a fault is waited for.
const TRICKLE: usize = 10;

/// What became of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Happened,
    /// It was set up and nobody met it.
    Missed,
    /// This machine does not permit it.
    Impossible,
}

/// What became of the faults of a round.
pub type Outcomes = BTreeMap<(Fault, Outcome), u64>;

pub(super) struct Round {
    /// Before the stack, in whose folder their logs lie: they show them when the round fails.
    pub daemons: Vec<Daemon>,
    pub stack: Stack,
    pub redis: Proxy,
    pub postgres: Proxy,
    pub backup: Option<TempDir>,
}

/// Plays the round of this seed to its end; the test fails where something was lost, doubled or hangs, and with `strict` where a planned fault
/// did not happen.
pub async fn play(seed: u64, strict: bool) -> Outcomes {
    let plan = Plan::of(seed);
    eprint!("{plan}");
    let mut round = Round::start(&plan).await;
    let mut outcomes = round.run(&plan).await;
    outcomes.insert((Fault::AccountDeleted, Outcome::Happened), round.deletions());
    for ((fault, outcome), times) in &outcomes {
        eprintln!("  {outcome:?} {times}: {fault:?}");
    }
    let missed: Vec<_> = outcomes.keys().filter(|(_, outcome)| *outcome == Outcome::Missed).collect();
    assert!(!strict || missed.is_empty(), "did not happen: {missed:?}");
    round.heals().await;
    round.stack.equals_model().await;
    for daemon in &mut round.daemons {
        assert!(daemon.stop().await.success(), "{} does not stop cleanly", daemon.name());
    }
    outcomes
}

impl Round {
    async fn start(plan: &Plan) -> Self {
        let (postgres, redis) = tokio::join!(Postgres::on_a_disk(POSTGRES_DISK), Redis::on_a_disk(REDIS_DISK));
        let stack = Stack::over(plan.seed, postgres, redis);
        let (redis, postgres) = (Proxy::in_front_of(&stack.redis.socket()), Proxy::of_postgres(stack.postgres.socket_dir()));
        let mut daemons = Vec::new();
        for (name, roles) in plan.layout.processes() {
            let mut daemon = stack.daemon(name, roles);
            daemon.set("REDIS_URL", redis.redis_url()).set("DATABASE_URL", postgres.postgres_url());
            daemon.set("APPVIEW_RELAY__STALL_SECONDS", 2).start().await;
            daemons.push(daemon);
        }
        let mut round = Self { daemons, stack, redis, postgres, backup: None };
        if plan.calm {
            round.stack.send(plan.events);
            let started = round.sends_until(HEALED, async |round| !round.stack.positions().is_empty()).await;
            assert!(started, "nothing is queued after a calm start");
        }
        round
    }

    async fn run(&mut self, plan: &Plan) -> Outcomes {
        let mut rng = Rng::with_seed(plan.seed ^ 1);
        let (mut lasting, mut outcomes): (Vec<(Planned, Begun)>, _) = (Vec::new(), Outcomes::new());
        let started = Instant::now();
        for tick in 0..TICKS {
            let over;
            (over, lasting) = lasting.into_iter().partition(|(planned, _)| planned.to == tick);
            for (planned, begun) in over {
                let outcome = self.end(&planned, begun).await;
                eprintln!("  {:>5.1} s step {tick:>2}: {:?} is over: {outcome:?}", started.elapsed().as_secs_f64(), planned.fault);
                *outcomes.entry((planned.fault, outcome)).or_default() += 1;
            }
            if tick == plan.backup {
                self.back_up().await;
            }
            for planned in plan.faults.iter().filter(|planned| planned.from == tick) {
                eprintln!("  {:>5.1} s step {tick:>2}: {:?} begins", started.elapsed().as_secs_f64(), planned.fault);
                let begun = self.begin(planned).await;
                lasting.push((*planned, begun));
            }
            self.nobody_gave_up(&lasting);
            self.stack.send(plan.events);
            tokio::time::sleep(Duration::from_millis(rng.u64(STEP))).await;
        }
        outcomes
    }

    /// A process that ends by itself, whatever happens around it, has given up.
    fn nobody_gave_up(&mut self, lasting: &[(Planned, Begun)]) {
        for (number, daemon) in self.daemons.iter_mut().enumerate() {
            let is_meant = |planned: &Planned| matches!(planned.fault, Fault::DieAt(_)) && planned.daemon == number;
            if !lasting.iter().any(|(planned, _)| is_meant(planned)) {
                assert_eq!(daemon.has_ended(), None, "{} ended by itself", daemon.name());
            }
        }
    }

    /// Waits until `seen` says so, while the relay sends a little all the time; whether it did within `secs` seconds.
    pub(super) async fn sends_until(&mut self, secs: u64, mut seen: impl AsyncFnMut(&mut Self) -> bool) -> bool {
        let end = Instant::now() + Duration::from_secs(secs);
        while Instant::now() < end {
            if seen(self).await {
                return true;
            }
            self.stack.send(TRICKLE);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        false
    }

    /// A copy of PostgreSQL's files, to be restored later.
    pub(super) async fn back_up(&mut self) {
        self.stack.postgres.stop();
        self.backup = Some(self.stack.postgres.backup());
        self.stack.postgres.restart().await;
    }

    /// How often the network has deleted an account.
    fn deletions(&self) -> u64 {
        let is_deletion =
            |frame: &&Vec<u8>| matches!(Frame::parse(frame), Ok(Frame::Account(account)) if account.status == Some("deleted"));
        u64::try_from(self.stack.frames.iter().filter(is_deletion).count()).unwrap()
    }

    /// Nothing is broken any more: everything that the relay sent becomes applied.
    async fn heals(&mut self) {
        self.nobody_gave_up(&[]);
        self.stack.send(TRICKLE * 10);
        self.is_applied("everything is applied").await;
        let client = self.stack.postgres.connect().await;
        eventually("deleted accounts are purged", 30, async || {
            client.query_one("SELECT count(*) FROM repo WHERE purge", &[]).await.unwrap().get::<_, i64>(0) == 0
        })
        .await;
    }

    /// Waits until every partition stands at the relay's newest number, all in one epoch.
    pub(super) async fn is_applied(&self, what: &str) {
        let head = self.stack.relay.log().head().seq;
        let client = self.stack.postgres.connect().await;
        let mut stands = Vec::new();
        let end = Instant::now() + Duration::from_secs(HEALED);
        loop {
            let rows = client.query("SELECT epoch, seq FROM stream_offset", &[]).await.unwrap();
            let offsets: Vec<(i64, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            let one_epoch = offsets.iter().all(|(epoch, _)| *epoch == offsets[0].0);
            if !offsets.is_empty() && one_epoch && offsets.iter().all(|(_, seq)| *seq >= head) {
                return;
            }
            if offsets != stands {
                stands.clone_from(&offsets);
            }
            let redis = self.stack.positions();
            assert!(
                Instant::now() < end,
                "in vain for {HEALED} s: {what}: the relay is at {head}, PostgreSQL at {stands:?}, Redis at {redis:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
