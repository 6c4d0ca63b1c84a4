//! What a relay has to send: frames by their sequence number, the oldest ones forgotten. Never looks into a frame but to renumber it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::watch;

use super::spoil;

/// The frames of one relay, to be read from any place in the window by any number of connections.
#[derive(Debug)]
pub struct Log {
    inner: Mutex<Inner>,
    /// The newest sequence number and how often the log was renumbered: what a waiting connection watches.
    head: watch::Sender<Head>,
    /// The largest sequence number that anybody has read.
    read: watch::Sender<i64>,
    window: usize,
}

#[derive(Debug, Default)]
struct Inner {
    frames: VecDeque<(i64, Bytes)>,
    /// Sequence number of the newest frame that was forgotten; 0 = none was.
    forgotten: i64,
}

/// Where a log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The newest sequence number; 0 = nothing was ever sent.
    pub seq: i64,
    /// How often the numbers began anew; connections of an earlier numbering are closed.
    pub numbering: u64,
}

impl Log {
    /// An empty log that keeps the newest `window` frames.
    #[must_use]
    pub fn new(window: usize) -> Self {
        Self { inner: Mutex::default(), head: watch::Sender::new(Head::default()), read: watch::Sender::new(0), window }
    }

    /// Appends a frame; `seq` is larger than the newest one.
    pub fn push(&self, seq: i64, frame: impl Into<Bytes>) {
        let mut inner = self.lock();
        inner.frames.push_back((seq, frame.into()));
        while inner.frames.len() > self.window {
            inner.forget_one();
        }
        self.head.send_modify(|head| head.seq = seq);
    }

    #[must_use]
    pub fn head(&self) -> Head {
        *self.head.borrow()
    }

    /// Tells of every change of [`Log::head`].
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// Sequence number of the newest frame that the window no longer holds: a cursor below it is outdated.
    #[must_use]
    pub fn forgotten(&self) -> i64 {
        self.lock().forgotten
    }

    /// Up to `count` frames with a sequence number above `seq`.
    #[must_use]
    pub fn after(&self, seq: i64, count: usize) -> Vec<(i64, Bytes)> {
        let frames: Vec<_> = {
            let inner = self.lock();
            let from = inner.frames.partition_point(|(s, _)| *s <= seq);
            inner.frames.iter().skip(from).take(count).cloned().collect()
        };
        if let Some((newest, _)) = frames.last() {
            self.read.send_if_modified(|read| {
                let further = *newest > *read;
                *read = (*read).max(*newest);
                further
            });
        }
        frames
    }

    /// Waits until less than half the window is still to be read by everybody, so that a reader who is slow, or comes again, misses nothing.
    pub async fn room(&self) {
        let mut read = self.read.subscribe();
        // The sender lives as long as the log.
        let _ = read.wait_for(|read| self.count_after(*read) < (self.window / 2).max(1)).await;
    }

    /// The sequence number `frames` before `seq`, as far as the window goes back.
    #[must_use]
    pub fn back(&self, seq: i64, frames: usize) -> i64 {
        let inner = self.lock();
        let at = inner.frames.partition_point(|(s, _)| *s <= seq);
        at.checked_sub(frames + 1).and_then(|i| inner.frames.get(i)).map_or(inner.forgotten, |(s, _)| *s)
    }

    /// Number of frames with a sequence number above `seq`.
    #[must_use]
    pub fn count_after(&self, seq: i64) -> usize {
        let inner = self.lock();
        inner.frames.len() - inner.frames.partition_point(|(s, _)| *s <= seq)
    }

    /// Forgets all frames up to `seq`, as a relay does whose window has moved on.
    pub fn forget(&self, seq: i64) {
        let mut inner = self.lock();
        while inner.frames.front().is_some_and(|(s, _)| *s <= seq) {
            inner.forget_one();
        }
    }

    /// Gives the kept frames new numbers from `first` on, as a relay does that has lost its database. Their order and times stay.
    ///
    /// # Errors
    /// A kept frame that is no frame.
    pub fn renumber(&self, first: i64) -> anyhow::Result<()> {
        let mut inner = self.lock();
        let renumbered = (first..).zip(&inner.frames).map(|(seq, (_, frame))| Ok((seq, spoil::with_seq(frame, seq)?.into())));
        inner.frames = renumbered.collect::<anyhow::Result<_>>()?;
        inner.forgotten = 0;
        let seq = inner.frames.back().map_or(0, |(seq, _)| *seq);
        self.head.send_modify(|head| *head = Head { seq, numbering: head.numbering + 1 });
        Ok(())
    }

    /// Has another frame under a number, or none, as a labeler does that says something again.
    pub fn alter(&self, seq: i64, frame: Option<Bytes>) {
        let mut inner = self.lock();
        if let Ok(at) = inner.frames.binary_search_by_key(&seq, |(seq, _)| *seq) {
            match (frame, inner.frames.get_mut(at)) {
                (Some(frame), Some(held)) => held.1 = frame,
                _ => drop(inner.frames.remove(at)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn forget_one(&mut self) {
        if let Some((seq, _)) = self.frames.pop_front() {
            self.forgotten = seq;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_moves_and_places_are_found() {
        let log = Log::new(3);
        for seq in [2, 4, 6, 8] {
            log.push(seq, Bytes::new());
        }
        assert_eq!((log.forgotten(), log.head().seq, log.count_after(4)), (2, 8, 2));
        assert_eq!(log.after(3, 9).iter().map(|f| f.0).collect::<Vec<_>>(), [4, 6, 8]);
        assert_eq!((log.back(8, 1), log.back(8, 2), log.back(8, 5)), (6, 4, 2));
        log.forget(6);
        assert_eq!((log.forgotten(), log.count_after(0)), (6, 1));
    }

    #[tokio::test]
    async fn there_is_room_only_while_half_the_window_is_read() {
        use futures_util::FutureExt as _;
        let log = Log::new(4);
        log.push(1, Bytes::new());
        assert!(log.room().now_or_never().is_some());
        log.push(2, Bytes::new());
        assert!(log.room().now_or_never().is_none());
        assert_eq!(log.after(0, 1).len(), 1);
        assert!(log.room().now_or_never().is_some());
    }
}
