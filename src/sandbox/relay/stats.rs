//! What a relay did, counted on its side: connections, cursors, frames, and who does not read.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Cursors that are remembered: tests look at the newest few.
const MAX_CURSORS: usize = 1024;

/// Counters of one relay.
#[derive(Debug, Default)]
pub struct Stats {
    connections: AtomicU64,
    frames: AtomicU64,
    bytes: AtomicU64,
    cursors: Mutex<Vec<Option<i64>>>,
    sending: Mutex<HashMap<u64, Sending>>,
}

#[derive(Debug)]
struct Sending {
    seq: i64,
    bytes: usize,
    since: Instant,
}

/// A connection whose peer does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocked {
    /// The frame that cannot be sent.
    pub seq: i64,
    /// Its bytes.
    pub bytes: usize,
    /// How long it has been waiting.
    pub waiting: Duration,
}

impl Stats {
    /// Subscriptions that were accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    /// Frames handed to a socket, over all connections.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::SeqCst)
    }

    /// Bytes of these frames.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    /// The cursors that were asked for, in order; `None` = live.
    #[must_use]
    pub fn cursors(&self) -> Vec<Option<i64>> {
        lock(&self.cursors).clone()
    }

    /// The frame that has been waiting longest to be taken by its peer, if any waits.
    #[must_use]
    pub fn blocked(&self) -> Option<Blocked> {
        let oldest = |s: &Sending| Blocked { seq: s.seq, bytes: s.bytes, waiting: s.since.elapsed() };
        lock(&self.sending).values().map(oldest).max_by_key(|b| b.waiting)
    }

    /// Counts a new connection; its number.
    pub(super) fn connected(&self, cursor: Option<i64>) -> u64 {
        let mut cursors = lock(&self.cursors);
        if cursors.len() < MAX_CURSORS {
            cursors.push(cursor);
        }
        self.connections.fetch_add(1, Ordering::SeqCst)
    }

    pub(super) fn begin(&self, connection: u64, seq: i64, bytes: usize) {
        lock(&self.sending).insert(connection, Sending { seq, bytes, since: Instant::now() });
    }

    pub(super) fn end(&self, connection: u64, sent: bool) {
        if let Some(sending) = lock(&self.sending).remove(&connection)
            && sent
        {
            self.frames.fetch_add(1, Ordering::SeqCst);
            self.bytes.fetch_add(sending.bytes as u64, Ordering::SeqCst);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
