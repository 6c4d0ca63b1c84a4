//! A child process of a benchmark: its log goes to a file, it ends with the benchmark.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::time::timeout;

/// A child stops within its own 25 s; a bit more, then it is killed.
const STOP: Duration = Duration::from_secs(30);
/// Bytes of a child's log that are shown when it fails.
const TAIL: usize = 2_000;

/// A running child. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Child {
    name: &'static str,
    log: PathBuf,
    process: tokio::process::Child,
    pub pid: u32,
}

impl Child {
    /// Starts `command` with this environment and what every program needs.
    pub(super) fn start(name: &'static str, mut command: Command, environment: &[(&str, String)], folder: &Path) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let kept = ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.env_clear().envs(kept).envs(environment.iter().map(|(name, value)| (name, value))).current_dir(folder);
        // A group of its own: Ctrl-C reaches a whole group, and a second signal would end a child in disorder.
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0).kill_on_drop(true);
        let process = command.spawn().with_context(|| format!("cannot start the {name}"))?;
        let pid = process.id().with_context(|| format!("the {name} ended at once"))?;
        Ok(Self { name, log, process, pid })
    }

    /// Fails where the child has ended by itself.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the {} ended ({status}): {}", self.name, self.tail()),
        }
    }

    /// The end of its log.
    pub(super) fn tail(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(log.get(log.len().saturating_sub(TAIL)..).unwrap_or_default()).trim().to_owned()
    }

    /// Has it stop in order.
    pub(super) async fn stop(mut self) {
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        if timeout(STOP, self.process.wait()).await.is_err() {
            tracing::warn!(child = self.name, "did not stop in time and is killed");
            let _ = self.process.kill().await;
        }
    }
}
