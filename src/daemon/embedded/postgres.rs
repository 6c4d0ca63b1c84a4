//! The private PostgreSQL cluster: made at first start, unix socket only, set for a write-heavy index on this machine.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::process::Signal;
use tokio::process::Command;
use tokio_postgres::NoTls;
use tracing::{Level, info};

use super::server::Server;
use super::user::{self, User};
use super::{leftover, program};

/// Its superuser; reachable through a folder that only we can enter.
const USER: &str = "appview";

const MIB: u64 = 1 << 20;
/// Shared buffers: a quarter of the memory, within these.
const SHARED_BUFFERS: (u64, u64) = (128 * MIB, 8192 * MIB);
/// Between checkpoints: full-page images double the cost of an event right after each (measured), so they are rare; but a small disk is
/// not to be filled with WAL: a tenth of what is free, within these.
const MAX_WAL: (u64, u64) = (1024 * MIB, 16_384 * MIB);
/// Connections besides the pools': superusers, the commands, psql.
const OTHER_CONNECTIONS: usize = 20;

/// Its address, and how to run it. Makes the cluster where there is none; stops what a killed daemon left running.
pub async fn prepare(data_dir: &Path, run_dir: &Path, user: Option<User>, pool_size: usize) -> anyhow::Result<(String, Server)> {
    let cluster = data_dir.join("postgres");
    let bin = programs(&cluster)?;
    leftover::stop("postgres", &cluster.join("postmaster.pid"), &cluster.to_string_lossy(), Signal::INT).await;
    if cluster.exists() {
        user::folder(&cluster, user.as_ref())?;
    } else {
        initialise(&bin, data_dir, &cluster, user.as_ref()).await?;
    }
    let url = address(run_dir);
    let asked = url.clone();
    let answers = Box::new(move || -> futures_util::future::BoxFuture<'static, bool> {
        let url = asked.clone();
        Box::pin(async move { tokio_postgres::connect(&url, NoTls).await.is_ok() })
    });
    let args = arguments(&cluster, run_dir, pool_size)?;
    let program = bin.join("postgres");
    Ok((url, Server { name: "postgres", program, args, user, dir: cluster, stop: Signal::INT, answers, level }))
}

/// `postgres://` address over the socket in `run_dir`.
pub fn address(run_dir: &Path) -> String {
    let host: String = run_dir
        .to_string_lossy()
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    format!("postgres://{USER}@{host}/postgres")
}

/// The folder of the programs: those of the cluster's version, or the newest.
fn programs(cluster: &Path) -> anyhow::Result<PathBuf> {
    let version = match fs::read_to_string(cluster.join("PG_VERSION")) {
        Ok(text) => Some(text.trim().parse().with_context(|| format!("{} is no cluster of PostgreSQL", cluster.display()))?),
        Err(_) => None,
    };
    program::postgres(version).with_context(|| {
        let major = version.map_or_else(String::new, |version: u32| format!("-{version}"));
        format!(
            "PostgreSQL {} is not installed: `apt-get install postgresql{major}`, or set DATABASE_URL to one that runs elsewhere",
            version.map_or_else(|| format!("{} or later", program::OLDEST_POSTGRES), |version| version.to_string()),
        )
    })
}

/// initdb beside the place of the cluster, which is taken only when all is done: a killed one leaves no half cluster.
async fn initialise(bin: &Path, data_dir: &Path, cluster: &Path, user: Option<&User>) -> anyhow::Result<()> {
    let unfinished = data_dir.join("postgres.new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).with_context(|| format!("cannot remove {}", unfinished.display()))?;
    }
    user::folder(&unfinished, user)?;
    info!(path = %cluster.display(), "making a PostgreSQL cluster");
    let mut command = Command::new(bin.join("initdb"));
    command.args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--pgdata"]).arg(&unfinished);
    command.current_dir(&unfinished);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    let output = command.output().await.context("cannot run initdb")?;
    if !output.status.success() {
        bail!("initdb failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim().replace('\n', " | "));
    }
    fs::rename(&unfinished, cluster).with_context(|| format!("cannot put the cluster in its place {}", cluster.display()))
}

fn arguments(cluster: &Path, run_dir: &Path, pool_size: usize) -> anyhow::Result<Vec<OsString>> {
    let memory = memory_bytes();
    let (shared, wal) = (clamp(memory / 4, SHARED_BUFFERS), clamp(free_bytes(cluster)? / 10, MAX_WAL));
    let mib = |bytes: u64| format!("{}MB", bytes / MIB);
    let settings = [
        ("listen_addresses", String::new()),
        ("unix_socket_permissions", "0700".to_owned()),
        ("max_connections", (pool_size + OTHER_CONNECTIONS).to_string()),
        ("shared_buffers", mib(shared)),
        ("effective_cache_size", mib((memory / 2).max(shared))),
        ("maintenance_work_mem", mib(clamp(memory / 16, (64 * MIB, 1024 * MIB)))),
        ("max_wal_size", mib(wal)),
        ("min_wal_size", mib(wal / 4)),
        ("checkpoint_timeout", "30min".to_owned()),
        ("checkpoint_completion_target", "0.9".to_owned()),
        ("wal_compression", "lz4".to_owned()),
        ("wal_buffers", "64MB".to_owned()),
        ("jit", "off".to_owned()),
        ("random_page_cost", "1.1".to_owned()),
        ("autovacuum_vacuum_cost_limit", "2000".to_owned()),
        // Its log goes to ours, which never holds what users wrote.
        ("logging_collector", "off".to_owned()),
        ("log_line_prefix", String::new()),
        ("log_error_verbosity", "terse".to_owned()),
        ("log_min_error_statement", "panic".to_owned()),
    ];
    let mut args: Vec<OsString> = vec!["-D".into(), cluster.into(), "-k".into(), run_dir.into()];
    args.extend(settings.into_iter().flat_map(|(name, value)| [OsString::from("-c"), OsString::from(format!("{name}={value}"))]));
    Ok(args)
}

fn clamp(bytes: u64, (least, most): (u64, u64)) -> u64 {
    bytes.clamp(least, most)
}

/// Memory of the machine, or of the container where that is less.
fn memory_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    let machine = info.totalram.saturating_mul(u64::from(info.mem_unit));
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse::<u64>().ok());
    container.map_or(machine, |limit| limit.min(machine))
}

fn free_bytes(path: &Path) -> anyhow::Result<u64> {
    let about = rustix::fs::statvfs(path).with_context(|| format!("cannot look at the disk of {}", path.display()))?;
    Ok(about.f_bavail.saturating_mul(about.f_frsize))
}

/// `LOG:  text`, `ERROR:  text`, ... A failed statement is told by whoever made it.
fn level(line: &str) -> Level {
    if ["PANIC:", "FATAL:", "WARNING:"].iter().any(|word| line.starts_with(word)) { Level::WARN } else { Level::DEBUG }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_names_the_sockets_folder() {
        let config: tokio_postgres::Config = address(Path::new("/srv/app view/run")).parse().unwrap();
        let expected = tokio_postgres::config::Host::Unix("/srv/app view/run".into());
        assert_eq!(config.get_hosts(), [expected]);
    }
}
