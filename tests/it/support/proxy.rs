//! A breakable proxy between two unix sockets, in front of Redis or PostgreSQL. Everything it breaks is counted, so that a test can show
//! that its fault really happened.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// After an answer was swallowed and the server has said nothing for this long, it has carried out all that it was sent.
const QUIET: Duration = Duration::from_millis(30);

/// The number of the apply lock, as PostgreSQL is sent it: what goes before the commit of an applying transaction.
pub const APPLY_LOCK: &[u8] = b"appview\x02";

/// How connections are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Pass,
    /// New connections are closed at once, and those that are open too.
    Refuse,
    /// Nothing moves in either direction.
    Stall,
}

/// Dropping it ends its connections.
pub struct Proxy {
    dir: TempDir,
    name: String,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    upstream: PathBuf,
    mode: watch::Sender<Mode>,
    delay: Mutex<Duration>,
    lose: Mutex<Option<Lose>>,
    connections: AtomicU64,
    refused: AtomicU64,
    lost: AtomicU64,
    seen: AtomicU64,
}

struct Lose {
    /// Must have gone by on the connection since the pattern was last seen there; empty: nothing must.
    marker: Vec<u8>,
    pattern: Vec<u8>,
    times: u64,
}

impl Proxy {
    /// A proxy whose socket has the same file name as `upstream`, in a folder of its own.
    pub fn in_front_of(upstream: &Path) -> Self {
        let dir = tempfile::Builder::new().prefix("avpx").tempdir_in("/tmp").unwrap();
        let name = upstream.file_name().unwrap().to_str().unwrap().to_owned();
        let listener = UnixListener::bind(dir.path().join(&name)).unwrap();
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            mode: watch::Sender::new(Mode::Pass),
            delay: Mutex::default(),
            lose: Mutex::default(),
            connections: AtomicU64::default(),
            refused: AtomicU64::default(),
            lost: AtomicU64::default(),
            seen: AtomicU64::default(),
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { dir, name, shared, task }
    }

    /// In front of the unix socket of a PostgreSQL (port 5432) in `dir`.
    pub fn of_postgres(dir: &Path) -> Self {
        Self::in_front_of(&dir.join(".s.PGSQL.5432"))
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join(&self.name)
    }

    /// `unix:///...`, for `REDIS_URL`.
    pub fn redis_url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// `postgres://...`, for `DATABASE_URL`.
    pub fn postgres_url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.dir.path().to_str().unwrap().replace('/', "%2F"))
    }

    pub fn set(&self, mode: Mode) {
        self.shared.mode.send_replace(mode);
    }

    /// Holds every piece of an answer back for so long.
    pub fn delay(&self, delay: Duration) {
        *self.shared.delay.lock().unwrap() = delay;
    }

    /// Lets each of the next `times` requests that contain `pattern` reach the server and be carried out, and cuts the connection in place
    /// of the answer.
    pub fn lose_answers(&self, pattern: &[u8], times: u64) {
        self.lose_answers_after(b"", pattern, times);
    }

    /// The same, only of requests before which `marker` went by on their connection: the commit of one kind of transaction.
    pub fn lose_answers_after(&self, marker: &[u8], pattern: &[u8], times: u64) {
        *self.shared.lose.lock().unwrap() = Some(Lose { marker: marker.to_vec(), pattern: pattern.to_vec(), times });
    }

    /// Loses no more answers.
    pub fn keep_answers(&self) {
        *self.shared.lose.lock().unwrap() = None;
    }

    /// Answers that were lost after the server had carried the request out.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(SeqCst)
    }

    /// Connections that were opened.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(SeqCst)
    }

    /// Connections that were refused or cut by [`Mode::Refuse`].
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(SeqCst)
    }

    /// Bytes of answers that went through.
    pub fn answered_bytes(&self) -> u64 {
        self.shared.seen.load(SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: UnixListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        shared.connections.fetch_add(1, SeqCst);
        if *shared.mode.borrow() == Mode::Refuse {
            shared.refused.fetch_add(1, SeqCst);
            continue;
        }
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let Ok(server) = UnixStream::connect(&shared.upstream).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let doomed = watch::Sender::new(false);
            tokio::select! {
                () = requests(&shared, from_client, to_server, &doomed) => {}
                () = answers(&shared, from_server, to_client, doomed.subscribe()) => {}
                () = refused(&shared) => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn refused(shared: &Shared) {
    let _ = shared.mode.subscribe().wait_for(|mode| *mode == Mode::Refuse).await;
    shared.refused.fetch_add(1, SeqCst);
}

async fn moving(shared: &Shared) {
    let _ = shared.mode.subscribe().wait_for(|mode| *mode != Mode::Stall).await;
}

async fn requests(shared: &Shared, mut client: OwnedReadHalf, mut server: OwnedWriteHalf, doomed: &watch::Sender<bool>) {
    let (mut buf, mut window, mut marked) = (vec![0; 64 * 1024], Vec::new(), false);
    loop {
        let Ok(len @ 1..) = client.read(&mut buf).await else { return };
        moving(shared).await;
        window.extend_from_slice(&buf[..len]);
        if shared.dooms(&mut window, &mut marked) {
            doomed.send_replace(true);
        }
        let keep = window.len().min(256);
        window.drain(..window.len() - keep);
        if server.write_all(&buf[..len]).await.is_err() {
            return;
        }
        // What follows a doomed request must not reach the server as well: its sender cannot know of it.
        if *doomed.borrow() {
            return std::future::pending().await;
        }
    }
}

async fn answers(shared: &Shared, mut server: OwnedReadHalf, mut client: OwnedWriteHalf, doomed: watch::Receiver<bool>) {
    let mut buf = vec![0; 64 * 1024];
    loop {
        let Ok(len @ 1..) = server.read(&mut buf).await else { return };
        if *doomed.borrow() {
            while let Ok(Ok(1..)) = tokio::time::timeout(QUIET, server.read(&mut buf)).await {}
            shared.lost.fetch_add(1, SeqCst);
            return;
        }
        moving(shared).await;
        let delay = *shared.delay.lock().unwrap();
        tokio::time::sleep(delay).await;
        shared.seen.fetch_add(len as u64, SeqCst);
        if client.write_all(&buf[..len]).await.is_err() {
            return;
        }
    }
}

impl Shared {
    /// Whether these bytes of a connection hold a request whose answer is to be lost. What was found is not looked at again.
    fn dooms(&self, window: &mut Vec<u8>, marked: &mut bool) -> bool {
        let mut lose = self.lose.lock().unwrap();
        let Some(wanted) = lose.as_mut() else { return false };
        let contains = |bytes: &[u8]| bytes.is_empty() || window.windows(bytes.len()).any(|w| w == bytes);
        *marked |= contains(&wanted.marker);
        if !contains(&wanted.pattern) {
            return false;
        }
        window.clear();
        let dooms = std::mem::take(marked) && wanted.times > 0;
        wanted.times -= u64::from(dooms);
        dooms
    }
}
