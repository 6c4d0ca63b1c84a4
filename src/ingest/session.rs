//! One session: one relay connection and one set of positions. Whatever surprises it ends it, and the next one begins with what Redis says.
//!
//! Never has two questions open for one partition, and never trusts a position that it did not read or move itself.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use super::context::{Context, End, Outcome, Recollection};
use super::lane::{Heard, Lane, Step};
use super::open::{Opened, open};
use super::pipeline::{Item, now_micros};
use super::suspects::Suspects;
use crate::queue::{Appender, Moved, QueueError, Seen, Stream, entry};
use crate::telemetry::failpoint;

/// Events are sent at the latest this long after they were read (the contract says 5 ms), while the relay is up to date.
const FLUSH: Duration = Duration::from_millis(4);
/// Where the relay is behind by [`LATE_MS`] nobody waits for a single event: they travel in larger entries, which cost Redis and both sides
/// a fraction.
const FLUSH_LATE: Duration = Duration::from_millis(100);
/// Age of the newest event read, in milliseconds, from which on events are late.
const LATE_MS: i64 = 10_000;
/// Idle partitions move on, and the queue is asked whether it still stands, this often.
const TICK: Duration = Duration::from_secs(1);
/// Bytes of events that are read and not yet in the queue, over all partitions; the relay is not read above.
const MAX_HELD: usize = 16 << 20;
/// A lane with this many events is sent without waiting for more.
const ENOUGH: usize = 64;
/// Pause before a full Redis is asked again.
const FULL_PAUSE: Duration = Duration::from_millis(250);
/// Time to send what was read, once a stop was asked for.
const DRAIN: Duration = Duration::from_secs(10);
/// A session that lasted this long was worth its connection, though nothing may have happened in the network.
const LASTING: Duration = Duration::from_secs(30);

/// Runs one session to its end.
pub async fn run(context: &Context, recollection: &mut Recollection) -> Outcome {
    let outcome = |end| Outcome { end, progress: false };
    let opened = tokio::select! {
        () = context.shutdown.cancelled() => return outcome(End::Shutdown),
        opened = open(context, recollection) => opened,
    };
    let opened = match opened {
        Ok(opened) => opened,
        Err(end) => return outcome(end),
    };
    let check = opened.check.clone();
    let begun = Instant::now();
    let mut session = Session::new(context, opened);
    let end = match session.work(&mut recollection.suspects).await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    if end.is_of_the_relay() {
        // A relay that drops connections soon after it was connected to would be read from the same place again and again.
        session.drain().await;
    }
    if matches!(end, End::Again) {
        recollection.confirmed = check;
    }
    Outcome { end, progress: session.progress || begun.elapsed() > LASTING }
}

/// An answer from Redis.
enum Answer {
    Lane { part: usize, moved: Result<Moved, QueueError> },
    Seen(Result<(), QueueError>),
}

struct Session<'a> {
    context: &'a Context,
    opened: Opened,
    answers: FuturesUnordered<BoxFuture<'static, Answer>>,
    held_back: watch::Receiver<bool>,
    /// When what is held must be sent.
    flush_at: Option<Instant>,
    /// Redis has no memory left; nothing is read until it has taken an entry.
    full: bool,
    last_data: Instant,
    seen: Option<Seen>,
    progress: bool,
}

impl<'a> Session<'a> {
    fn new(context: &'a Context, opened: Opened) -> Self {
        Self {
            held_back: context.held_back.clone(),
            context,
            opened,
            answers: FuturesUnordered::new(),
            flush_at: None,
            full: false,
            last_data: Instant::now(),
            seen: None,
            progress: false,
        }
    }

