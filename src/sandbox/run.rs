//! The sandbox as a process: makes or replays frames, records them, and serves them as a relay until it is stopped.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::directory::Directory;
use super::labeler::Labeler;
use super::network::{BEGINNING, Network};
use super::oracle::{self, Oracle};
use super::recording;
use super::relay::{Log, Planned, Rate, Relay, listen, spoil};
use crate::atproto::{Cid, SigningKey, frame};

/// The labeler of the sandbox, and what its key is made of.
const LABELER: &str = "did:plc:sandboxlabeleraaaaaaaaaa";
const LABELER_KEY: u8 = 77;
/// Frames made ahead of their time.
const AHEAD: usize = 1024;
/// How often a long recording says how far it is.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// Frames between two looks at the clock.
const CLOCK_EVERY: u64 = 256;

/// What the sandbox does. The same options give the same frames, but for the times of a network that lives now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub seed: u64,
    pub accounts: usize,
    /// Messages in all; `None` = without end.
    pub events: Option<u64>,
    /// Messages a second; 0 = as fast as they are made, until half the window waits to be read.
    pub rate: u32,
    /// Where the relay listens.
    pub listen: SocketAddr,
    /// Where the directory of DIDs and the hosts of handles are served; a recording has none.
    pub directory: Option<SocketAddr>,
    /// Where the AppView answers that reads this network, whom its feed generator asks who it is.
    pub appview: Option<String>,
    /// Where a labeler of the network is served, which the directory knows.
    pub labeler: Option<SocketAddr>,
    /// Serves this recording in place of a network.
    pub replay: Option<PathBuf>,
    /// Writes every frame that is served to this file. The network then begins at [`BEGINNING`] and not now, so that recordings are equal.
    pub record: Option<PathBuf>,
    /// Writes what an index must hold after the last message to this file; needs an end, `events` or that of a recording.
    pub expect: Option<PathBuf>,
    /// Newest frames that can be replayed to those who come late.
    pub window: usize,
    /// Without a relay: everything is recorded as fast as it can be made, then the run is over.
    pub no_serve: bool,
    /// What the relay does wrong, once each.
    pub faults: Vec<Planned>,
    /// What it does wrong by chance, which `seed` begins.
    pub fault_rates: Vec<Rate>,
}

impl Default for Options {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 2470));
        Self {
            seed: 1,
            accounts: 200,
            events: None,
            rate: 50,
            listen,
            directory: None,
            appview: None,
            labeler: None,
            replay: None,
            record: None,
            expect: None,
            window: 100_000,
            no_serve: false,
            faults: Vec::new(),
            fault_rates: Vec::new(),
        }
    }
}

/// Runs until `shutdown`; after the last message the relay goes on serving what its window holds. Without a relay: until all is recorded.
///
/// # Errors
/// The address is taken, a file cannot be read or written, a recording is no recording.
pub async fn run(options: Options, shutdown: CancellationToken) -> anyhow::Result<()> {
    if options.no_serve {
        let made = tokio::task::spawn_blocking(move || make(&options, &Arc::default(), None, |_, _| !shutdown.is_cancelled()));
        return made.await.context("the maker of frames panicked")?;
    }
    let listener = listen(options.listen).with_context(|| format!("cannot listen on {}", options.listen))?;
    let relay = relay(&options);
    tracing::info!(listen = %listener.local_addr()?, seed = options.seed, accounts = options.accounts, "sandbox relay listening");
    let (send, receive) = mpsc::channel(AHEAD);
    let source = options.clone();
    let directory = Arc::new(Directory::default());
    if let Some(url) = &options.appview {
        directory.know_appview(url);
    }
    let known_to = Arc::clone(&directory);
    let labeler = options.labeler.map(|at| labeler(&options, at, &directory)).transpose()?;
    let seen_by = labeler.as_ref().map(|(labeler, _)| Arc::clone(labeler));
    let maker = tokio::task::spawn_blocking(move || {
        make(&source, &known_to, seen_by.as_deref(), |seq, frame| send.blocking_send((seq, frame)).is_ok())
    });
    let stop = shutdown.clone();
    let log = Arc::clone(&relay.log);
    let fill = async move {
        let filled = tokio::select! {
            () = stop.cancelled() => Ok(()),
            filled = fill(&log, receive, options.rate) => filled,
        };
        maker.await.context("the maker of frames panicked")?.and(filled)
    };
    let serve = relay.serve(listener, shutdown.clone());
    let resolve = serve_directory(directory, options.directory, shutdown.clone());
    let label = serve_labeler(labeler, shutdown);
    let done = tokio::try_join!(fill, serve, resolve, label).map(|_| ());
    let faults: Vec<_> = relay.faults.counts().into_iter().filter(|(_, count)| *count > 0).collect();
    tracing::info!(frames = relay.stats.frames(), connections = relay.stats.connections(), ?faults, "sandbox relay ends");
    done
}

/// The labeler of this network, known to its directory, and where it will be served.
fn labeler(options: &Options, at: SocketAddr, directory: &Directory) -> anyhow::Result<(Arc<Labeler>, TcpListener)> {
    let listener = listen(at).with_context(|| format!("cannot listen on {at}"))?;
    let address = listener.local_addr()?;
    let key = SigningKey::from_bytes([LABELER_KEY; 32])?;
    let labeler = Labeler::new(LABELER, key, options.window);
    labeler.known_to(directory, &format!("http://{address}"));
    tracing::info!(listen = %address, did = LABELER, "sandbox labeler listening");
    Ok((Arc::new(labeler), listener))
}

