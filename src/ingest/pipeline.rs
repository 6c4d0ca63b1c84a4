//! From the socket to judged messages: judging is work for the processor, so it is done in chunks off the threads that serve sockets, several
//! at a time and in order.

use std::num::NonZero;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::judge::{Verdict, judge};
use crate::config::ingest::Verify;
use crate::net::{Message, Socket, SocketError};

/// Messages judged in one piece: about a millisecond of work, so that handing over costs nothing beside it.
const CHUNK: usize = 64;
/// Chunks under way at once, at most; more wait in the socket's own bounded queue.
const MAX_CHUNKS: usize = 8;

/// A message and what it is; or the end of the connection.
pub type Item = Result<(Message, Verdict), SocketError>;

/// The judged messages of one connection. Dropping it ends the connection.
#[derive(Debug)]
pub struct Pipeline {
    chunks: mpsc::Receiver<JoinHandle<Vec<Item>>>,
    current: Option<JoinHandle<Vec<Item>>>,
    _task: AbortOnDropHandle<()>,
}

impl Pipeline {
    #[must_use]
    pub fn start(socket: Socket, verify: Verify) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let (into, chunks) = mpsc::channel(cores.min(MAX_CHUNKS));
        Self { chunks, current: None, _task: AbortOnDropHandle::new(tokio::spawn(feed(socket, into, verify).in_current_span())) }
    }

    /// The next messages in order; empty once the connection's end was told. Safe to abandon.
    pub async fn next(&mut self) -> Vec<Item> {
        if self.current.is_none() {
            self.current = self.chunks.recv().await;
        }
        let Some(chunk) = &mut self.current else { return Vec::new() };
        // A judge that failed would be a bug; the connection is then read again from the last position.
        let items = chunk.await.unwrap_or_default();
        self.current = None;
        items
    }
}

async fn feed(mut socket: Socket, into: mpsc::Sender<JoinHandle<Vec<Item>>>, verify: Verify) {
    loop {
        let mut messages = Vec::with_capacity(CHUNK);
        if socket.next_many(&mut messages, CHUNK).await == 0 {
            return;
        }
        let chunk = tokio::task::spawn_blocking(move || {
            let judged = |message: Message| {
                let verdict = judge(&message.bytes, now_micros(), verify);
                (message, verdict)
            };
            messages.into_iter().map(|message| message.map(judged)).collect()
        });
        if into.send(chunk).await.is_err() {
            return;
        }
    }
}

/// This machine's clock, in microseconds since 1970.
pub fn now_micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
