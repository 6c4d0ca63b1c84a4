//! A private PostgreSQL cluster for one test: copied from a template that is made once, reached by a unix socket, ended with the test.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::disk::Disk;
use super::run;

/// Of every cluster of a test. Dynamic shared memory in files of the cluster: a server that is killed leaves its segments behind, a MB of
/// `/dev/shm` each time, and a few hundred tests later no server starts any more.
const SETTINGS: [&str; 6] = [
    "listen_addresses=",
    "fsync=off",
    "shared_buffers=64MB",
    "max_connections=60",
    "logging_collector=off",
    "dynamic_shared_memory_type=mmap",
];

/// A server that takes longer has said why.
const STARTS: Duration = Duration::from_secs(30);

/// A running (or stopped) cluster. Dropping it kills the server and removes its files.
pub struct Postgres {
    /// Under the cluster's files, where they have a disk of their own; unmounted before its folder goes.
    disk: Option<Disk>,
    dir: TempDir,
    child: Option<Child>,
}

impl Postgres {
    /// A new, empty cluster with default settings but `fsync = off`.
    pub async fn start() -> Self {
        Self::on(|_| None).await
    }

    /// The same with its files on a disk of `megabytes`, where mounting is permitted.
    pub async fn on_a_disk(megabytes: u64) -> Self {
        Self::on(|files| Disk::mount(files, megabytes)).await
    }

    /// A replica that streams from this one and can be read from.
    pub async fn standby(&self) -> Self {
        let dir = tempfile::Builder::new().prefix("avpg").tempdir_in("/tmp").unwrap();
        let files = dir.path().join("files");
        fs::create_dir(&files).unwrap();
        own(dir.path());
        run(Command::new("chmod").arg("0755").arg(dir.path()).arg(&files));
        let mut copy = unprivileged(&bin("pg_basebackup"));
        copy.args(["-U", "postgres", "-R", "-c", "fast", "--no-sync", "-h"]).arg(self.socket_dir()).arg("-D").arg(files.join("data"));
        run(copy.current_dir("/"));
        let mut standby = Self { disk: None, dir, child: None };
        standby.restart().await;
        standby
    }

    async fn on(disk: impl FnOnce(&Path) -> Option<Disk>) -> Self {
        let template = template();
        let dir = tempfile::Builder::new().prefix("avpg").tempdir_in("/tmp").unwrap();
        let files = dir.path().join("files");
        fs::create_dir(&files).unwrap();
        let disk = disk(&files);
        run(Command::new("cp").arg("-a").arg(&template).arg(files.join("data")));
        run(Command::new("chmod").arg("0755").arg(dir.path()).arg(&files));
        own(dir.path());
        let mut postgres = Self { disk, dir, child: None };
        postgres.restart().await;
        postgres
    }

    /// The disk of its files, where they have one of their own.
    pub fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// The cluster's files.
    fn data(&self) -> PathBuf {
        self.dir.path().join("files/data")
    }