    /// Reads and sends until something ends it.
    async fn work(&mut self, suspects: &mut Suspects) -> Result<Infallible, End> {
        let mut ticks = interval_at(Instant::now() + TICK, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let reads = self.reads();
            tokio::select! {
                biased;
                () = self.context.shutdown.cancelled() => {
                    self.drain().await;
                    return Err(End::Shutdown);
                }
                Some(answer) = self.answers.next(), if !self.answers.is_empty() => self.hear(answer)?,
                () = sleep_until(self.flush_at.unwrap_or_else(Instant::now)), if self.flush_at.is_some() => self.flush(),
                _ = ticks.tick() => self.tick()?,
                _ = self.held_back.changed(), if !reads => self.last_data = Instant::now(),
                items = self.opened.pipeline.next(), if reads => self.take(items, suspects)?,
            }
        }
    }

    /// Whether the relay is read: not while the queue is full or behind.
    fn reads(&self) -> bool {
        let held: usize = self.opened.intake.lanes.iter().map(Lane::bytes).sum();
        !self.is_held_back() && held < MAX_HELD
    }

    fn is_held_back(&self) -> bool {
        *self.held_back.borrow() || self.full
    }

    fn take(&mut self, items: Vec<Item>, suspects: &mut Suspects) -> Result<(), End> {
        self.last_data = Instant::now();
        if items.is_empty() {
            return Err(End::broken("closed", anyhow::anyhow!("the connection is over")));
        }
        for item in items {
            let (message, verdict) = item.map_err(|error| End::broken("closed", error))?;
            self.opened.intake.take(message, verdict, suspects)?;
        }
        if let (Some(read), Some(time)) = (self.opened.intake.read(), self.opened.intake.newest_time()) {
            let metrics = &self.context.telemetry.metrics().ingest;
            let lag_ms = (now_micros() - time) / 1000;
            metrics.seq.set(read.seq);
            metrics.lag_milliseconds.set(lag_ms);
            self.context.telemetry.status().ingest(|status| (status.seq, status.lag_ms) = (read.seq, lag_ms));
        }
        for part in 0..self.opened.intake.lanes.len() {
            if self.opened.intake.lanes.get(part).is_some_and(|lane| lane.len() >= ENOUGH) {
                self.send(part);
            }
        }
        self.flush_later();
        Ok(())
    }

    fn flush_later(&mut self) {
        if self.flush_at.is_none() && self.opened.intake.lanes.iter().any(Lane::is_due) {
            let is_late = self.opened.intake.newest_time().is_some_and(|time| now_micros() - time > LATE_MS * 1000);
            self.flush_at = Some(Instant::now() + if is_late { FLUSH_LATE } else { FLUSH });
        }
    }

    fn flush(&mut self) {
        self.flush_at = None;
        for part in 0..self.opened.intake.lanes.len() {
            self.send(part);
        }
    }

    /// Sends the next step of a partition, where there is one; after the answer that is awaited, where there is one.
    fn send(&mut self, part: usize) {
        let (Some(lane), Some(stream)) = (self.opened.intake.lanes.get_mut(part), self.opened.streams.get(part)) else { return };
        if let Some(step) = lane.step() {
            self.answers.push(ask(&self.opened.appender, stream, part, &step));
        }
    }

    /// Once a second: idle partitions move on; a queue that went back is noticed; the newest frame is written down; a relay that says
    /// nothing is left.
    fn tick(&mut self) -> Result<(), End> {
        if !self.reads() {
            self.last_data = Instant::now();
        }
        let silent = self.last_data.elapsed();
        if silent > Duration::from_secs(self.context.config.relay.stall_seconds.into()) {
            return Err(End::broken("stalled", anyhow::anyhow!("nothing came for {} s", silent.as_secs())));
        }
        self.context.telemetry.status().ingest(|status| status.held_back = self.is_held_back());
        self.advance();
        if let Some(question) = self.write_seen() {
            self.answers.push(question);
        }
        Ok(())
    }

    fn advance(&mut self) {
        if !self.opened.intake.has_begun() {
            return;
        }
        let read = self.opened.intake.read();
        for (part, (lane, stream)) in self.opened.intake.lanes.iter_mut().zip(&self.opened.streams).enumerate() {
            let to = read.unwrap_or(lane.expected());
            if let Some(step) = lane.advance(to) {
                self.answers.push(ask(&self.opened.appender, stream, part, &step));
            }
        }
    }

