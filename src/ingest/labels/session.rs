//! One connection to one labeler: read from where Redis stands, judged, appended where Redis still stands there. Any surprise ends it.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::judge::{Farewell, Judged, Law, judge};
use super::{Context, Labeler};
use crate::atproto::{Position, PublicKey};
use crate::identity::{Freshness, IdentityError};
use crate::net::{Endpoint, Message, Options, Reach, Socket, SocketError};
use crate::queue::{Appender, Most, Moved, QueueError, QueuedLabel, Seen, Stream};
use crate::telemetry::failpoint;

const SUBSCRIBE: &str = "/xrpc/com.atproto.label.subscribeLabels";
/// Longest message: a label takes some hundred bytes, and labelers send them one by one.
const MAX_MESSAGE: usize = 1 << 20;
/// Bytes of messages that were read and not yet judged.
const QUEUE_BYTES: usize = 2 << 20;
/// Messages that are judged and appended together.
const TOGETHER: usize = 256;
/// Time that one label takes at least: a labeler that sends without end takes a tenth of a core here, and no more of the worker.
const PACE: Duration = Duration::from_micros(500);
/// Labels and messages that cannot be used, after which a connection ends and the next one waits: no bad labeler costs more than that.
const MOST_FAULTS: usize = 256;
/// Entries of a labeler that wait for a worker; above it nothing is read.
const MOST_WAITING: u64 = 256;
/// Pause before a queue that is full is looked at again.
const FULL_PAUSE: Duration = Duration::from_millis(250);
/// An idle connection asks this often whether the queue still stands where it was.
const TICK: Duration = Duration::from_secs(1);
/// Most labelers are silent for long, and so is a connection that nobody holds any more.
const RENEW: Duration = Duration::from_mins(10);
/// A connection that lasted this long was worth being made.
const LASTING: Duration = Duration::from_secs(30);

/// Why a session ended.
#[derive(Debug)]
pub(super) enum End {
    /// A worker has to say where the labeler stands.
    Wait,
    /// Begin again at once: the connection was silent for long.
    Again,
    Renumbered,
    Broken {
        reason: &'static str,
        error: anyhow::Error,
    },
}

impl End {
    fn broken(reason: &'static str, error: impl Into<anyhow::Error>) -> Self {
        Self::Broken { reason, error: error.into() }
    }

    pub fn reason(&self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Again => "again",
            Self::Renumbered => "renumbered",
            Self::Broken { reason, .. } => reason,
        }
    }
}

impl From<QueueError> for End {
    fn from(error: QueueError) -> Self {
        Self::broken("redis", error)
    }
}

struct Session<'a> {
    context: &'a Context,
    labeler: &'a Labeler,
    stream: Stream,
    appender: Appender,
    socket: Socket,
    law: Law,
    /// Where Redis stands.
    at: Position,
    faults: usize,
    progress: bool,
}

/// Runs one session to its end; why it ended, and whether it achieved something.
pub(super) async fn run(context: &Context, labeler: &Labeler) -> (End, bool) {
    let mut session = match open(context, labeler).await {
        Ok(session) => session,
        Err(end) => return (end, false),
    };
    let connected = Connected::new(context);
    let begun = Instant::now();
    let end = match session.work().await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    drop(connected);
    // Who is at fault is asked less and less often, though other labels of it are good.
    let progress = session.faults < MOST_FAULTS && (session.progress || begun.elapsed() > LASTING);
    (end, progress)
}

/// Counts a connection while it lasts.
struct Connected<'a>(&'a Context);

impl<'a> Connected<'a> {
    fn new(context: &'a Context) -> Self {
        context.telemetry.metrics().labels.connected.inc();
        Self(context)
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.telemetry.metrics().labels.connected.dec();
    }
}

