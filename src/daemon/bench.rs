//! The commands `bench ...`: make what is needed, run, tell. The only place that knows both the sandbox and the benchmarks.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::commands::{load, print};
use super::embedded::{self, Servers};
use super::runtime;
use super::signals::Signals;
use crate::bench::{self, Options, Recording};
use crate::cli;
use crate::config::Sources;
use crate::config::ingest::Verify;
use crate::ingest::judge::{Verdict, judge};
use crate::sandbox::load as frames_of_size;
use crate::sandbox::recording;
use crate::telemetry::Telemetry;

/// How often the maker of a recording says how far it is.
const TOLD: Duration = Duration::from_secs(5);

/// Records frames, with a line of the log now and then.
pub fn frames(sources: &Sources, flags: &cli::BenchFrames) -> anyhow::Result<()> {
    load(sources)?;
    record(flags.load, &flags.file, &CancellationToken::new()).map(|_| ())
}

/// Runs `bench ingest` and prints its figures. `settings` are those of the command line, for the daemon that is measured.
pub fn ingest(sources: &Sources, settings: Vec<String>, flags: cli::BenchIngest) -> anyhow::Result<()> {
    load(sources)?;
    let folder = Folder::make(flags.keep.clone())?;
    let json = flags.json.clone();
    let report = runtime()?.block_on(async {
        let (mut signals, stop) = (Signals::new()?, CancellationToken::new());
        let mut work = std::pin::pin!(prepared(flags, settings, folder.path.clone(), stop.clone()));
        tokio::select! {
            report = &mut work => return report,
            _ = signals.next() => stop.cancel(),
        }
        work.await
    })?;
    if let Some(path) = json {
        fs::write(&path, serde_json::to_vec_pretty(&report)?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    print(&report.table())
}

/// Runs `bench api` and prints its figures. `settings` are those of the command line, for the daemon that is measured.
pub fn api(sources: &Sources, settings: Vec<String>, flags: cli::BenchApi) -> anyhow::Result<()> {
    let loaded = load(sources)?;
    let folder = Folder::of_data(flags.data.clone())?;
    let json = flags.json.clone();
    let report = runtime()?.block_on(async {
        let (mut signals, stop) = (Signals::new()?, CancellationToken::new());
        let mut work = std::pin::pin!(served(flags, settings, &folder.path, loaded.config.database.pool_size, stop.clone()));
        tokio::select! {
            report = &mut work => return report,
            _ = signals.next() => stop.cancel(),
        }
        work.await
    })?;
    let Some(report) = report else { return Ok(()) };
    if let Some(path) = json {
        fs::write(&path, serde_json::to_vec_pretty(&report)?).with_context(|| format!("cannot write {}", path.display()))?;
    }
    print(&report.table())
}

/// Makes the data and measures, with a PostgreSQL that outlives the daemon that asks it.
async fn served(
    flags: cli::BenchApi,
    settings: Vec<String>,
    folder: &Path,
    pool_size: usize,
    stop: CancellationToken,
) -> anyhow::Result<Option<bench::api::Report>> {
    let mut options = bench::api::Options {
        folder: folder.to_owned(),
        database: String::new(),
        seed: flags.seed,
        records: flags.records,
        statements: flags.statements,
        seconds: flags.seconds.max(1),
        only: flags.only,
        connections: flags.connections,
        rates: !flags.no_rates,
        encoding: flags.encoding,
        writing: None,
        program: std::env::current_exe().context("no path of this program")?,
        settings,
    };
    let cluster = folder.join("data");
    let data = beside_servers(&cluster, pool_size, false, async |url, _| {
        options.database = url;
        bench::api::prepare(&options, &stop).await
    });
    let data = data.await?;
    if flags.only_data {
        return Ok(None);
    }
    let (recording, copy) = if flags.while_writing {
        let load = cli::Load { seed: flags.seed, accounts: 1_000_000, events: flags.events, signed: false };
        (Some(frames_for(flags.frames, load, folder, &stop).await?), Some(Copy::make(folder.to_owned()).await?))
    } else {
        (None, None)
    };
    let place = copy.as_ref().map_or(folder, |copy| copy.0.as_path()).join("data");
    let tables = place.join("postgres/base");
    tokio::task::spawn_blocking(move || read_all(&tables)).await.context("reading the data panicked")?.context("cannot read the data")?;
    let report = beside_servers(&place, pool_size, recording.is_some(), async |url, redis| {
        options.database = url;
        options.writing = recording.zip(redis).map(|(recording, redis)| bench::api::Writing { recording, redis });
        bench::api::api(&options, data, &stop).await
    });
    report.await.map(Some)
}

/// Frames to be written: those given, those that an earlier run left, or new ones.
async fn frames_for(given: Option<PathBuf>, load: cli::Load, folder: &Path, stop: &CancellationToken) -> anyhow::Result<Recording> {
    let path = given.unwrap_or_else(|| folder.join(format!("frames-{}.bin", load.events)));
    let until = stop.clone();
    let work = move || if path.exists() { counted(&path, &until) } else { record(load, &path, &until) };
    tokio::task::spawn_blocking(work).await.context("the maker of frames panicked")?
}

/// Does `work` while a PostgreSQL, and a Redis where it is asked for, run on `data`; it is given their addresses.
async fn beside_servers<T>(
    data: &Path,
    pool_size: usize,
    redis: bool,
    work: impl AsyncFnOnce(String, Option<String>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut servers = Servers::new(data, Telemetry::new(&[]), CancellationToken::new())?;
    let started = async {
        let redis = if redis { Some(servers.start_redis().await?) } else { None };
        // For two daemons.
        anyhow::Ok((servers.start_postgres(pool_size * 2).await?, redis))
    };
    let outcome = match started.await {
        Ok((url, redis)) => work(url, redis).await,
        Err(error) => Err(error),
    };
    servers.stop().await;
    outcome
}

/// A copy of a cluster that does not run, to be written into; removed at the end.
struct Copy(PathBuf);

impl Copy {
    async fn make(folder: PathBuf) -> anyhow::Result<Self> {
        tokio::task::spawn_blocking(move || Self::made(&folder)).await.context("the copy of the data panicked")?
    }

    fn made(folder: &Path) -> anyhow::Result<Self> {
        let copy = Self(folder.join("written"));
        if copy.0.exists() {
            fs::remove_dir_all(&copy.0).with_context(|| format!("cannot remove {}", copy.0.display()))?;
        }
        copy_all(&folder.join("data/postgres"), &copy.0.join("data/postgres")).context("cannot copy the data")?;
        Ok(copy)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), error = %error, "cannot remove the copy of the data");
        }
    }
}

