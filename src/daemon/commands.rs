//! The commands beside `run`: each does one thing and ends.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::embedded::{self, Servers};
use super::signals::Signals;
use super::{log, runtime, stores};
use crate::cli;
use crate::collection::Coll;
use crate::config::{self, Config, Loaded, Problems, Sources};
use crate::db::dead_letter::{self, Filter};
use crate::db::pool;
use crate::index::{Index, Reindexed};
use crate::lexicon;
use crate::sandbox;
use crate::telemetry::Telemetry;

/// A daemon that does not answer within it is not well.
const ANSWER: Duration = Duration::from_secs(5);
/// Letters read at once; each may hold a record of 1 MB.
const PAGE: i64 = 50;
/// Longest answer that is read.
const MAX_ANSWER: u64 = 1 << 20;

/// Prints warnings, or fails with all mistakes.
pub fn config_check(sources: &Sources) -> anyhow::Result<()> {
    let loaded = config::load(sources)?;
    for warning in &loaded.warnings {
        print(&format!("warning: {warning}\n"))?;
    }
    print("the options hold together\n")
}

/// Prints the options in effect.
pub fn config_show(sources: &Sources) -> anyhow::Result<()> {
    print(&config::render(&config::load(sources)?))
}

/// Prints `/status` of the running daemon.
pub fn status(sources: &Sources) -> anyhow::Result<()> {
    let loaded = config::load(sources)?;
    let (_, body) = ask(&loaded.config, "/status")?;
    print(&format!("{}\n", body.trim_end()))
}

/// Succeeds where the running daemon is ready.
pub fn health(sources: &Sources) -> anyhow::Result<()> {
    let loaded = config::load(sources)?;
    match ask(&loaded.config, "/ready")? {
        (200, _) => Ok(()),
        (status, body) => bail!("not ready ({status}): {}", body.trim_end().replace('\n', "; ")),
    }
}

/// Migrates the database of these options.
pub fn migrate(sources: &Sources) -> anyhow::Result<()> {
    let loaded = load(sources)?;
    with_database(loaded.config, async |config| stores::migrate(config).await)
}

/// Prints dead letters, oldest first.
pub fn list_dead_letters(sources: &Sources, which: cli::Letters) -> anyhow::Result<()> {
    let (loaded, filter) = (load(sources)?, filter(which));
    with_database(loaded.config, async |config| {
        let client = pool::writer(stores::database_url(config)?, 1)?.get().await.context("no connection to the database")?;
        let mut after = 0;
        loop {
            let page = dead_letter::list(&client, &filter, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            print(&page.iter().map(line).collect::<String>())?;
        }
    })
}

/// `12 at://did/collection/rkey create 3k... reason`
fn line(stored: &dead_letter::Stored) -> String {
    let letter = &stored.letter;
    let (id, did, rev) = (stored.id, &stored.did, letter.rev);
    format!("{id} at://{did}/{}/{} {} {rev} {}\n", letter.coll, letter.rkey, letter.action, letter.reason.escape_debug())
}

/// Replays dead letters and says what came of it.
pub fn replay_dead_letters(sources: &Sources, which: cli::Letters) -> anyhow::Result<()> {
    let (loaded, filter) = (load(sources)?, filter(which));
    with_database(loaded.config, async |config| {
        let mut client = pool::writer(stores::database_url(config)?, 1)?.get().await.context("no connection to the database")?;
        let done = Index::new(config.index.clone()).replay(&mut client, &filter).await?;
        print(&format!("{} indexed, {} refused again, {} replaced in the meantime\n", done.applied, done.kept, done.gone))
    })
}

fn filter(which: cli::Letters) -> Filter {
    Filter { did: which.did, collection: which.collection, reason: which.reason }
}

/// Indexes the kept records of a collection again and says what came of it.
pub fn reindex(sources: &Sources, nsid: &str) -> anyhow::Result<()> {
    let coll = Coll::from_nsid(nsid).ok_or_else(|| {
        let known: Vec<&str> = Coll::known().filter_map(Coll::nsid).collect();
        Problems(vec![format!("--collection {nsid}: this version does not know it; it knows {}", known.join(", "))])
    })?;
    let loaded = load(sources)?;
    with_database(loaded.config, async |config| {
        let mut client = pool::writer(stores::database_url(config)?, 1)?.get().await.context("no connection to the database")?;
        let done = Index::new(config.index.clone()).reindex(&mut client, coll).await?;
        let Reindexed { renumbered, indexed, whole, refused, gone } = done;
        print(&format!(
            "{indexed} indexed, {whole} kept whole, {refused} cannot be indexed, {gone} replaced in the meantime; {renumbered} had another number\n"
        ))
    })
}

/// Prints what the lexicons under `folder` compile to.
pub fn compile_lexicons(folder: &Path) -> anyhow::Result<()> {
    let mut documents = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                documents.push(fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?);
            }
        }
    }
    print(&lexicon::compile(documents.iter().map(String::as_str))?)
}

