//! `bench api`: what the API of a daemon does over a network of known size and skew. The daemon is a child process with the api role alone,
//! the load is made here. No page is timed before it was seen to be whole.

mod chance;
mod client;
mod data;
mod directory;
mod load;
mod meter;
mod methods;
mod report;
mod writing;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tokio::process::Command;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::client::{Target, try_out};
use self::directory::Directory;
use self::load::{closed, open};
use self::meter::Meter;
use self::methods::{METHODS, Method};
use self::report::{Closed, Measured, Open};
use super::child::Child;
use super::{Recording, counters, process};
use crate::db::{pool, statements};

pub use self::data::{Data, Plan, Readers};
pub use self::report::Report;
use self::writing::Writer;
pub use self::writing::Writing;
pub(in crate::bench) use data::{LEAST, MOST};

/// The daemon starts on a database that is there.
const START: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(50);
/// Pages of a method that are looked at before it is timed.
const TRIED: usize = 25;
/// Loops are warm after this part of their time: caches, plans, and PostgreSQL's figures, which come a second late.
const WARM: u32 = 4;
/// The connections with which a method is made warm.
const WARM_CONNECTIONS: u32 = 16;

/// A run of `bench api`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the data is, or is to be; the daemon's log goes there too.
    pub folder: PathBuf,
    /// Its PostgreSQL, which runs.
    pub database: String,
    pub seed: u64,
    pub records: u32,
    /// Whether PostgreSQL is asked what each statement costs; it has to have loaded `pg_stat_statements` for it.
    pub statements: bool,
    /// Of each loop.
    pub seconds: u32,
    /// Only methods whose name begins with one of these; all where there are none.
    pub only: Vec<String>,
    /// Of closed loops.
    pub connections: Vec<u32>,
    /// Whether there are open loops.
    pub rates: bool,
    /// What clients say that they can read: `gzip`, `zstd`.
    pub encoding: Option<String>,
    /// What is written meanwhile; the database is another one afterwards.
    pub writing: Option<Writing>,
    /// The program whose `run` is measured.
    pub program: PathBuf,
    /// `section.key=value` for the daemon.
    pub settings: Vec<String>,
}

/// Makes the data where there is none, and has PostgreSQL load at its next start what is asked of it.
///
/// # Errors
/// See [`Data::of`]; `pg_stat_statements` that is not installed.
pub async fn prepare(options: &Options, stop: &CancellationToken) -> anyhow::Result<Data> {
    chosen(&options.only)?;
    ensure!((LEAST..=MOST).contains(&options.records), "--records: from {LEAST} to {MOST}");
    let data = Data::of(&options.folder, &options.database, options.seed, options.records, stop).await?;
    info!(records = data.plan.records, made_in_seconds = data.made_in, "data is ready");
    let client = pool::writer(&options.database, 1)?.get().await.context("no connection to the database")?;
    statements::load_at_next_start(&client, options.statements).await.context("--statements needs pg_stat_statements")?;
    Ok(data)
}

/// Measures the API over `data`.
///
/// # Errors
/// A daemon that does not start or ends, a page that is not whole, a stop.
pub async fn api(options: &Options, data: Data, stop: &CancellationToken) -> anyhow::Result<Report> {
    let chosen = chosen(&options.only)?;
    if let Some(seconds) = data.is_old() {
        warn!(hours = seconds / 3_600, "the newest post is old: timelines look further back than they would");
    }
    let directory = Directory::start().await?;
    let port = super::ingest::free_port()?;
    let mut daemon = start(options, port, &directory)?;
    let target =
        Target { address: SocketAddr::from(([127, 0, 0, 1], port)), data, encoding: options.encoding.clone(), key: directory.key.clone() };
    let outcome = beside_writer(options, &chosen, &mut daemon, Arc::new(target), stop).await;
    let outcome = outcome.with_context(|| format!("the end of the daemon's log: {}", daemon.tail()));
    daemon.stop().await;
    outcome
}

/// The methods whose names begin with one of `only`.
fn chosen(only: &[String]) -> anyhow::Result<Vec<Method>> {
    let is_chosen = |method: &&Method| only.is_empty() || only.iter().any(|name| method.name.starts_with(name.as_str()));
    let chosen: Vec<Method> = METHODS.iter().filter(is_chosen).copied().collect();
    let names = || METHODS.iter().map(|method| method.name).collect::<Vec<_>>().join(", ");
    ensure!(!chosen.is_empty(), "--only: there are {}", names());
    Ok(chosen)
}

