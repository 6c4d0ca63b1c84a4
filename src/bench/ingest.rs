//! `bench ingest`: relay -> Redis -> PostgreSQL with real processes, from the first frame to the last event or the end of the time.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::process::Command;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::ceiling::{self, Extent};
use super::child::Child;
use super::report::Report;
use super::storage::{Index, Table, Weight};
use super::watch::{Sample, Who};
use super::{Options, counters, process};
use crate::db::{Client, pool, size};

/// initdb, migration and start on a busy machine.
const START: Duration = Duration::from_mins(3);
/// Nothing was applied for so long: it will not be.
const STALL: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);
/// How often the log says how far it is, in samples.
const TOLD: usize = 5;
/// Frames that the relay keeps: half of them at most are ahead of the daemon, so that it may connect again.
const WINDOW: usize = 20_000;
/// Redis memory at which ingest waits for the worker, unless another is set: small, so that after some seconds both run at one speed and
/// what is measured is the whole way, not first one half of it and then the other.
const HIGH_WATER: &str = "queue.high_water=50331648";
/// Ports from which connections do not start on Linux.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// Runs the benchmark until everything is applied, `options.seconds` have passed, or `stop`.
///
/// # Errors
/// A child that does not start, ends, or gets nothing done; a stop before there was anything to report.
pub async fn ingest(options: &Options, stop: &CancellationToken) -> anyhow::Result<Report> {
    let (port, relay_port) = (free_port()?, free_port()?);
    let mut daemon = start_daemon(options, port, relay_port)?;
    let outcome = measure(options, &mut daemon, port, relay_port, stop).await;
    let outcome = outcome.with_context(|| format!("the end of the daemon's log: {}", daemon.tail()));
    daemon.stop().await;
    outcome
}

/// A port that nobody has.
pub(super) fn free_port() -> anyhow::Result<u16> {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (0..100).map(|_| fastrand::u16(PORTS)).find(is_free).context("no free port")
}

fn start_daemon(options: &Options, port: u16, relay_port: u16) -> anyhow::Result<Child> {
    let mut command = Command::new(&options.program);
    command.args(["run", "--roles", "ingest,worker,api", "--set", HIGH_WATER]);
    command.args(options.settings.iter().flat_map(|setting| ["--set", setting]));
    let mut environment = vec![
        ("APPVIEW_DATA_DIR", options.folder.join("data").display().to_string()),
        ("RELAY_URL", format!("ws://127.0.0.1:{relay_port}")),
        ("RELAY_CURSOR", "0".to_owned()),
        ("HOST", "127.0.0.1".to_owned()),
        ("PORT", port.to_string()),
        ("CONSUMER_ID", "bench".to_owned()),
        ("LOG_LEVEL", "info".to_owned()),
    ];
    environment.extend(options.redis.clone().map(|url| ("REDIS_URL", url)));
    environment.extend(options.database.clone().map(|url| ("DATABASE_URL", url)));
    Child::start("daemon", command, &environment, &options.folder)
}

/// A relay that serves a recording as fast as it is read.
pub(super) fn start_relay(program: &Path, recording: &Path, folder: &Path, port: u16) -> anyhow::Result<Child> {
    let mut command = Command::new(program);
    let listen = SocketAddr::from(([127, 0, 0, 1], port)).to_string();
    command.args(["sandbox", "--rate", "0", "--window", &WINDOW.to_string(), "--listen", &listen, "--replay"]).arg(recording);
    Child::start("relay", command, &[("LOG_LEVEL", "info".to_owned())], folder)
}

