//! The writing end of one ingest session.
//!
//! Never goes on after a surprise: an error, a timeout or a strange answer leaves open what Redis did, so the session must end and read the
//! positions again through a new appender.

use bytes::Bytes;

use super::entry;
use super::keys::Stream;
use super::labels::{QueuedLabel, encode_labels};
use super::link::Link;
use super::script::{ADVANCE, APPEND, Script};
use super::value::{bytes, int, position};
use super::{Position, QueueError};

/// What an append or advance did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// The position was the expected one and is the new one now.
    Done,
    /// Nothing happened: the position is this one; `None` where the partition is absent (a worker has to begin it).
    Found(Option<Position>),
}

/// A connection of its own, without retries; calls may run concurrently.
#[derive(Debug)]
pub struct Appender {
    link: Link,
}

impl Appender {
    pub(super) fn new(link: Link) -> Self {
        Self { link }
    }

    /// Appends an encoded entry, which must hold all events of the partition in (`expected`, `last`], where the partition stands at `expected`.
    ///
    /// # Errors
    /// Any error ends this appender, but [`QueueError::Backwards`], and a Redis that is full ([`QueueError::is_full`]: nothing was written).
    pub async fn append(&self, stream: &Stream, expected: Position, last: Position, entry: Bytes) -> Result<Moved, QueueError> {
        let events = i64::from(entry::count(&entry).unwrap_or(0));
        self.push(stream, expected, last, entry, events).await
    }

    /// The same for an entry of labels.
    ///
    /// # Errors
    /// As [`Appender::append`].
    pub async fn append_labels(
        &self,
        stream: &Stream,
        expected: Position,
        last: Position,
        labels: &[QueuedLabel],
    ) -> Result<Moved, QueueError> {
        let count = i64::try_from(labels.len()).unwrap_or(i64::MAX);
        self.push(stream, expected, last, encode_labels(labels).into(), count).await
    }

    async fn push(&self, stream: &Stream, expected: Position, last: Position, entry: Bytes, events: i64) -> Result<Moved, QueueError> {
        if last <= expected {
            return Err(QueueError::Backwards { from: expected, to: last });
        }
        self.move_to(&APPEND, stream, vec![expected.to_string().into(), last.to_string().into(), entry.into(), events.into()]).await
    }

    /// Moves the position where it stands at `expected`; the partition has no event in (`expected`, `to`]. With `to` = `expected` it only asks.
    ///
    /// # Errors
    /// As [`Appender::append`].
    pub async fn advance(&self, stream: &Stream, expected: Position, to: Position) -> Result<Moved, QueueError> {
        if to < expected {
            return Err(QueueError::Backwards { from: expected, to });
        }
        self.move_to(&ADVANCE, stream, vec![expected.to_string().into(), to.to_string().into()]).await
    }

    async fn move_to(&self, script: &'static Script, stream: &Stream, args: Vec<fred::types::Value>) -> Result<Moved, QueueError> {
        if self.link.is_in_doubt() {
            return Err(QueueError::Ended);
        }
        let answer = self.link.run(script, stream, args).await?;
        let [moved, found] = &answer[..] else { return Err(self.link.foreign(script.name)) };
        match (int(moved), bytes(found)) {
            (Some(1), Some(_)) => Ok(Moved::Done),
            (Some(0), None) => Ok(Moved::Found(None)),
            (Some(0), Some(_)) => position(found).map(|p| Moved::Found(Some(p))).ok_or_else(|| self.link.foreign(script.name)),
            _ => Err(self.link.foreign(script.name)),
        }
    }
}
