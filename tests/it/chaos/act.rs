//! How each fault is done, how it is undone, and how it is known that it really happened.

use std::time::{Duration, Instant};

use appviewd::sandbox::relay::Fault as RelayFault;

use super::plan::{Fault, Planned};
use super::round::{Outcome, Round};
use crate::support::eventually;
use crate::support::proxy::{APPLY_LOCK, Mode, Proxy};
use crate::support::redis::script_name;

/// Seconds in which a fault that was set up is met by somebody.
const MET: u64 = 30;
/// Seconds of a freeze that outlives what a frozen process holds: its lease and its open transaction.
const LONG_FREEZE: Duration = Duration::from_secs(12);
/// Of 100 freezes so many are long.
const LONG_FREEZES: u64 = 30;
/// Memory in which Redis cannot hold anything.
const NO_MEMORY: &str = "1mb";

/// What is remembered of a fault that lasts.
pub(super) struct Begun {
    at: Instant,
    /// The figure that must have moved when it is over.
    before: u64,
    /// What is known of it already.
    known: Option<Outcome>,
}

impl Begun {
    fn counting(before: u64) -> Self {
        Self { at: Instant::now(), before, known: None }
    }

    fn known(happened: bool) -> Self {
        Self { at: Instant::now(), before: 0, known: Some(outcome(happened)) }
    }
}

fn outcome(happened: bool) -> Outcome {
    if happened { Outcome::Happened } else { Outcome::Missed }
}

/// The relay's fault, and the name under which the relay counts it.
fn of_relay(planned: &Planned) -> Option<(RelayFault, &'static str)> {
    let many = usize::try_from(planned.degree).unwrap() * 5 + 1;
    let garbage = format!("\u{1}garbage {}", planned.degree).into_bytes();
    let fault = match planned.fault {
        Fault::RelayStalls => RelayFault::Stall,
        Fault::RelayRepeats => RelayFault::Repeat(many),
        Fault::RelayRewinds => RelayFault::Rewind(many),
        Fault::RelaySendsGarbage => RelayFault::Instead(garbage.into()),
        Fault::RelaySendsAnError => RelayFault::Error { error: "ConsumerTooSlow", message: "too slow" },
        _ => return None,
    };
    let name = fault.name();
    Some((fault, name))
}

impl Round {
    /// Begins a fault.
    pub(super) async fn begin(&mut self, planned: &Planned) -> Begun {
        let degree = planned.degree;
        match planned.fault {
            Fault::KillDaemon => Begun::known(self.daemons[planned.daemon].kill()),
            Fault::StopDaemon => Begun::known(self.daemons[planned.daemon].stop().await.success()),
            Fault::FreezeDaemon => {
                self.daemons[planned.daemon].freeze();
                Begun::counting(degree)
            }
            Fault::DieAt(failpoint) => {
                let daemon = &mut self.daemons[planned.daemon];
                daemon.kill();
                daemon.set("APPVIEW_FAILPOINT", format!("{failpoint}:{}", degree % 3 + 1)).spawn();
                Begun::counting(0)
            }
            Fault::KillRedis => Begun::known(self.stack.redis.kill()),
            Fault::CutAof => {
                self.redis.set(Mode::Refuse);
                Begun::known(self.cut_aof(degree % 60 + 1).await)
            }
            Fault::EmptyRedis => Begun::known(self.empty_redis()),
            Fault::RedisFull => {
                self.stack.redis.cli(&["CONFIG", "RESETSTAT"]);
                self.stack.redis.cli(&["CONFIG", "SET", "maxmemory", NO_MEMORY]);
                Begun::counting(0)
            }
            Fault::RedisDiskFull => filled(self.stack.redis.disk()),
            Fault::PostgresDiskFull => filled(self.stack.postgres.disk()),
            Fault::RedisStalls => stalled(&self.redis).await,
            Fault::PostgresStalls => stalled(&self.postgres).await,
            Fault::RedisRefuses => refused(&self.redis),
            Fault::PostgresRefuses => refused(&self.postgres),
            Fault::LoseAnswers(script) => {
                let before = self.redis.lost();
                self.redis.lose_answers(script_name(script).as_bytes(), degree % 3 + 1);
                if script == "begin" {
                    self.empty_redis();
                }
                Begun::counting(before)
            }
            Fault::LoseCommits => {
                let before = self.postgres.lost();
                self.postgres.lose_answers_after(APPLY_LOCK, b"COMMIT", degree % 3 + 1);
                Begun::counting(before)
            }
            Fault::KillPostgres => Begun::known(self.stack.postgres.kill()),
            Fault::OlderPostgres => Begun::known(self.restore().await),
            Fault::RelayDrops => {
                self.stack.relay.faults().drop_every(Some(40 + usize::try_from(degree).unwrap()));
                Begun::counting(self.stack.relay.faults().happened("drop"))
            }
            Fault::RelayRenumbersUp => Begun::known(self.renumber(1 + self.stack.relay.log().head().seq + degree.cast_signed())),
            Fault::RelayRenumbersDown => Begun::known(self.renumber_down().await),
            Fault::AccountDeleted => Begun::known(false),
            Fault::RelayStalls | Fault::RelayRepeats | Fault::RelayRewinds | Fault::RelaySendsGarbage | Fault::RelaySendsAnError => {
                let (fault, name) = of_relay(planned).unwrap();
                let before = self.stack.relay.faults().happened(name);
                self.stack.relay.faults().once(self.stack.relay.log().head().seq + degree.cast_signed(), fault);
                Begun::counting(before)
            }
        }
    }