/// Runs the sandbox until SIGTERM or SIGINT.
pub fn sandbox(sources: &Sources, flags: cli::Sandbox) -> anyhow::Result<()> {
    load(sources)?;
    let cli::Sandbox {
        seed,
        accounts,
        events,
        rate,
        listen,
        directory,
        appview,
        labeler,
        replay,
        record,
        expect,
        no_serve,
        window,
        fault: faults,
        fault_rate: fault_rates,
    } = flags;
    let options = sandbox::Options {
        seed,
        accounts,
        events,
        rate,
        listen,
        directory,
        appview,
        labeler,
        replay,
        record,
        expect,
        window,
        no_serve,
        faults,
        fault_rates,
    };
    runtime()?.block_on(async move {
        let mut signals = Signals::new()?;
        let stop = CancellationToken::new();
        let mut network = pin!(sandbox::run(options, stop.clone()).instrument(tracing::error_span!("role", role = "sandbox")));
        tokio::select! {
            outcome = &mut network => return outcome,
            _ = signals.next() => stop.cancel(),
        }
        network.await
    })
}

/// Options for a command that works on the stores, with a log.
pub(super) fn load(sources: &Sources) -> anyhow::Result<Loaded> {
    let loaded = config::load(sources)?;
    log(&loaded.config.log)?;
    Ok(loaded)
}

/// Does `work` with `database.url` set: to the operator's, to that of the daemon that runs on this `data_dir`, or to the embedded server,
/// started for as long as it takes.
fn with_database(mut config: Config, work: impl AsyncFnOnce(&Config) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let runtime = runtime()?;
    runtime.block_on(async move {
        if config.database.url.is_some() {
            return work(&config).await;
        }
        let mut servers = match Servers::new(&config.data_dir, Telemetry::new(&[]), CancellationToken::new()) {
            Ok(servers) => servers,
            Err(error) if embedded::is_taken(&error) => {
                config.database.url = Some(embedded::postgres_of(&config.data_dir)?);
                return work(&config).await;
            }
            Err(error) => return Err(error),
        };
        let outcome = match servers.start_postgres(config.database.pool_size).await {
            Ok(url) => {
                config.database.url = Some(url);
                work(&config).await
            }
            Err(error) => Err(error),
        };
        servers.stop().await;
        outcome
    })
}

/// Asks the daemon that runs with these options: at the api's address, else at `telemetry.listen`. Status code and body.
fn ask(config: &Config, path: &str) -> anyhow::Result<(u16, String)> {
    let api = (local(&config.http.host), config.http.port);
    let addresses = api.to_socket_addrs().into_iter().flatten().chain(config.telemetry.listen.to_socket_addrs().into_iter().flatten());
    let mut reason = anyhow::anyhow!("http.host names no address");
    for address in addresses {
        match fetch(address, path) {
            Ok(answer) => return Ok(answer),
            Err(error) => reason = error.context(format!("{address}{path}")),
        }
    }
    Err(reason.context("no daemon answers"))
}

/// Where a server that listens everywhere is reached from here.
fn local(host: &str) -> &str {
    match host {
        "0.0.0.0" => "127.0.0.1",
        "::" => "::1",
        host => host,
    }
}

/// One plain request, without a runtime: the commands that use it do nothing else.
fn fetch(address: SocketAddr, path: &str) -> anyhow::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.set_write_timeout(Some(ANSWER))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is no HTTP")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).context("the answer is no HTTP")?;
    Ok((status, body.to_owned()))
}

pub(super) fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot write to standard output")
}
