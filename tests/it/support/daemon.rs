//! The real daemon as a child process: started with roles and addresses, killed, restarted, asked for its status. Its log is printed when
//! the test fails.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::eventually;

/// Seconds in which a daemon answers after its start.
const START_SECS: u64 = 20;
/// Lines of its log that are shown when a test fails.
const SHOWN_LINES: usize = 60;

/// A daemon process. Dropping it kills it.
pub struct Daemon {
    name: String,
    roles: String,
    port: u16,
    log: PathBuf,
    environment: BTreeMap<String, String>,
    child: Option<Child>,
}

impl Daemon {
    /// A daemon that is not started yet; its files lie in `dir`, under `name`.
    pub fn new(name: &str, roles: &str, dir: &Path) -> Self {
        let port = free_port();
        let mut daemon = Self {
            name: name.to_owned(),
            roles: roles.to_owned(),
            port,
            log: dir.join(format!("{name}.log")),
            environment: BTreeMap::new(),
            child: None,
        };
        daemon.set("HOST", "127.0.0.1").set("PORT", port).set("APPVIEW_TELEMETRY__LISTEN", format!("127.0.0.1:{port}"));
        // Nobody is asked who somebody is, unless the test brings a directory.
        daemon.set("PLC_URL", "http://127.0.0.1:9");
        daemon.set("CONSUMER_ID", name).set("APPVIEW_DATA_DIR", dir.join(name).display()).set("LOG_LEVEL", "info");
        daemon
    }

    /// An environment variable for its next start.
    pub fn set(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Self {
        self.environment.insert(name.to_owned(), value.to_string());
        self
    }

    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.environment.remove(name);
        self
    }

    /// Starts the process and does not wait.
    pub fn spawn(&mut self) -> &mut Self {
        self.kill();
        let log = std::fs::File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", env!("CARGO_BIN_EXE_appviewd"), "run", "--roles", &self.roles]);
        command.env_clear().envs(["PATH", "HOME", "LLVM_PROFILE_FILE"].iter().filter_map(|k| Some((k, std::env::var_os(k)?))));
        command.envs(&self.environment).stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        self
    }

    /// Starts the process and waits until it answers.
    pub async fn start(&mut self) -> &mut Self {
        self.spawn();
        let what = format!("{} answers", self.name);
        eventually(&what, START_SECS, async || self.status().await.is_some()).await;
        self
    }

    /// kill -9; whether it died of that.
    pub fn kill(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return false };
        let _ = child.kill();
        child.wait().is_ok_and(|status| status.signal() == Some(9))
    }

    /// How it ended by itself, where it did.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().unwrap()
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// SIGTERM; how it ended.
    pub async fn stop(&mut self) -> ExitStatus {
        let id = self.child.as_ref().expect("a running daemon").id();
        super::run(Command::new("kill").arg("-TERM").arg(id.to_string()));
        self.ended(30).await
    }

    /// Waits until the process ends by itself.
    pub async fn ended(&mut self, secs: u64) -> ExitStatus {
        let mut status = None;
        eventually("the daemon ends", secs, async || {
            status = self.child.as_mut().expect("a running daemon").try_wait().unwrap();
            status.is_some()
        })
        .await;
        self.child = None;
        status.unwrap()
    }

    /// Starts it with `failpoint` armed, and waits until it has died there.
    pub async fn dies_at(&mut self, failpoint: &str, secs: u64) {
        self.set("APPVIEW_FAILPOINT", failpoint).spawn();
        let status = self.ended(secs).await;
        assert_eq!(status.signal(), Some(9), "{} ended, but not at failpoint {failpoint}: {status}", self.name);
        self.unset("APPVIEW_FAILPOINT");
    }

    /// SIGSTOP: it is there and does nothing.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Whether it is stopped by [`Daemon::freeze`].
    pub fn is_frozen(&self) -> bool {
        let id = self.child.as_ref().expect("a running daemon").id();
        std::fs::read_to_string(format!("/proc/{id}/status")).is_ok_and(|status| status.contains("State:\tT"))
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("a running daemon").id();
        super::run(Command::new("kill").arg(signal).arg(id.to_string()));
    }

    /// CPU that it has used so far, in seconds.
    pub fn cpu(&self) -> f64 {
        let id = self.child.as_ref().expect("a running daemon").id();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        // After the name: state is field 3, utime 14, stime 15, in hundredths of a second.
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
    }

    /// `/status`, where it answers.
    pub async fn status(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.get("/status").await?).ok()
    }

    /// The body of a page that is answered within two seconds.
    pub async fn get(&self, path: &str) -> Option<String> {
        self.get_with(path, "").await
    }

    /// The same with further header lines, each ending in `\r\n`.
    pub async fn get_with(&self, path: &str, headers: &str) -> Option<String> {
        tokio::time::timeout(Duration::from_secs(2), fetch(self.port, path, headers)).await.ok()?
    }

    /// A counter or gauge of `/metrics`, summed over all of its labels; 0 where it is not there.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.unwrap_or_default();
        let of_name = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        text.lines().filter(of_name).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// A number of `/status` by its JSON pointer.
    pub async fn number(&self, pointer: &str) -> Option<i64> {
        self.status().await?.pointer(pointer)?.as_i64()
    }

    /// Waits until every event up to `seq` is applied.
    pub async fn applied(&self, seq: i64, secs: u64) {
        let what = format!("{} has applied up to {seq}", self.name);
        eventually(&what, secs, async || self.number("/worker/applied_seq").await.is_some_and(|applied| applied >= seq)).await;
    }

    /// Everything it has said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let said = self.said();
            let lines: Vec<_> = said.lines().collect();
            eprintln!("---- log of {} ({})", self.name, self.roles);
            for line in &lines[lines.len().saturating_sub(SHOWN_LINES)..] {
                eprintln!("{line}");
            }
        }
    }
}

async fn fetch(port: u16, path: &str, headers: &str) -> Option<String> {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunk(body) } else { body.to_owned() };
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok())?;
    super::fits::lexicon(path, status, body.as_bytes());
    Some(body)
}

fn unchunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((len, rest)) = body.split_once("\r\n") {
        let len = usize::from_str_radix(len, 16).unwrap_or(0);
        let Some((chunk, rest)) = rest.split_at_checked(len).filter(|_| len > 0) else { break };
        whole.push_str(chunk);
        body = rest.trim_start_matches("\r\n");
    }
    whole
}

/// A port that nobody listens on, below those that the system gives to connections: it stays free until the daemon takes it.
fn free_port() -> u16 {
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(|| fastrand::u16(15_000..32_000)).find(is_free).unwrap()
}
