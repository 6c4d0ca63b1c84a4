//! What a round does to whom and when, chosen by its seed alone.

use std::fmt;

use fastrand::Rng;

/// Steps of a round; in each the relay sends something.
pub const TICKS: usize = 30;
/// Steps at the beginning of a round in which nothing goes wrong, so that there is something to lose.
const QUIET: usize = 3;
/// Steps at its end that are left to what still lasts.
const LAST: usize = 2;
/// Attempts to find a place for one more fault among those that are there.
const ATTEMPTS: usize = 300;

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    KillDaemon,
    StopDaemon,
    FreezeDaemon,
    /// The process dies at this failpoint.
    DieAt(&'static str),
    KillRedis,
    CutAof,
    EmptyRedis,
    RedisFull,
    RedisDiskFull,
    RedisStalls,
    RedisRefuses,
    /// Answers of this script are lost.
    LoseAnswers(&'static str),
    KillPostgres,
    OlderPostgres,
    PostgresDiskFull,
    PostgresStalls,
    PostgresRefuses,
    LoseCommits,
    RelayDrops,
    RelayStalls,
    RelayRepeats,
    RelayRewinds,
    RelaySendsGarbage,
    RelaySendsAnError,
    /// The relay begins its numbers anew, further up; it has lost nothing.
    RelayRenumbersUp,
    /// The same from 1, after it has forgotten what everybody has applied.
    RelayRenumbersDown,
    /// Not planned: the network deletes accounts by itself, whose rows are purged while all of this happens.
    AccountDeleted,
}

use Fault::{
    AccountDeleted, CutAof, DieAt, EmptyRedis, FreezeDaemon, KillDaemon, KillPostgres, KillRedis, LoseAnswers, LoseCommits, OlderPostgres,
    PostgresDiskFull, PostgresRefuses, PostgresStalls, RedisDiskFull, RedisFull, RedisRefuses, RedisStalls, RelayDrops, RelayRenumbersDown,
    RelayRenumbersUp, RelayRepeats, RelayRewinds, RelaySendsAnError, RelaySendsGarbage, RelayStalls, StopDaemon,
};

/// Every fault; one that stands here twice is chosen twice as often.
const ALL: &[Fault] = &[
    KillDaemon,
    KillDaemon,
    StopDaemon,
    FreezeDaemon,
    FreezeDaemon,
    DieAt("ingest.before_append"),
    DieAt("ingest.after_append"),
    DieAt("worker.before_commit"),
    DieAt("worker.after_commit"),
    DieAt("worker.before_trim"),
    DieAt("worker.after_trim"),
    KillRedis,
    CutAof,
    CutAof,
    EmptyRedis,
    EmptyRedis,
    RedisFull,
    RedisDiskFull,
    RedisDiskFull,
    RedisStalls,
    RedisRefuses,
    LoseAnswers("append"),
    LoseAnswers("advance"),
    LoseAnswers("trim"),
    LoseAnswers("begin"),
    KillPostgres,
    OlderPostgres,
    OlderPostgres,
    PostgresDiskFull,
    PostgresDiskFull,
    PostgresStalls,
    PostgresRefuses,
    LoseCommits,
    LoseCommits,
    RelayDrops,
    RelayStalls,
    RelayRepeats,
    RelayRewinds,
    RelaySendsGarbage,
    RelaySendsAnError,
    RelayRenumbersUp,
    RelayRenumbersDown,
];

/// Whom a fault needs: nobody else may break it meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Party {
    Daemon(usize),
    Redis,
    Postgres,
    Relay,
}

/// Which processes a round has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One that ingests and two workers.
    Split,
    /// Two that each do both.
    Pair,
}

impl Layout {
    /// Name and roles of each process; the first one ingests, the last one works.
    pub fn processes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Split => &[("ingest", "ingest"), ("one", "worker"), ("two", "worker")],
            Self::Pair => &[("one", "ingest,worker"), ("two", "ingest,worker")],
        }
    }
}

/// A fault with its time: from the beginning of one step to the beginning of a later one.
#[derive(Debug, Clone, Copy)]
pub struct Planned {
    pub fault: Fault,
    pub from: usize,
    pub to: usize,
    /// The process that it befalls, where it befalls one.
    pub daemon: usize,
    /// How bad it is, 0..100: what that means is the fault's own affair.
    pub degree: u64,
}