/// Reads the position, finds the key and the address, connects.
async fn open<'a>(context: &'a Context, labeler: &'a Labeler) -> Result<Session<'a>, End> {
    let queue = &context.queue;
    queue.add_labeler(labeler.did.as_str()).await?;
    let stream = queue.labeler(labeler.did.as_str());
    let at = queue.snapshot(&stream, Position::LIVE, Most::entries(0)).await?.ok_or(End::Wait)?.pos;
    let appender = queue.appender().await?;
    let key = key(context, labeler, Freshness::Cached).await?;
    let held = queue.seen(&word_of(labeler)).await?.filter(|seen| seen.epoch == at.epoch && seen.seq >= at.seq);
    let law = Law {
        src: labeler.did.to_string(),
        keys: key.into_iter().collect(),
        allow_unsigned: context.allow_unsigned,
        held: held.map(|seen| (seen.seq, seen.digest)),
    };
    let (endpoint, reach) = endpoint(context, labeler).await?;
    // What was said last is asked for again, where it is known: a labeler whose numbers began anew says something else.
    let again = i64::from(law.held.is_some_and(|(seq, _)| seq == at.seq));
    let path = format!("{SUBSCRIBE}?cursor={}", (at.seq - again).max(0));
    let options = Options { max_message: MAX_MESSAGE, queue_bytes: QUEUE_BYTES, ..Options::default() };
    let socket = Socket::connect(&endpoint, &path, reach, options).await.map_err(|error| End::broken("connect", error))?;
    tracing::info!(labeler = %labeler.did, endpoint = %endpoint, cursor = at.seq, "listening to a labeler");
    Ok(Session { context, labeler, stream, appender, socket, law, at, faults: 0, progress: false })
}

/// Under which name Redis keeps what a labeler said last: beside its stream.
fn word_of(labeler: &Labeler) -> String {
    format!("labels:{}", labeler.did)
}

/// The key that signs its labels. Without one nothing of it can be believed, and nothing is passed over: it is asked again later.
async fn key(context: &Context, labeler: &Labeler, freshness: Freshness) -> Result<Option<PublicKey>, End> {
    match context.identities.document(&labeler.did, freshness).await {
        Ok(document) if document.labeler_key.is_some() => Ok(document.labeler_key.clone()),
        _ if context.allow_unsigned => Ok(None),
        Ok(_) => Err(End::broken("no_key", anyhow::anyhow!("its document has no key #atproto_label"))),
        Err(error) => Err(End::broken("no_document", error)),
    }
}

async fn endpoint(context: &Context, labeler: &Labeler) -> Result<(Endpoint, Reach), End> {
    let unfit = |error| End::broken("no_endpoint", anyhow::Error::new(error));
    if let Some(url) = &labeler.endpoint {
        return Ok((url.parse().map_err(unfit)?, Reach::Any));
    }
    let document = context.identities.document(&labeler.did, Freshness::Cached).await;
    let document = document.map_err(|error: IdentityError| End::broken("no_document", error))?;
    let missing = || End::broken("no_endpoint", anyhow::anyhow!("its document has no service #atproto_labeler"));
    let url = document.labeler.as_deref().ok_or_else(missing)?;
    Ok((url.parse().map_err(unfit)?, if context.allow_private { Reach::Any } else { Reach::Public }))
}

