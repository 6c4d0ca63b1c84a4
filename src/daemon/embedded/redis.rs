//! The private Redis: unix socket only, append-only file synced every second, nothing evicted.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Context as _;
use rustix::process::Signal;
use tracing::Level;

use super::server::Server;
use super::user::{self, User};
use super::{leftover, program};
use crate::queue::Queue;

/// What to do where the program is missing.
const MISSING: &str = "redis-server is not installed: `apt-get install redis-server`, or set REDIS_URL to a Redis 7 that runs elsewhere";

/// Its address, and how to run it. Stops what a killed daemon left running.
pub async fn prepare(data_dir: &Path, run_dir: &Path, user: Option<User>) -> anyhow::Result<(String, Server)> {
    let program = program::in_path("redis-server").context(MISSING)?;
    let dir = data_dir.join("redis");
    user::folder(&dir, user.as_ref())?;
    let socket = run_dir.join("redis.sock");
    let pid_file = run_dir.join("redis.pid");
    leftover::stop("redis", &pid_file, &socket.to_string_lossy(), Signal::TERM).await;
    let url = format!("unix://{}", socket.display());
    let queue = Queue::new(&url, "", "");
    let answers = Box::new(move || -> futures_util::future::BoxFuture<'static, bool> {
        let queue = queue.clone();
        Box::pin(async move { queue.ping().await.is_ok() })
    });
    let args = arguments(&dir, &socket, &pid_file);
    Ok((url, Server { name: "redis", program, args, user, dir, stop: Signal::TERM, answers, level }))
}

fn arguments(dir: &Path, socket: &Path, pid_file: &Path) -> Vec<OsString> {
    let paths = [("--dir", dir), ("--unixsocket", socket), ("--pidfile", pid_file)];
    let settings = [
        ("--port", "0"),
        ("--unixsocketperm", "700"),
        ("--daemonize", "no"),
        ("--appendonly", "yes"),
        ("--appendfsync", "everysec"),
        ("--save", ""),
        // Rewriting the append-only file took a fifth of its time, compressing what is compressed already.
        ("--rdbcompression", "no"),
        ("--maxmemory-policy", "noeviction"),
    ];
    let paths = paths.into_iter().flat_map(|(name, path)| [OsString::from(name), path.as_os_str().to_owned()]);
    paths.chain(settings.into_iter().flat_map(|(name, value)| [OsString::from(name), OsString::from(value)])).collect()
}

/// `pid:role date mark text`, where the mark says how much it matters.
fn level(line: &str) -> Level {
    if line.contains(" # WARNING") || line.contains("FATAL") { Level::WARN } else { Level::DEBUG }
}