/// A round.
#[derive(Debug)]
pub struct Plan {
    pub seed: u64,
    pub layout: Layout,
    /// Nothing goes wrong before every process has begun to work; in the other rounds faults meet them as they start.
    pub calm: bool,
    /// Messages that the relay sends in each step.
    pub events: usize,
    /// The step at which a backup of PostgreSQL is taken.
    pub backup: usize,
    pub faults: Vec<Planned>,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let layout = rng.choice([Layout::Split, Layout::Pair]).unwrap();
        let mut plan =
            Self { seed, layout, calm: seed.is_multiple_of(2), events: 100, backup: rng.usize(QUIET..TICKS / 2), faults: Vec::new() };
        let wanted = rng.usize(6..=10);
        for _ in 0..ATTEMPTS {
            if plan.faults.len() == wanted {
                break;
            }
            let planned = plan.draw(&mut rng);
            if !plan.faults.iter().any(|other| plan.disturbs(&planned, other)) && plan.is_possible(&planned) {
                plan.faults.push(planned);
            }
        }
        plan.faults.sort_by_key(|planned| planned.from);
        plan
    }

    fn draw(&self, rng: &mut Rng) -> Planned {
        let last = self.layout.processes().len() - 1;
        let fault = *rng.choice(ALL).unwrap();
        let from = rng.usize(QUIET..TICKS - LAST - 1);
        let daemon = match fault {
            DieAt(failpoint) if failpoint.starts_with("ingest") => 0,
            DieAt(_) => last,
            _ => rng.usize(0..=last),
        };
        Planned { fault, from, to: (from + rng.usize(1..=6)).min(TICKS - LAST), daemon, degree: rng.u64(0..100) }
    }

    /// A backup is there before it is restored, and nobody has PostgreSQL stopped while it is taken.
    fn is_possible(&self, planned: &Planned) -> bool {
        let lasts = planned.from <= self.backup && self.backup <= planned.to;
        match planned.fault {
            OlderPostgres => planned.from > self.backup + 1,
            _ => !(lasts && self.needs(planned).0.contains(&Party::Postgres)),
        }
    }

    /// Whom it breaks, and whom it needs unbroken to happen at all.
    fn needs(&self, planned: &Planned) -> (Vec<Party>, Vec<Party>) {
        use Party::{Daemon, Postgres, Redis, Relay};
        let (ingest, worker) = (Daemon(0), Daemon(self.layout.processes().len() - 1));
        let own = Daemon(planned.daemon);
        match planned.fault {
            KillDaemon | StopDaemon | FreezeDaemon => (vec![own], vec![]),
            DieAt(_) if own == worker => (vec![own], vec![Redis, Postgres, ingest]),
            DieAt(_) => (vec![own], vec![Redis]),
            KillRedis | CutAof | EmptyRedis | RedisStalls | RedisRefuses => (vec![Redis], vec![]),
            RedisFull | RedisDiskFull | LoseAnswers("append" | "advance") => (vec![Redis], vec![ingest]),
            LoseAnswers(_) => (vec![Redis], vec![Postgres, ingest, worker]),
            KillPostgres | OlderPostgres | PostgresStalls | PostgresRefuses => (vec![Postgres], vec![]),
            PostgresDiskFull | LoseCommits => (vec![Postgres], vec![Redis, ingest, worker]),
            RelayRenumbersUp => (vec![Relay], vec![]),
            AccountDeleted => (vec![], vec![]),
            RelayRenumbersDown => ((0..3).map(Daemon).chain([Redis, Postgres, Relay]).collect(), vec![]),
            RelayDrops | RelayStalls | RelayRepeats | RelayRewinds | RelaySendsGarbage | RelaySendsAnError => {
                (vec![Relay], vec![Redis, ingest])
            }
        }
    }

    fn disturbs(&self, a: &Planned, b: &Planned) -> bool {
        let ((breaks_a, needs_a), (breaks_b, needs_b)) = (self.needs(a), self.needs(b));
        let meet = |of: &[Party], with: &[Party]| of.iter().any(|party| with.contains(party));
        let clash = meet(&breaks_a, &breaks_b) || meet(&breaks_a, &needs_b) || meet(&needs_a, &breaks_b);
        clash && a.from <= b.to && b.from <= a.to
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "chaos, seed {}: {:?}, calm start: {}, {TICKS} steps of {} events, backup at step {}",
            self.seed, self.layout, self.calm, self.events, self.backup
        )?;
        for Planned { fault, from, to, daemon, degree } in &self.faults {
            writeln!(f, "  steps {from:>2} to {to:>2}  {fault:?} (process {daemon}, degree {degree})")?;
        }
        Ok(())
    }
}

#[test]
fn a_plan_is_its_seed_s_and_over_many_seeds_every_fault_is_there() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let plan = Plan::of(seed);
        assert_eq!(plan.to_string(), Plan::of(seed).to_string());
        assert!(plan.faults.len() >= 5, "{plan}");
        seen.extend(plan.faults.iter().map(|planned| planned.fault));
    }
    let missing: Vec<_> = ALL.iter().filter(|fault| !seen.contains(fault)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