impl Session<'_> {
    async fn work(&mut self) -> Result<Infallible, End> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        let mut messages = Vec::with_capacity(TOGETHER);
        loop {
            tokio::select! {
                count = self.socket.next_many(&mut messages, TOGETHER) => {
                    heard = Instant::now();
                    if count == 0 {
                        return Err(End::broken("closed", anyhow::anyhow!("the connection is over")));
                    }
                    self.take(messages.drain(..)).await?;
                }
                _ = ticks.tick() => {
                    self.move_to(self.at, &[]).await?;
                    if heard.elapsed() > RENEW {
                        return Err(End::Again);
                    }
                }
            }
        }
    }

    /// Judges messages, queues what holds of them, and counts the rest.
    async fn take(&mut self, messages: impl Iterator<Item = Result<Message, SocketError>>) -> Result<(), End> {
        let (mut bytes, mut end) = (Vec::new(), None);
        for message in messages {
            match message {
                Ok(message) => bytes.push(message.bytes),
                Err(SocketError::TooLarge(limit)) => end = Some(End::broken("too_large", SocketError::TooLarge(limit))),
                Err(error) => end = Some(End::broken("closed", error)),
            }
        }
        let judged = self.judge(bytes).await?;
        self.count(&judged);
        if judged.contradicts {
            return Err(self.renumbered().await?);
        }
        self.remember(judged.word).await?;
        let last = Position::new(self.at.epoch, judged.last);
        self.move_to(last, &judged.labels).await?;
        match judged.farewell {
            // Who has nothing to begin anew says something else.
            Some(Farewell::FutureCursor) if self.at.seq > 0 => return Err(self.renumbered().await?),
            Some(_) => return Err(End::broken("labeler_error", anyhow::anyhow!("the labeler ended the stream with an error"))),
            None => {}
        }
        if self.faults >= MOST_FAULTS {
            return Err(End::broken("faults", anyhow::anyhow!("{} labels or messages could not be used", self.faults)));
        }
        if let Some(end) = end {
            return Err(end);
        }
        let labels = u32::try_from(judged.labels.len() + judged.refused.len()).unwrap_or(u32::MAX);
        tokio::time::sleep(PACE * labels).await;
        Ok(())
    }

    /// Numbers that begin anew are a new epoch.
    async fn renumbered(&mut self) -> Result<End, End> {
        self.move_to(Position::new(self.at.epoch.saturating_add(1), 0), &[]).await?;
        Ok(End::Renumbered)
    }

    /// Keeps what was said last, before the position moves there: a word ahead of the position is held against what comes, one behind it would
    /// be no use. A slower ingest beside this one may put an older one back, and the next message repairs that.
    async fn remember(&mut self, word: Option<(i64, [u8; 32])>) -> Result<(), End> {
        let Some((seq, digest)) = word else { return Ok(()) };
        self.law.held = self.law.held.filter(|(held, _)| *held > seq);
        if self.law.held.is_some() {
            return Ok(());
        }
        let seen = Seen { epoch: self.at.epoch, seq, time: 0, digest };
        match self.context.queue.set_seen(&word_of(self.labeler), &seen).await {
            Err(error) if !error.is_full() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Judges, and once more with the newest key where a label does not fit the one at hand: the key may have been changed, and these messages
    /// may be from before and after.
    async fn judge(&mut self, messages: Vec<Bytes>) -> Result<Judged, End> {
        let judged = self.judge_by(messages.clone()).await?;
        if !judged.doubts_keys() {
            return Ok(judged);
        }
        let newest = key(self.context, self.labeler, Freshness::Forced).await?;
        let Some(newest) = newest.filter(|key| !self.law.keys.contains(key)) else { return Ok(judged) };
        tracing::info!(labeler = %self.labeler.did, "the labeler signs with another key than before");
        self.law.keys.push(newest);
        let judged = self.judge_by(messages).await;
        self.law.keys.drain(..self.law.keys.len().saturating_sub(1));
        judged
    }

    async fn judge_by(&self, messages: Vec<Bytes>) -> Result<Judged, End> {
        let (after, law) = (self.at.seq, self.law.clone());
        let judging = tokio::task::spawn_blocking(move || judge(&messages, after, &law));
        judging.await.map_err(|error| End::broken("judge", error))
    }

    fn count(&mut self, judged: &Judged) {
        let metrics = &self.context.telemetry.metrics().labels;
        for kind in &judged.kinds {
            metrics.messages.inc(kind);
        }
        for reason in &judged.refused {
            metrics.refused.inc(reason);
        }
        self.faults += judged.faults();
    }

    /// Moves Redis from where it stands to `to`, with the labels in between. Where another ingest was faster, what it has is passed over.
    async fn move_to(&mut self, to: Position, mut labels: &[QueuedLabel]) -> Result<(), End> {
        if !labels.is_empty() {
            self.room().await?;
        }
        loop {
            let moved = match labels {
                [] => self.appender.advance(&self.stream, self.at, to).await,
                labels => self.appender.append_labels(&self.stream, self.at, to, labels).await,
            };
            match moved {
                Err(error) if error.is_full() => tokio::time::sleep(FULL_PAUSE).await,
                Err(error) => return Err(error.into()),
                Ok(Moved::Done) => break,
                Ok(Moved::Found(None)) => return Err(End::Wait),
                Ok(Moved::Found(Some(found))) if found > self.at && found.epoch == self.at.epoch => {
                    self.at = found;
                    if found >= to {
                        return Ok(());
                    }
                    let passed = labels.partition_point(|queued| queued.seq <= found.seq);
                    labels = labels.get(passed..).unwrap_or_default();
                }
                Ok(Moved::Found(Some(found))) => {
                    return Err(End::broken("went_back", anyhow::anyhow!("the queue stands at {found}, expected was {}", self.at)));
                }
            }
        }
        self.at = to;
        if !labels.is_empty() {
            failpoint::hit("label.after_append");
            self.progress = true;
        }
        self.context.telemetry.metrics().labels.taken.inc_by(u64::try_from(labels.len()).unwrap_or(0));
        Ok(())
    }

    /// Waits while too many entries wait for a worker.
    async fn room(&self) -> Result<(), End> {
        while self.context.queue.entries_waiting(&self.stream).await? >= MOST_WAITING {
            tokio::time::sleep(FULL_PAUSE).await;
        }
        Ok(())
    }
}