    /// What the server has said since its last start.
    pub fn said(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Whether the server runs: it ends by itself where its disk is full.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    /// `postgres://` address of database `postgres` over the unix socket.
    pub fn url(&self) -> String {
        format!("postgres://postgres@%2F{}/postgres", self.dir.path().to_str().unwrap().trim_start_matches('/').replace('/', "%2F"))
    }

    /// Folder of the unix socket (the port is 5432).
    pub fn socket_dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts the server where it is stopped and waits until it answers.
    pub async fn restart(&mut self) {
        self.kill();
        let data = self.data();
        let _ = fs::remove_file(data.join("postmaster.pid"));
        let mut command = unprivileged(&bin("postgres"));
        command.arg("-D").arg(&data).arg("-k").arg(self.dir.path());
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        let log = fs::File::create(self.dir.path().join("log")).unwrap();
        self.child = Some(command.stderr(log.try_clone().unwrap()).stdout(log).spawn().unwrap());
        let url = self.url();
        let end = Instant::now() + STARTS;
        while connect_once(&url).await.is_none() {
            assert!(Instant::now() < end, "postgres does not answer; it said: {}", self.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// kill -9 of the postmaster; its backends notice and end. Whether it died of that.
    pub fn kill(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return false };
        let _ = child.kill();
        let status = child.wait();
        wait_until_alone(&self.data());
        status.is_ok_and(|status| status.signal() == Some(9))
    }

    /// Stops the server cleanly (fast shutdown).
    pub fn stop(&mut self) {
        self.end("-INT");
    }

    /// Tells the server to end, and waits for that.
    fn end(&mut self, signal: &str) {
        if let Some(mut child) = self.child.take() {
            let told = Command::new("kill").arg(signal).arg(child.id().to_string()).status();
            if !told.is_ok_and(|told| told.success()) {
                let _ = child.kill();
            }
            let _ = child.wait();
        }
    }

    /// Copies the stopped cluster's files, to be given to [`Postgres::restore`] later: a backup.
    pub fn backup(&self) -> TempDir {
        assert!(self.child.is_none(), "stop the server before a backup");
        let backup = tempfile::tempdir().unwrap();
        run(Command::new("cp").arg("-a").arg(self.data()).arg(backup.path()));
        backup
    }

    /// Puts the files of a backup in place of the stopped cluster's.
    pub fn restore(&mut self, backup: &TempDir) {
        assert!(self.child.is_none(), "stop the server before a restore");
        fs::remove_dir_all(self.data()).unwrap();
        run(Command::new("cp").arg("-a").arg(backup.path().join("data")).arg(self.data()));
    }

    /// A plain connection; its driver ends with the client.
    pub async fn connect(&self) -> tokio_postgres::Client {
        connect_once(&self.url()).await.expect("postgres accepts connections")
    }
}

impl Drop for Postgres {
    /// At once (immediate shutdown), but by the server itself, which takes its shared memory with it.
    fn drop(&mut self) {
        self.end("-QUIT");
        wait_until_alone(&self.data());
    }
}

async fn connect_once(url: &str) -> Option<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.ok()?;
    tokio::spawn(connection);
    Some(client)
}

/// The newest PostgreSQL's program of that name.
pub fn bin(name: &str) -> PathBuf {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path()).collect();
    versions.sort();
    versions.into_iter().rev().map(|v| v.join("bin").join(name)).find(|p| p.exists()).unwrap_or_else(|| PathBuf::from(name))
}

fn is_root() -> bool {
    run(Command::new("id").arg("-u")).trim() == "0"
}

/// PostgreSQL refuses to run as root: there its own user runs it, and it ends with the test in any case.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if is_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups"]);
    }
    command.arg("--").arg(program);
    command
}

fn own(dir: &Path) {
    if is_root() {
        run(Command::new("chown").args(["-R", "postgres:postgres"]).arg(dir));
    }
}

/// Shared memory of a killed postmaster is in use until its last backend is gone.
fn wait_until_alone(data: &Path) {
    let marker = data.to_str().unwrap();
    for _ in 0..200 {
        let left = Command::new("pgrep").args(["-f", marker]).output().is_ok_and(|o| o.status.success());
        if !left {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An initialised cluster, made once a machine and boot (initdb takes a second of CPU).
fn template() -> PathBuf {
    let base = std::env::temp_dir().join("appviewd-test-template");
    let lock = fs::File::create(std::env::temp_dir().join("appviewd-test-template.lock")).unwrap();
    lock.lock().unwrap();
    let ready = base.join("data");
    if !ready.join("PG_VERSION").exists() || !base.join("done").exists() {
        let _ = fs::remove_dir_all(&base);
        fs::create_dir_all(&base).unwrap();
        own(&base);
        let mut initdb = unprivileged(&bin("initdb"));
        run(initdb
            .arg("-D")
            .arg(&ready)
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
            .current_dir("/"));
        fs::write(base.join("done"), "").unwrap();
    }
    ready
}