fn start(options: &Options, port: u16, directory: &Directory) -> anyhow::Result<Child> {
    let mut command = Command::new(&options.program);
    // The limit is for clients, and all of this load has one address.
    command.args(["run", "--roles", "api", "--set", "http.requests_per_second=0"]);
    command.args(options.settings.iter().flat_map(|setting| ["--set", setting]));
    let environment = [
        ("APPVIEW_DATA_DIR", options.folder.join("none").display().to_string()),
        ("DATABASE_URL", options.database.clone()),
        ("PLC_URL", directory.url.clone()),
        ("APPVIEW_DID", directory::SERVICE.to_owned()),
        ("HOST", "127.0.0.1".to_owned()),
        ("PORT", port.to_string()),
        ("LOG_LEVEL", "info".to_owned()),
    ];
    Child::start("daemon", command, &environment, &options.folder)
}

async fn ready(daemon: &mut Child, port: u16) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        daemon.check()?;
        if let Ok(status) = counters::status(port).await
            && status.api.is_some_and(|api| api.problem.is_none())
        {
            return Ok(());
        }
        if begun.elapsed() > START {
            bail!("the daemon is not ready after {} s", START.as_secs());
        }
        sleep(TICK).await;
    }
}

async fn beside_writer(
    options: &Options,
    chosen: &[Method],
    daemon: &mut Child,
    target: Arc<Target>,
    stop: &CancellationToken,
) -> anyhow::Result<Report> {
    ready(daemon, target.address.port()).await?;
    let writer = match &options.writing {
        Some(writing) => Some(Writer::start(options, writing).await?),
        None => None,
    };
    let mut meter = Meter::new(daemon.pid, &options.database, options.statements, writer).await?;
    let outcome = measure(options, chosen, daemon, target, &mut meter, stop).await;
    if let Some(writer) = meter.writer.take() {
        writer.stop().await;
    }
    outcome
}

async fn measure(
    options: &Options,
    chosen: &[Method],
    daemon: &mut Child,
    target: Arc<Target>,
    meter: &mut Meter,
    stop: &CancellationToken,
) -> anyhow::Result<Report> {
    let (mut methods, mut absent) = (Vec::new(), Vec::new());
    for method in chosen {
        match try_out(&target, method, TRIED).await.with_context(|| method.name)? {
            None => absent.push(method.name),
            Some(answer_bytes) => {
                let measured = stop.run_until_cancelled(one(options, *method, answer_bytes, &target, meter)).await;
                methods.push(measured.context("stopped")??);
            }
        }
        daemon.check()?;
        if let Some(writer) = &mut meter.writer {
            writer.check()?;
        }
    }
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        cpus: std::thread::available_parallelism().map_or(1, Into::into),
        debug_build: cfg!(debug_assertions),
        made_in: target.data.made_in,
        data: target.data.plan.clone(),
        settings: options.settings.clone(),
        encoding: options.encoding.clone(),
        methods,
        absent,
        daemon_peak_memory_bytes: meter.peak_memory(),
    })
}

async fn one(options: &Options, method: Method, answer_bytes: usize, target: &Arc<Target>, meter: &Meter) -> anyhow::Result<Measured> {
    let time = Duration::from_secs(options.seconds.into());
    let mut measured = Measured { name: method.name, nsid: method.nsid, answer_bytes, closed: Vec::new(), open: Vec::new() };
    closed(target, method, WARM_CONNECTIONS, time / WARM).await?;
    for connections in &options.connections {
        meter.forget().await?;
        let before = meter.read().await?;
        let outcome = closed(target, method, *connections, time).await?;
        let figures = Closed::new(*connections, outcome, before, meter.read().await?, &meter.statements().await?);
        info!(method = method.name, connections, per_second = format!("{:.0}", figures.per_second), "measured");
        measured.closed.push(figures);
    }
    for rate in method.rates.iter().filter(|_| options.rates) {
        let before = meter.read().await?;
        let outcome = open(target, method, *rate, time).await?;
        let figures = Open::new(*rate, outcome, before, meter.read().await?);
        info!(method = method.name, rate, p99 = format!("{:.1}", figures.latency.p99), "measured");
        measured.open.push(figures);
    }
    Ok(measured)
}
