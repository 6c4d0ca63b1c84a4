//! The queue as its users see it: partitions to read, begin and trim, and what is known of the queue as a whole.
//!
//! All Redis commands of the daemon are made in queue/. Nothing here retries: an error goes to the caller, who knows whether to repeat.

use std::sync::Arc;

use tokio::sync::Mutex;

use fred::types::Value;

use super::appender::Appender;
use super::keys::{Keys, Stream};
use super::link::Link;
use super::script::{BEGIN, SNAPSHOT, TRIM};
use super::snapshot::{Most, Snapshot};
use super::value::int;
use super::waker::Waker;
use super::{Position, QueueError};

/// A handle on the queue; clones share one connection, which is replaced after a surprise.
#[derive(Debug, Clone)]
pub struct Queue {
    url: Arc<str>,
    group: Arc<str>,
    keys: Keys,
    link: Arc<Mutex<Option<Arc<Link>>>>,
}

impl Queue {
    /// A queue in the Redis at `url` (`redis://`, `rediss://`, `unix:///path`); connects at the first use.
    #[must_use]
    pub fn new(url: &str, key: &str, group: &str) -> Self {
        Self { url: url.into(), group: group.into(), keys: Keys::new(key), link: Arc::default() }
    }

    /// One partition of a source.
    #[must_use]
    pub fn stream(&self, source: &Arc<str>, part: u16) -> Stream {
        self.keys.stream(source, part)
    }

    pub(super) fn url(&self) -> Arc<str> {
        Arc::clone(&self.url)
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The shared connection, made anew where it is missing or in doubt.
    pub(super) async fn link(&self) -> Result<Arc<Link>, QueueError> {
        let mut slot = self.link.lock().await;
        if let Some(link) = slot.as_ref().filter(|link| !link.is_in_doubt()) {
            return Ok(Arc::clone(link));
        }
        *slot = None;
        Ok(Arc::clone(slot.insert(Arc::new(Link::open(&self.url).await?))))
    }

    /// Whether Redis answers.
    pub async fn ping(&self) -> Result<(), QueueError> {
        self.link().await?.command("PING", Vec::new()).await.map(drop)
    }

    /// The writing end for one ingest session.
    pub async fn appender(&self) -> Result<Appender, QueueError> {
        Ok(Appender::new(Link::open(&self.url).await?))
    }

    /// A connection that waits for new entries.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker::new(Arc::clone(&self.url))
    }

    /// Makes the partition empty after `at`, which is right for every `at`: ingest notices and sends again from there. With `only_if_absent`
    /// nothing happens where the partition is there. Returns whether it was begun.
    pub async fn begin(&self, stream: &Stream, at: Position, only_if_absent: bool) -> Result<bool, QueueError> {
        // A group's position cannot be negative.
        let group_at = if at.is_live() { Position::new(0, 0) } else { at };
        let args: Vec<Value> =
            vec![at.to_string().into(), (&*self.group).into(), group_at.to_string().into(), i64::from(only_if_absent).into()];
        let link = self.link().await?;
        match link.run(&BEGIN, stream, args).await?.first().and_then(int) {
            Some(begun) => Ok(begun == 1),
            None => Err(link.foreign(BEGIN.name)),
        }
    }

    /// Drops the entries up to `at`, which everything up to must be applied durably; how many were dropped.
    pub async fn trim(&self, stream: &Stream, at: Position) -> Result<u64, QueueError> {
        let link = self.link().await?;
        let next = match at.seq.checked_add(1) {
            Some(seq) => Position::new(at.epoch, seq),
            None => Position::new(at.epoch.saturating_add(1), 0),
        };
        let args = vec![at.to_string().into(), next.to_string().into(), (&*self.group).into()];
        let answer = link.run(&TRIM, stream, args).await?;
        answer.first().and_then(int).and_then(|n| u64::try_from(n).ok()).ok_or_else(|| link.foreign(TRIM.name))
    }

    /// Floor, position and the entries after `after`, as one picture. `None` where the partition is absent.
    pub async fn snapshot(&self, stream: &Stream, after: Position, most: Most) -> Result<Option<Snapshot>, QueueError> {
        let from = if after.is_live() { "-".to_owned() } else { format!("({after}") };
        let link = self.link().await?;
        let bounds = [most.entries, most.bytes, most.events].map(|bound| Value::from(bound.to_string()));
        let answer = link.run(&SNAPSHOT, stream, std::iter::once(from.into()).chain(bounds).collect()).await?;
        Snapshot::read(answer).map_err(|_| link.foreign(SNAPSHOT.name))
    }

    /// The positions of a source's first `parts` partitions; `None` where one is absent.
    pub async fn positions(&self, source: &Arc<str>, parts: u16) -> Result<Vec<Option<Position>>, QueueError> {
        let one = async |part| {
            let snapshot = self.snapshot(&self.stream(source, part), Position::LIVE, Most::entries(0)).await?;
            Ok::<_, QueueError>(snapshot.map(|s| s.pos))
        };
        futures_util::future::try_join_all((0..parts).map(one)).await
    }
}