    /// Ends it; what became of it.
    pub(super) async fn end(&mut self, planned: &Planned, begun: Begun) -> Outcome {
        let before = begun.before;
        let happened = match planned.fault {
            Fault::KillDaemon | Fault::StopDaemon => {
                self.daemons[planned.daemon].start().await;
                false
            }
            Fault::FreezeDaemon => self.thaw(planned, &begun).await,
            Fault::DieAt(_) => self.has_died(planned.daemon).await,
            Fault::KillRedis => {
                self.stack.redis.restart().await;
                false
            }
            Fault::CutAof => {
                self.redis.set(Mode::Pass);
                false
            }
            Fault::RedisFull => self.redis_was_full().await,
            Fault::RedisDiskFull => self.redis_disk_was_full().await,
            Fault::PostgresDiskFull => self.postgres_disk_was_full().await,
            Fault::RedisStalls | Fault::RedisRefuses => broken(&self.redis, planned.fault == Fault::RedisStalls, before),
            Fault::PostgresStalls | Fault::PostgresRefuses => broken(&self.postgres, planned.fault == Fault::PostgresStalls, before),
            Fault::LoseAnswers(_) => {
                let lost = self.sends_until(MET, async |round| round.redis.lost() > before).await;
                self.redis.keep_answers();
                lost
            }
            Fault::LoseCommits => {
                let lost = self.sends_until(MET, async |round| round.postgres.lost() > before).await;
                self.postgres.keep_answers();
                lost
            }
            Fault::KillPostgres => {
                self.stack.postgres.restart().await;
                false
            }
            Fault::RelayDrops => {
                let dropped = self.sends_until(MET, async |round| round.stack.relay.faults().happened("drop") > before).await;
                self.stack.relay.faults().drop_every(None);
                dropped
            }
            Fault::EmptyRedis | Fault::OlderPostgres | Fault::RelayRenumbersUp | Fault::RelayRenumbersDown | Fault::AccountDeleted => false,
            Fault::RelayStalls | Fault::RelayRepeats | Fault::RelayRewinds | Fault::RelaySendsGarbage | Fault::RelaySendsAnError => {
                let (_, name) = of_relay(planned).unwrap();
                self.sends_until(MET, async |round| round.stack.relay.faults().happened(name) > before).await
            }
        };
        begun.known.unwrap_or(outcome(happened))
    }

    async fn thaw(&mut self, planned: &Planned, begun: &Begun) -> bool {
        if planned.degree < LONG_FREEZES {
            self.sends_until(LONG_FREEZE.saturating_sub(begun.at.elapsed()).as_secs(), async |_| false).await;
        }
        let frozen = self.daemons[planned.daemon].is_frozen();
        self.daemons[planned.daemon].thaw();
        frozen
    }

    /// Waits until the process has died at its failpoint, and starts it without.
    async fn has_died(&mut self, daemon: usize) -> bool {
        let died = self.sends_until(MET, async |round| round.daemons[daemon].has_ended().is_some()).await;
        let daemon = &mut self.daemons[daemon];
        // Of a process that is gone already it is said how it ended: by this signal too.
        let killed = daemon.kill();
        daemon.unset("APPVIEW_FAILPOINT").start().await;
        died && killed
    }