/// Reads all files once, so that they are in memory as far as that holds them: how fast a disk is must not be measured by chance.
fn read_all(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            read_all(&entry.path())?;
        } else if kind.is_file() {
            std::io::copy(&mut fs::File::open(entry.path())?, &mut std::io::sink())?;
        }
    }
    Ok(())
}

fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_all(&entry.path(), &to.join(entry.file_name()))?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

async fn prepared(
    flags: cli::BenchIngest,
    settings: Vec<String>,
    folder: PathBuf,
    stop: CancellationToken,
) -> anyhow::Result<bench::Report> {
    let made = folder.join("frames.bin");
    let (load, given, until) = (flags.load, flags.frames, stop.clone());
    let recording = tokio::task::spawn_blocking(move || match given {
        Some(path) => counted(&path, &until),
        None => record(load, &made, &until),
    });
    let recording = recording.await.context("the maker of frames panicked")??;
    info!(frames = recording.frames, bytes = recording.bytes, "frames are ready");
    let data = folder.join("data");
    fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
    let options = Options {
        recording,
        folder,
        seconds: flags.seconds,
        program: std::env::current_exe().context("no path of this program")?,
        redis: flags.redis,
        database: flags.database,
        own_database: embedded::postgres_of(&data)?,
        settings,
        events_of,
    };
    bench::ingest(&options, &stop).await
}

fn record(flags: cli::Load, path: &Path, stop: &CancellationToken) -> anyhow::Result<Recording> {
    let cli::Load { seed, accounts, events: frames, signed } = flags;
    let (started, mut told) = (Instant::now(), Instant::now());
    let options = frames_of_size::Options { seed, accounts, events: frames, signed };
    let bytes = frames_of_size::record(options, path, |made| {
        if told.elapsed() > TOLD {
            told = Instant::now();
            info!(made, of = frames, "frames recorded");
        }
        ensure!(!stop.is_cancelled(), "stopped");
        Ok(())
    })?;
    info!(frames, bytes, accounts, milliseconds = started.elapsed().as_millis(), file = %path.display(), "recording finished");
    Ok(Recording { path: path.to_owned(), frames, bytes })
}

/// Reads a recording to its end: how much it is.
fn counted(path: &Path, stop: &CancellationToken) -> anyhow::Result<Recording> {
    let path = path.canonicalize().with_context(|| format!("cannot read {}", path.display()))?;
    let (mut frames, mut bytes) = (0, 0);
    for frame in recording::Reader::open(&path).with_context(|| format!("cannot read {}", path.display()))? {
        ensure!(!stop.is_cancelled(), "stopped");
        bytes += frame.with_context(|| format!("{} is no recording", path.display()))?.len() as u64;
        frames += 1;
    }
    Ok(Recording { path, frames, bytes })
}

/// Reads and judges the frames of a recording as ingest does, but for the proofs: what is measured comes later.
fn events_of(path: &Path) -> anyhow::Result<bench::Events> {
    let event = |frame: std::io::Result<Vec<u8>>| match judge(&frame?, i64::MAX, Verify::Blocks) {
        Verdict::Event(judged) => Ok(judged.event),
        other => Err(anyhow!("a frame that is no event: {other:?}")),
    };
    Ok(Box::new(recording::Reader::open(path)?.map(event)))
}

/// The folder of a run; removed at its end unless it is to be kept.
struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    fn make(keep: Option<PathBuf>) -> anyhow::Result<Self> {
        let folder = Self::of_data(keep)?;
        ensure!(!folder.path.join("data").exists(), "{} holds an earlier run: choose another folder", folder.path.display());
        Ok(folder)
    }

    /// The same, where an earlier run may have left its data.
    fn of_data(keep: Option<PathBuf>) -> anyhow::Result<Self> {
        let kept = keep.is_some();
        let path = keep.unwrap_or_else(|| std::env::temp_dir().join(format!("appviewd-bench-{}", std::process::id())));
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self { path: path.canonicalize()?, kept })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(folder = %self.path.display(), error = %error, "cannot remove the folder of the run");
        }
    }
}
