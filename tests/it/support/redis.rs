//! A private Redis for one test: unix socket, append-only file, noeviction; ended with the test.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use aws_lc_rs::digest;
use tempfile::TempDir;

use super::disk::Disk;
use super::run;

/// A running (or stopped) server. Dropping it kills the server and removes its files.
pub struct Redis {
    /// Under the append-only file, where that has a disk of its own; unmounted before its folder goes.
    disk: Option<Disk>,
    dir: TempDir,
    child: Option<Child>,
    extra: Vec<String>,
}

impl Redis {
    /// A new, empty server; `extra` are further arguments (`["--maxmemory", "4mb"]`).
    pub async fn start(extra: &[&str]) -> Self {
        Self::on(extra, |_| None).await
    }

    /// The same with its append-only file on a disk of `megabytes`, where mounting is permitted.
    pub async fn on_a_disk(megabytes: u64) -> Self {
        Self::on(&[], |files| Disk::mount(files, megabytes)).await
    }

    async fn on(extra: &[&str], disk: impl FnOnce(&Path) -> Option<Disk>) -> Self {
        let dir = tempfile::Builder::new().prefix("avrd").tempdir_in("/tmp").unwrap();
        let files = dir.path().join("files");
        fs::create_dir(&files).unwrap();
        let extra = extra.iter().map(ToString::to_string).collect();
        let mut redis = Self { disk: disk(&files), dir, child: None, extra };
        redis.restart().await;
        redis
    }

    /// The disk of its append-only file, where that has one of its own.
    pub fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("redis.sock")
    }

    /// `redis+unix://` is not standard; the daemon reads `unix:///path`.
    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Starts the server where it is stopped and waits until it answers.
    pub async fn restart(&mut self) {
        self.kill();
        let log = fs::File::create(self.dir.path().join("log")).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", "redis-server", "--port", "0", "--unixsocket"]).arg(self.socket());
        command
            .arg("--dir")
            .arg(self.dir.path().join("files"))
            .args(["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""])
            .args(&self.extra);
        self.child = Some(command.stdout(log).spawn().unwrap());
        let socket = self.socket();
        super::eventually("redis answers", 10, async || cli(&socket, &["PING"]).trim() == "PONG").await;
    }

    /// kill -9; whether it died of that.
    pub fn kill(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return false };
        let _ = child.kill();
        let status = child.wait();
        let _ = fs::remove_file(self.socket());
        status.is_ok_and(|status| status.signal() == Some(9))
    }

    /// One command through redis-cli; its answer as text.
    pub fn cli(&self, args: &[&str]) -> String {
        cli(&self.socket(), args)
    }

    /// Cuts `bytes` off the end of the append-only file of the stopped server, as a crash of the machine does.
    pub fn cut_aof(&self, bytes: u64) {
        assert!(self.child.is_none(), "stop the server before its file is cut");
        let aof = self.newest_aof();
        let len = fs::metadata(&aof).unwrap().len();
        fs::File::options().write(true).open(&aof).unwrap().set_len(len.saturating_sub(bytes)).unwrap();
    }

    /// Bytes of the append-only file.
    pub fn aof_len(&self) -> u64 {
        fs::metadata(self.newest_aof()).unwrap().len()
    }

    fn newest_aof(&self) -> PathBuf {
        let dir = self.dir.path().join("files/appendonlydir");
        let mut files: Vec<_> =
            fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).filter(|p| p.to_str().unwrap().ends_with(".incr.aof")).collect();
        files.sort();
        files.pop().expect("an append-only file")
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn cli(socket: &Path, args: &[&str]) -> String {
    let out = Command::new("redis-cli").arg("-s").arg(socket).args(args).output().unwrap();
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The name under which Redis keeps a script of the queue.
pub fn script_name(script: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/queue/lua/{script}.lua"));
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &fs::read(path).unwrap());
    hash.as_ref().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// Whether the tools that tests need are here; a clear word where they are not.
#[test]
fn redis_server_is_installed() {
    run(Command::new("redis-server").arg("--version"));
}
