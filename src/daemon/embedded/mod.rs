//! The servers that a daemon without addresses runs for itself: real Redis and PostgreSQL as its children.

mod leftover;
mod postgres;
mod program;
mod redis;
mod server;
mod user;

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, error};

use self::server::Server;
use self::user::User;
use super::lock::{DataDir, LockError};
use crate::telemetry::Telemetry;

/// A socket's path may be 107 bytes long; the longest name in the folder takes 20 of them.
const MAX_RUN_DIR: usize = 86;

/// The running servers of this process, and the ownership of their files.
#[derive(Debug)]
pub struct Servers {
    data_dir: DataDir,
    run_dir: PathBuf,
    user: Option<User>,
    /// In the order of their start; they stop in the reverse one.
    running: Vec<Running>,
    /// Cancelled: all stop at once, unordered.
    abandon: CancellationToken,
    telemetry: Telemetry,
}

#[derive(Debug)]
struct Running {
    name: &'static str,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Servers {
    /// Takes the `data_dir`; starts nothing yet. `abandon` has all servers stop at once.
    pub fn new(data_dir: &Path, telemetry: Telemetry, abandon: CancellationToken) -> anyhow::Result<Self> {
        let data_dir = DataDir::take(data_dir)?;
        let user = user::unprivileged()?;
        user::check_reach(data_dir.path(), user.as_ref())?;
        let run_dir = data_dir.path().join("run");
        if run_dir.as_os_str().as_bytes().len() > MAX_RUN_DIR {
            bail!("data_dir {} is too long a path for unix sockets (at most {} bytes)", data_dir.path().display(), MAX_RUN_DIR - 4);
        }
        user::folder(&run_dir, user.as_ref())?;
        Ok(Self { data_dir, run_dir, user, running: Vec::new(), abandon, telemetry })
    }

    /// Starts Redis; its address once it answers.
    pub async fn start_redis(&mut self) -> anyhow::Result<String> {
        let (url, server) = redis::prepare(self.data_dir.path(), &self.run_dir, self.user.clone()).await?;
        self.start(server).await.map(|()| url)
    }

    /// Starts PostgreSQL, for pools of this size; its address once it answers.
    pub async fn start_postgres(&mut self, pool_size: usize) -> anyhow::Result<String> {
        let (url, server) = postgres::prepare(self.data_dir.path(), &self.run_dir, self.user.clone(), pool_size).await?;
        self.start(server).await.map(|()| url)
    }

    async fn start(&mut self, server: Server) -> anyhow::Result<()> {
        let (ready, answers) = oneshot::channel();
        let (name, stop) = (server.name, self.abandon.child_token());
        let task = tokio::spawn(server.keep(ready, stop.clone(), self.telemetry.clone()).in_current_span());
        self.running.push(Running { name, stop, task });
        if answers.await.is_ok() {
            return Ok(());
        }
        if let Some(running) = self.running.pop() {
            running.task.await.context("the task of an embedded server panicked")??;
        }
        bail!("the start of {name} was broken off")
    }

    /// Stops all, the last started first, and waits until they are down.
    pub async fn stop(mut self) {
        while let Some(running) = self.running.pop() {
            running.stop.cancel();
            match running.task.await {
                Ok(Ok(())) => {}
                Ok(Err(cause)) => error!(server = running.name, error = format!("{cause:#}"), "embedded server failed"),
                Err(_) => error!(server = running.name, "the task of an embedded server panicked"),
            }
        }
    }
}

/// Address of the embedded PostgreSQL of a daemon that runs on this `data_dir`.
pub fn postgres_of(data_dir: &Path) -> anyhow::Result<String> {
    let data_dir = data_dir.canonicalize().with_context(|| format!("there is no data_dir {}", data_dir.display()))?;
    Ok(postgres::address(&data_dir.join("run")))
}

/// Whether an error says that another process owns the `data_dir`.
pub fn is_taken(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(LockError::Taken { .. }))
}