async fn serve_labeler(labeler: Option<(Arc<Labeler>, TcpListener)>, shutdown: CancellationToken) -> anyhow::Result<()> {
    let Some((labeler, listener)) = labeler else { return Ok(()) };
    labeler.relay.serve(listener, shutdown).await
}

async fn serve_directory(directory: Arc<Directory>, at: Option<SocketAddr>, shutdown: CancellationToken) -> anyhow::Result<()> {
    let Some(at) = at else { return Ok(()) };
    let listener = TcpListener::bind(at).await.with_context(|| format!("cannot listen on {at}"))?;
    tracing::info!(listen = %listener.local_addr()?, "sandbox directory listening");
    directory.serve(listener, shutdown).await
}

/// A relay that will misbehave as `options` say.
fn relay(options: &Options) -> Relay {
    let relay = Relay::new(Arc::new(Log::new(options.window)));
    for planned in &options.faults {
        relay.faults.once(planned.seq, planned.fault.clone());
    }
    relay.faults.by_chance(options.seed, options.fault_rates.iter().map(|rate| (rate.fault.clone(), rate.per_mille)).collect());
    relay
}

/// Moves frames into the log, `rate` a second, or as fast as they are read. Where the relay was renumbered, they get the next numbers.
async fn fill(log: &Log, mut frames: mpsc::Receiver<(i64, Bytes)>, rate: u32) -> anyhow::Result<()> {
    let mut due = Instant::now();
    let pause = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
    while let Some((seq, frame)) = frames.recv().await {
        if rate == 0 {
            log.room().await;
        }
        sleep_until(due).await;
        due += pause;
        let next = log.head().seq + 1;
        if seq >= next {
            log.push(seq, frame);
        } else {
            log.push(next, spoil::with_seq(&frame, next)?);
        }
    }
    Ok(())
}

/// Makes or reads all frames, on a thread that may block, and gives each to `take`; ends early when that wants no more.
fn make(
    options: &Options,
    directory: &Arc<Directory>,
    labeler: Option<&Labeler>,
    mut take: impl FnMut(i64, Bytes) -> bool,
) -> anyhow::Result<()> {
    let mut record = options.record.as_deref().map(recording::Writer::create).transpose().context("cannot record")?;
    let mut progress = Progress::new();
    let mut oracle = options.expect.as_deref().map(|path| (path, Oracle::default()));
    let mut source = Source::open(options, directory)?;
    for _ in 0..options.events.unwrap_or(u64::MAX) {
        let Some((seq, frame)) = source.next()? else { break };
        if let Some((_, oracle)) = &mut oracle {
            source.invalid().into_iter().for_each(|records| oracle.forbid(records));
            oracle.play_bytes(&frame);
        }
        if let Some(labeler) = labeler {
            labeler.see(&frame);
        }
        if let Some(record) = &mut record {
            record.write(&frame).context("cannot record")?;
            progress.one(frame.len());
        }
        if !take(seq, frame) {
            return Ok(());
        }
    }
    if let Some((path, oracle)) = oracle {
        oracle::write_expected(&oracle, path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let Some(record) = record else { return Ok(()) };
    record.finish().context("cannot record")?;
    progress.say("recorded");
    Ok(())
}

/// Tells how far a recording is.
struct Progress {
    frames: u64,
    bytes: usize,
    since: Instant,
    said: Instant,
}

impl Progress {
    fn new() -> Self {
        let now = Instant::now();
        Self { frames: 0, bytes: 0, since: now, said: now }
    }

    fn one(&mut self, bytes: usize) {
        self.frames += 1;
        self.bytes += bytes;
        if self.frames.is_multiple_of(CLOCK_EVERY) && self.said.elapsed() > SAY_EVERY {
            self.said = Instant::now();
            self.say("recording");
        }
    }

    fn say(&self, what: &str) {
        let millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        tracing::info!(frames = self.frames, bytes = self.bytes, frames_a_second = self.frames * 1000 / millis, "{what}");
    }
}

/// Where frames come from.
enum Source {
    Network(Box<Network>),
    /// And the number of its last frame.
    Recording(recording::Reader, i64),
}

impl Source {
    fn open(options: &Options, directory: &Arc<Directory>) -> anyhow::Result<Self> {
        let Some(path) = &options.replay else {
            let network = Network::beginning_at(options.seed, options.accounts, beginning(options));
            return Ok(Self::Network(Box::new(network.known_to(Arc::clone(directory)))));
        };
        let frames = recording::Reader::open(path).with_context(|| format!("cannot replay {}", path.display()))?;
        Ok(Self::Recording(frames, 0))
    }

    /// The next frame and its number; `None` at a recording's end.
    fn next(&mut self) -> anyhow::Result<Option<(i64, Bytes)>> {
        match self {
            Self::Network(network) => network.next_event().map(|made| Some((made.seq, made.frame.into()))),
            Self::Recording(frames, last) => {
                let Some(frame) = frames.next().transpose()?.map(Bytes::from) else { return Ok(None) };
                *last = frame::peek(&frame).map_or(*last + 1, |peek| peek.seq);
                Ok(Some((*last, frame)))
            }
        }
    }

    /// CIDs of records that their lexicons do not allow, so far; a recording does not tell.
    fn invalid(&self) -> Option<&HashSet<Cid>> {
        if let Self::Network(network) = self { Some(network.invalid()) } else { None }
    }
}

fn beginning(options: &Options) -> i64 {
    if options.record.is_some() {
        return BEGINNING;
    }
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|d| i64::try_from(d.as_micros()).ok()).unwrap_or(BEGINNING)
}
