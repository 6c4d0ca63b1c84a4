//! The sandbox as a process: makes or replays frames, records them, and serves them as a relay until it is stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::network::{BEGINNING, Network};
use super::recording;
use super::relay::{Log, Relay, listen};
use crate::atproto::frame;

/// Frames made ahead of their time.
const AHEAD: usize = 1024;

/// What the sandbox does. The same options give the same frames, but for the times of a network that lives now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub seed: u64,
    pub accounts: usize,
    /// Messages in all; `None` = without end.
    pub events: Option<u64>,
    /// Messages a second; 0 = as fast as they can be made.
    pub rate: u32,
    /// Where the relay listens.
    pub listen: SocketAddr,
    /// Serves this recording in place of a network.
    pub replay: Option<PathBuf>,
    /// Writes every frame that is served to this file. The network then begins at [`BEGINNING`] and not now, so that recordings are equal.
    pub record: Option<PathBuf>,
    /// Newest frames that can be replayed to those who come late.
    pub window: usize,
}

impl Default for Options {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 2470));
        Self { seed: 1, accounts: 200, events: None, rate: 50, listen, replay: None, record: None, window: 100_000 }
    }
}

/// Runs until `shutdown`; after the last message the relay goes on serving what its window holds.
///
/// # Errors
/// The address is taken, a file cannot be read or written, a recording is no recording.
pub async fn run(options: Options, shutdown: CancellationToken) -> anyhow::Result<()> {
    let listener = listen(options.listen).with_context(|| format!("cannot listen on {}", options.listen))?;
    let relay = Relay::new(Arc::new(Log::new(options.window)));
    tracing::info!(listen = %listener.local_addr()?, seed = options.seed, accounts = options.accounts, "sandbox relay listening");
    let (send, receive) = mpsc::channel(AHEAD);
    let source = options.clone();
    let maker = tokio::task::spawn_blocking(move || make(&source, &send));
    let stop = shutdown.clone();
    let log = Arc::clone(&relay.log);
    let fill = async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = fill(&log, receive, options.rate) => {}
        }
        maker.await.context("the maker of frames panicked")?
    };
    let serve = relay.serve(listener, shutdown.clone());
    tokio::try_join!(fill, serve)?;
    Ok(())
}

/// Moves frames into the log, `rate` a second.
async fn fill(log: &Log, mut frames: mpsc::Receiver<(i64, Bytes)>, rate: u32) {
    let mut due = Instant::now();
    let pause = Duration::from_secs(1).checked_div(rate).unwrap_or_default();
    while let Some((seq, frame)) = frames.recv().await {
        sleep_until(due).await;
        due += pause;
        log.push(seq, frame);
    }
}

/// Makes or reads all frames, on a thread that may block; ends early when nobody takes them any more.
fn make(options: &Options, send: &mpsc::Sender<(i64, Bytes)>) -> anyhow::Result<()> {
    let mut record = options.record.as_deref().map(recording::Writer::create).transpose().context("cannot record")?;
    for made in source(options)?.take(usize::try_from(options.events.unwrap_or(u64::MAX)).unwrap_or(usize::MAX)) {
        let (seq, frame) = made?;
        if let Some(record) = &mut record {
            record.write(&frame).context("cannot record")?;
        }
        if send.blocking_send((seq, frame)).is_err() {
            break;
        }
    }
    record.map_or(Ok(()), |r| r.finish().context("cannot record"))
}

type Source = Box<dyn Iterator<Item = anyhow::Result<(i64, Bytes)>>>;

fn source(options: &Options) -> anyhow::Result<Source> {
    let Some(path) = &options.replay else {
        let mut network = Network::beginning_at(options.seed, options.accounts, beginning(options));
        return Ok(Box::new(std::iter::repeat_with(move || network.next_event().map(|made| (made.seq, made.frame.into())))));
    };
    let frames = recording::Reader::open(path).with_context(|| format!("cannot replay {}", path.display()))?;
    let mut last = 0;
    Ok(Box::new(frames.map(move |frame| {
        let frame = Bytes::from(frame?);
        last = frame::peek(&frame).map_or(last + 1, |peek| peek.seq);
        Ok((last, frame))
    })))
}

fn beginning(options: &Options) -> i64 {
    if options.record.is_some() {
        return BEGINNING;
    }
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|d| i64::try_from(d.as_micros()).ok()).unwrap_or(BEGINNING)
}