    fn write_seen(&mut self) -> Option<BoxFuture<'static, Answer>> {
        let seen = self.opened.intake.seen().filter(|seen| Some(seen) != self.seen.as_ref())?;
        self.seen = Some(seen.clone());
        let (queue, source) = (self.context.queue.clone(), Arc::clone(&self.context.source));
        Some(Box::pin(async move { Answer::Seen(queue.set_seen(&source, &seen).await) }))
    }

    fn hear(&mut self, answer: Answer) -> Result<(), End> {
        match answer {
            Answer::Seen(Ok(())) => Ok(()),
            Answer::Seen(Err(error)) if error.is_full() => Ok(()),
            Answer::Lane { part, moved: Err(error) } if error.is_full() => {
                if !std::mem::replace(&mut self.full, true) {
                    tracing::warn!(part, %error, "Redis is full; the relay is not read");
                }
                self.flush_at = Some(Instant::now() + FULL_PAUSE);
                if let Some(lane) = self.opened.intake.lanes.get_mut(part) {
                    lane.refused();
                }
                Ok(())
            }
            Answer::Seen(Err(error)) | Answer::Lane { moved: Err(error), .. } => Err(error.into()),
            Answer::Lane { part, moved: Ok(moved) } => self.moved(part, moved),
        }
    }

    fn moved(&mut self, part: usize, moved: Moved) -> Result<(), End> {
        let metrics = &self.context.telemetry.metrics().ingest;
        if matches!(moved, Moved::Found(_)) {
            metrics.refused_compares.inc();
        }
        let Some(lane) = self.opened.intake.lanes.get_mut(part) else { return Ok(()) };
        match lane.hear(moved).map_err(|error| End::broken("went_back", error))? {
            Heard::Appended(events) => {
                failpoint::hit("ingest.after_append");
                metrics.entries.inc();
                metrics.events.inc_by(u64::try_from(events).unwrap_or(0));
                self.progress = true;
                self.full = false;
            }
            Heard::Overtaken(events) => {
                metrics.passed_over.inc_by(u64::try_from(events).unwrap_or(0));
                self.full = false;
            }
            Heard::Stands => {}
        }
        if lane.is_late() || lane.len() >= ENOUGH {
            self.send(part);
        } else {
            self.flush_later();
        }
        Ok(())
    }

    /// Sends what was read, as far as Redis takes it in time. What is not sent is read again by the next session.
    async fn drain(&mut self) {
        let end = Instant::now() + DRAIN;
        let sent = tokio::time::timeout_at(end, async {
            self.flush();
            while let Some(answer) = self.answers.next().await {
                self.hear(answer)?;
                if self.full {
                    return Err(End::broken("full", anyhow::anyhow!("Redis has no memory left")));
                }
                self.flush();
            }
            self.advance();
            let seen = self.write_seen();
            self.answers.extend(seen);
            while let Some(answer) = self.answers.next().await {
                self.hear(answer)?;
            }
            Ok::<(), End>(())
        });
        match sent.await {
            Ok(Ok(())) => tracing::debug!(source = %self.context.source, "what was read is in the queue"),
            Ok(Err(End::Broken { reason, error })) => {
                tracing::warn!(reason, error = %format!("{error:#}"), "the queue does not take the rest");
            }
            Ok(Err(_)) | Err(_) => tracing::warn!("the queue does not take the rest in time"),
        }
    }
}

/// The question that `step` asks of Redis.
fn ask(appender: &Arc<Appender>, stream: &Arc<Stream>, part: usize, step: &Step<'_>) -> BoxFuture<'static, Answer> {
    let (appender, stream) = (Arc::clone(appender), Arc::clone(stream));
    match *step {
        Step::Append { expected, last, events } => {
            let entry = entry::encode(events).into();
            failpoint::hit("ingest.before_append");
            Box::pin(async move { Answer::Lane { part, moved: appender.append(&stream, expected, last, entry).await } })
        }
        Step::Advance { expected, to } => {
            Box::pin(async move { Answer::Lane { part, moved: appender.advance(&stream, expected, to).await } })
        }
    }
}