async fn measure(options: &Options, daemon: &mut Child, port: u16, relay_port: u16, stop: &CancellationToken) -> anyhow::Result<Report> {
    ready(daemon, port, stop).await?;
    let url = options.database.as_ref().unwrap_or(&options.own_database);
    let database = pool::writer(url, 1)?.get().await.context("no connection to the database")?;
    let backend = u32::try_from(size::backend(&database).await?).unwrap_or(0);
    let wal = size::wal(&database).await?;
    let mut relay = start_relay(&options.program, &options.recording.path, &options.folder, relay_port)?;
    let who = Who {
        port,
        daemon: daemon.pid,
        relay: relay.pid,
        redis: process::child(daemon.pid, "redis"),
        postgres: process::parent(backend, "postgres"),
    };
    let samples = sample(options, daemon, &mut relay, who, stop).await;
    relay.stop().await;
    let samples = samples?;
    let weight = Weight {
        wal: u64::try_from(size::wal(&database).await? - wal).unwrap_or(0),
        tables: tables(&database).await?,
        peak_memory: process::peak_memory(daemon.pid),
    };
    let mut report = Report::new(options, &samples, weight)?;
    tracing::info!("measuring the ceiling");
    let extent = Extent { batch: report.batch(), events: report.applied, time: Duration::from_secs(options.seconds) };
    report.ceiling = Some(ceiling::measure(url, options.events_of, &options.recording.path, extent, stop).await?);
    Ok(report)
}

/// All tables with their rows and indexes.
async fn tables(database: &Client) -> anyhow::Result<Vec<Table>> {
    let mut tables: Vec<Table> = Vec::new();
    for relation in size::relations(database).await? {
        let bytes = u64::try_from(relation.bytes)?;
        if let (Some(name), Some(table)) = (relation.index, tables.last_mut()) {
            table.indexes.push(Index { name, bytes });
        } else {
            let rows = u64::try_from(size::rows(database, &relation.table).await?)?;
            tables.push(Table { name: relation.table, rows, bytes, indexes: Vec::new() });
        }
    }
    Ok(tables)
}

/// Waits until the daemon would read a relay, if there were one.
async fn ready(daemon: &mut Child, port: u16, stop: &CancellationToken) -> anyhow::Result<()> {
    tracing::info!("the daemon starts");
    let begun = Instant::now();
    loop {
        daemon.check()?;
        if let Ok(status) = counters::status(port).await
            && status.worker.is_some_and(|worker| worker.problem.is_none())
            && status.api.is_some_and(|api| api.problem.is_none())
        {
            return Ok(());
        }
        if begun.elapsed() > START {
            bail!("the daemon is not ready after {} s", START.as_secs());
        }
        if stop.run_until_cancelled(sleep(SECOND / 10)).await.is_none() {
            bail!("stopped before the daemon was ready");
        }
    }
}

/// Samples from the first frame on.
async fn sample(
    options: &Options,
    daemon: &mut Child,
    relay: &mut Child,
    who: Who,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<Sample>> {
    let mut samples: Vec<Sample> = vec![Sample::take(who).await?];
    let (mut moved, mut next) = (Instant::now(), Instant::now());
    loop {
        next += SECOND;
        if stop.run_until_cancelled(tokio::time::sleep_until(next.into())).await.is_none() {
            bail!("stopped");
        }
        daemon.check()?;
        relay.check()?;
        let sample = Sample::take(who).await?;
        if sample.read == 0 {
            samples.clear();
        }
        if samples.last().is_none_or(|last| last.applied < sample.applied) {
            moved = Instant::now();
        }
        if samples.len() % TOLD == 1 {
            tell(options, &samples, &sample);
        }
        let done = sample.applied >= options.recording.frames;
        samples.push(sample);
        let begun = samples.first().map_or(0, |first| first.at.elapsed().as_secs());
        if done || begun >= options.seconds {
            return Ok(samples);
        }
        if moved.elapsed() > STALL {
            bail!("nothing was applied for {} s", STALL.as_secs());
        }
    }
}

fn tell(options: &Options, samples: &[Sample], now: &Sample) {
    let before = samples.iter().rev().nth(TOLD - 1).or(samples.first());
    let rate = before.map_or(0.0, |before| {
        let events = u32::try_from(now.applied.saturating_sub(before.applied)).unwrap_or(u32::MAX);
        f64::from(events) / (now.at - before.at).as_secs_f64().max(0.001)
    });
    let (of, held_back) = (options.recording.frames, now.held_back);
    tracing::info!(
        applied = now.applied,
        of,
        per_second = format!("{rate:.0}"),
        read = now.read,
        queued = now.queued,
        held_back,
        "applying"
    );
}
