//! One server as a child process: started, watched, started again when it ends, stopped when asked. What it says goes to our log.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use futures_util::future::BoxFuture;
use rustix::process::{Pid, Signal};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Level, debug, error, info, warn};

use super::user::User;
use crate::telemetry::Telemetry;

/// A server that ends this often before it ever answered will not do so the next time either.
const FIRST_ATTEMPTS: u32 = 6;
/// Pauses between starts, doubled each time.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A server that lived this long starts again with the shortest pause.
const SOUND: Duration = Duration::from_secs(30);
/// How often a starting server is asked whether it answers.
const ASK: Duration = Duration::from_millis(25);
/// How often the service manager hears that a server still recovers.
const PATIENCE: Duration = Duration::from_secs(10);
/// A stop has 25 s in all and comes last: what is not down by then is killed, and recovers at its next start.
const STOP: Duration = Duration::from_secs(5);
/// Lines of a server's log that are told when it does not start.
const TAIL: usize = 8;
/// Longest line that is passed on.
const MAX_LINE: usize = 4096;

/// What has to be known to run a server.
pub struct Server {
    pub name: &'static str,
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub user: Option<User>,
    /// Its working folder.
    pub dir: PathBuf,
    /// Asks it to stop cleanly.
    pub stop: Signal,
    /// Whether it answers.
    pub answers: Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>,
    /// How much a line of its log matters.
    pub level: fn(&str) -> Level,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("name", &self.name).field("program", &self.program).finish_non_exhaustive()
    }
}

/// How one life of a server ended.
enum End {
    Asked,
    ByItself(ExitStatus),
}

impl Server {
    /// Keeps the server running until `stop`. `ready` is told when it first answers; the error says why it never did.
    pub async fn keep(self, ready: oneshot::Sender<()>, stop: CancellationToken, telemetry: Telemetry) -> anyhow::Result<()> {
        let mut ready = Some(ready);
        let mut tail = Tail::default();
        let mut pause = PAUSE;
        let mut attempts = 0;
        loop {
            let born = Instant::now();
            let end = match self.live(&mut ready, &mut tail, &stop).await {
                Ok(End::Asked) => return Ok(()),
                Ok(End::ByItself(status)) => status.to_string(),
                Err(error) => format!("{error:#}"),
            };
            attempts += 1;
            if ready.is_some() && attempts >= FIRST_ATTEMPTS {
                return Err(anyhow!("{} does not start ({end}): {}", self.name, tail.text()));
            }
            if born.elapsed() > SOUND {
                pause = PAUSE;
            }
            warn!(server = self.name, end, again_in_ms = pause.as_millis(), "embedded server ended");
            telemetry.metrics().process.child_restarts.inc(self.name);
            if stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return Ok(());
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One life: from its start to its end.
    async fn live(&self, ready: &mut Option<oneshot::Sender<()>>, tail: &mut Tail, stop: &CancellationToken) -> anyhow::Result<End> {
        let (mut child, mut said) = self.spawn()?;
        let (mut answered, mut told) = (false, Instant::now());
        let mut buffer = [0; MAX_LINE];
        let mut open = true;
        loop {
            tokio::select! {
                status = child.wait() => return Ok(End::ByItself(status?)),
                read = said.read(&mut buffer), if open => {
                    let read = read.unwrap_or(0);
                    open = read > 0;
                    tail.take(buffer.get(..read).unwrap_or_default(), self);
                }
                yes = ask(&self.answers), if !answered => if yes {
                    answered = true;
                    info!(server = self.name, pid = child.id(), "embedded server answers");
                    ready.take().map(|ready| ready.send(()));
                } else if told.elapsed() > PATIENCE {
                    told = Instant::now();
                    info!(server = self.name, "embedded server is still starting");
                    crate::daemon::notify::starting(self.name);
                },
                () = stop.cancelled() => {
                    self.end(&mut child).await;
                    return Ok(End::Asked);
                }
            }
        }
    }

    fn spawn(&self) -> anyhow::Result<(Child, pipe::Receiver)> {
        let (reader, writer) = std::io::pipe()?;
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.args).current_dir(&self.dir).stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        // A group of its own: Ctrl-C in a terminal reaches all of a group, and the servers stop last. The service manager hears of us only.
        command.process_group(0).env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_USEC").env_remove("WATCHDOG_PID");
        if let Some(user) = &self.user {
            command.uid(user.uid).gid(user.gid);
        }
        let child = Command::from(command).spawn().with_context(|| format!("cannot run {}", self.program.display()))?;
        Ok((child, pipe::Receiver::from_owned_fd(reader.into())?))
    }

    async fn end(&self, child: &mut Child) {
        if let Some(pid) = child.id() {
            signal(pid, self.stop);
        }
        if timeout(STOP, child.wait()).await.is_ok() {
            return info!(server = self.name, "embedded server stopped");
        }
        error!(server = self.name, seconds = STOP.as_secs(), "embedded server did not stop in time and is killed");
        let _ = child.kill().await;
    }
}

async fn ask(answers: &(dyn Fn() -> BoxFuture<'static, bool> + Send + Sync)) -> bool {
    sleep(ASK).await;
    answers().await
}

/// Sends a signal to a process; one that is gone does not mind.
pub fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// The newest lines of a server's log, and the unfinished one.
#[derive(Debug, Default)]
struct Tail {
    lines: VecDeque<String>,
    begun: Vec<u8>,
}

impl Tail {
    /// Passes whole lines on to our log; the rest waits for its end.
    fn take(&mut self, bytes: &[u8], server: &Server) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(part);
            if part.ends_with(b"\n") || self.begun.len() >= MAX_LINE {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.begun)).trim_end().to_owned();
                self.pass_on(line, server);
            }
        }
    }

    fn pass_on(&mut self, line: String, server: &Server) {
        if line.is_empty() {
            return;
        }
        match (server.level)(&line) {
            Level::ERROR => error!(server = server.name, line, "embedded server says"),
            Level::WARN => warn!(server = server.name, line, "embedded server says"),
            Level::INFO => info!(server = server.name, line, "embedded server says"),
            _ => debug!(server = server.name, line, "embedded server says"),
        }
        self.lines.push_back(line);
        if self.lines.len() > TAIL {
            self.lines.pop_front();
        }
    }

    fn text(&self) -> String {
        self.lines.iter().map(String::as_str).collect::<Vec<_>>().join(" | ")
    }
}