    /// Cuts `percent` off the end of the append-only file, as a crash of its machine does.
    async fn cut_aof(&mut self, percent: u64) -> bool {
        let before = self.stack.positions();
        self.stack.redis.kill();
        self.stack.redis.cut_aof(self.stack.redis.aof_len() * percent / 100);
        self.stack.redis.restart().await;
        self.stack.positions() != before
    }

    fn empty_redis(&self) -> bool {
        let held = self.stack.redis.cli(&["DBSIZE"]).trim() != "0";
        held && self.stack.redis.cli(&["FLUSHALL"]).trim() == "OK"
    }

    /// Ingest holds back or is refused: either shows that Redis had no room.
    async fn redis_was_full(&mut self) -> bool {
        let full = self
            .sends_until(MET, async |round| {
                let refused = round.stack.redis.cli(&["INFO", "errorstats"]).contains("errorstat_OOM");
                refused || round.daemons[0].metric("appviewd_ingest_held_back").await > 0.0
            })
            .await;
        self.stack.redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
        full
    }

    async fn redis_disk_was_full(&mut self) -> bool {
        let full = self
            .sends_until(MET, async |round| round.stack.redis.cli(&["INFO", "persistence"]).contains("aof_last_write_status:err"))
            .await;
        self.stack.redis.disk().inspect(|disk| disk.free());
        full
    }

    async fn postgres_disk_was_full(&mut self) -> bool {
        let full = self.sends_until(MET, async |round| round.stack.postgres.said().contains("No space left on device")).await;
        self.stack.postgres.disk().inspect(|disk| disk.free());
        // Where its log could not be written the server has ended, or will: whoever runs it starts it again.
        tokio::time::sleep(Duration::from_millis(300)).await;
        if !self.stack.postgres.is_running() {
            self.stack.postgres.restart().await;
        }
        full
    }

    /// PostgreSQL is what it was at the backup; whether that is older.
    async fn restore(&mut self) -> bool {
        let Some(backup) = self.backup.take() else { return false };
        self.postgres.set(Mode::Refuse);
        let before = self.stack.offsets().await;
        self.stack.postgres.stop();
        self.stack.postgres.restore(&backup);
        self.stack.postgres.restart().await;
        self.backup = Some(backup);
        let older = self.stack.offsets().await != before;
        self.postgres.set(Mode::Pass);
        older
    }

    fn renumber(&self, first: i64) -> bool {
        let log = self.stack.relay.log();
        let before = log.head().numbering;
        log.renumber(first).unwrap();
        log.head().numbering > before
    }

    /// What the relay forgets nobody can fetch again: so it is applied everywhere, and no older backup is left.
    async fn renumber_down(&mut self) -> bool {
        self.is_applied("before the relay forgets").await;
        let head = self.stack.relay.log().head().seq;
        eventually("ingest has noted the last frame", 20, async || self.stack.seen() == head).await;
        let epoch = self.epoch().await;
        let log = self.stack.relay.log();
        let oldest = log.after(0, 1).first().map_or(0, |(seq, _)| *seq);
        log.forget(oldest.midpoint(head));
        let renumbered = self.renumber(1);
        let seen = self.sends_until(MET, async |round| round.epoch().await > epoch).await;
        self.is_applied("after the relay has forgotten").await;
        self.back_up().await;
        renumbered && seen
    }

    /// The lowest epoch that any partition is applied in.
    async fn epoch(&self) -> i64 {
        let client = self.stack.postgres.connect().await;
        client.query_one("SELECT coalesce(min(epoch), 0) FROM stream_offset", &[]).await.unwrap().get(0)
    }
}

fn filled(disk: Option<&crate::support::disk::Disk>) -> Begun {
    disk.inspect(|disk| disk.fill());
    Begun { at: Instant::now(), before: 0, known: disk.is_none().then_some(Outcome::Impossible) }
}

/// Nothing moves from now on; the answers that have gone by.
async fn stalled(proxy: &Proxy) -> Begun {
    proxy.set(Mode::Stall);
    // A piece that was under way arrives.
    tokio::time::sleep(Duration::from_millis(50)).await;
    Begun::counting(proxy.answered_bytes())
}

fn refused(proxy: &Proxy) -> Begun {
    let before = proxy.refused();
    proxy.set(Mode::Refuse);
    Begun::counting(before)
}

/// Lets everything pass again; whether nothing did.
fn broken(proxy: &Proxy, stalled: bool, before: u64) -> bool {
    let happened = if stalled { proxy.answered_bytes() == before } else { proxy.refused() > before };
    proxy.set(Mode::Pass);
    happened
}
