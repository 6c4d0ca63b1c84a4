//! The servers that the daemon runs for itself: also as root, and whatever is killed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use tempfile::TempDir;

use super::{appviewd, outcome};
use crate::support::daemon::Daemon;
use crate::support::{eventually, run};

/// Seconds for initdb and a first start on a busy machine.
const START_SECS: u64 = 60;

/// A folder that the servers' unprivileged user may enter.
pub fn open_folder() -> TempDir {
    let dir = tempfile::Builder::new().prefix("avem").tempdir_in("/tmp").unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// A daemon with servers of its own; they end with the test, also when the daemon could not see to it.
pub struct Embedded {
    pub daemon: Daemon,
    pub dir: TempDir,
}

impl Embedded {
    pub async fn start() -> Self {
        let dir = open_folder();
        let mut daemon = Daemon::new("d", "ingest,worker,api", dir.path());
        daemon.set("RELAY_URL", "ws://127.0.0.1:1");
        daemon.spawn();
        let embedded = Self { daemon, dir };
        embedded.is_up(1).await;
        embedded
    }

    /// Both servers have answered, for the `times`-th time, and the schema is there.
    pub async fn is_up(&self, times: usize) {
        let count = |text: &str| self.daemon.said().matches(text).count();
        eventually("redis, postgres and the schema are there", START_SECS, async || {
            count("embedded server answers") >= 2 * times && count("schema is up to date") >= times
        })
        .await;
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("d")
    }

    /// The process id of a server, where its file has one.
    pub fn pid(&self, server: &str) -> Option<String> {
        let file = if server == "redis" { "run/redis.pid" } else { "postgres/postmaster.pid" };
        Some(fs::read_to_string(self.data_dir().join(file)).ok()?.lines().next()?.trim().to_owned())
    }

    pub fn redis(&self, command: &str) -> String {
        let mut cli = std::process::Command::new("redis-cli");
        run(cli.arg("-s").arg(self.data_dir().join("run/redis.sock")).args(command.split(' '))).trim().to_owned()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.daemon.kill();
        for pid in ["redis", "postgres"].iter().filter_map(|server| self.pid(server)) {
            let ours = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&ours).contains(self.dir.path().to_str().unwrap()) {
                let _ = std::process::Command::new("kill").args(["-CONT", &pid]).status();
                let _ = std::process::Command::new("kill").args(["-9", &pid]).status();
            }
        }
    }
}

fn is_alive(pid: &str) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

fn owner(pid: &str) -> String {
    run(std::process::Command::new("stat").args(["-c", "%U", &format!("/proc/{pid}")])).trim().to_owned()
}

#[tokio::test]
async fn servers_start_as_a_safe_user_and_keep_their_data_over_a_restart() {
    let mut it = Embedded::start().await;
    let me = run(std::process::Command::new("id").arg("-un")).trim().to_owned();
    for server in ["redis", "postgres"] {
        let owner = owner(&it.pid(server).unwrap());
        assert_ne!(owner, "root", "{server}");
        assert!(me == "root" || owner == me, "{server} runs as {owner}");
    }
    assert_eq!(it.redis("SET kept yes"), "OK");
    assert!(it.redis("CONFIG GET appendonly").ends_with("yes"));
    assert!(it.redis("CONFIG GET maxmemory-policy").ends_with("noeviction"));
    assert_eq!(it.daemon.stop().await.code(), Some(0));
    assert!(it.pid("postgres").is_none(), "PostgreSQL was not stopped cleanly");
    it.daemon.spawn();
    it.is_up(2).await;
    assert_eq!(it.redis("GET kept"), "yes");
    assert_eq!(it.daemon.said().matches("making a PostgreSQL cluster").count(), 1);
    assert_eq!(it.daemon.stop().await.code(), Some(0));
}

#[tokio::test]
async fn a_killed_server_comes_back() {
    let mut it = Embedded::start().await;
    for server in ["redis", "postgres"] {
        let before = it.pid(server).unwrap();
        let answers = it.daemon.said().matches("embedded server answers").count();
        run(std::process::Command::new("kill").args(["-9", &before]));
        eventually("the server answers again", START_SECS, async || it.daemon.said().matches("embedded server answers").count() > answers)
            .await;
        assert_ne!(it.pid(server).unwrap(), before);
        assert!(it.daemon.said().contains("embedded server ended"));
    }
    assert_eq!(it.daemon.stop().await.code(), Some(0));
}

#[tokio::test]
async fn leftovers_of_a_killed_daemon_are_stopped_before_new_servers_start() {
    let mut it = Embedded::start().await;
    let left: Vec<String> = ["redis", "postgres"].iter().map(|server| it.pid(server).unwrap()).collect();
    it.daemon.kill();
    assert!(left.iter().all(|pid| is_alive(pid)), "the servers should outlive a killed daemon");
    it.daemon.spawn();
    it.is_up(2).await;
    assert_eq!(it.daemon.said().matches("a server of a killed daemon still runs").count(), 2);
    assert!(!left.iter().any(|pid| is_alive(pid)));
    assert_eq!(it.daemon.stop().await.code(), Some(0));
}

#[tokio::test]
async fn one_process_owns_a_data_dir_and_commands_reach_its_servers() {
    let mut it = Embedded::start().await;
    let data_dir = it.data_dir().display().to_string();
    let (code, _, err) = outcome(appviewd(&[], &[("APPVIEW_DATA_DIR", &data_dir), ("LOG_LEVEL", "off")]));
    assert_eq!(code, 1);
    assert!(err.contains("belongs to another process (pid ") && err.contains("APPVIEW_DATA_DIR"), "{err}");
    let (code, _, err) = outcome(appviewd(&["migrate"], &[("APPVIEW_DATA_DIR", &data_dir)]));
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("schema is up to date"), "{err}");
    assert_eq!(it.daemon.stop().await.code(), Some(0));
    let (code, _, err) = outcome(appviewd(&["migrate"], &[("APPVIEW_DATA_DIR", &data_dir)]));
    assert_eq!(code, 0, "a stopped daemon's cluster is started for the command: {err}");
    assert!(it.pid("postgres").is_none(), "and stopped after it");
}
