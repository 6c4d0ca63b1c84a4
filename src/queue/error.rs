//! What can go wrong between the daemon and its queue.

use super::Position;

/// A failed operation of the queue. Whether Redis executed it is unknown, unless the error says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Redis refused, or the connection broke, or the answer did not come in time.
    #[error("Redis: {0}")]
    Redis(#[from] fred::error::Error),
    /// An answer that this question cannot have: it may belong to another one.
    #[error("Redis gave an answer to {0} that belongs to something else")]
    Answer(&'static str),
    /// An earlier surprise has ended this appender; positions must be read again through a new one.
    #[error("this appender has ended by an earlier error")]
    Ended,
    /// A position was to be moved back; nothing was sent.
    #[error("a position cannot move back from {from} to {to}")]
    Backwards { from: Position, to: Position },
    /// The queue in this Redis is another one than the configured; nothing was changed.
    #[error(
        "the queue in Redis was made with {key} = {found}, configured is {wanted}: set it back, or give the new queue another queue.key"
    )]
    Meta { key: &'static str, found: String, wanted: String },
    /// So many commands wait that no more are taken; this one was not.
    #[error("{0} commands wait already")]
    TooMany(i64),
    /// This Redis may lose entries.
    #[error("this Redis is not fit to hold the queue: {0}; change it, or set redis.allow_lossy = true to insist")]
    Lossy(String),
    /// The server is too old.
    #[error("Redis {0} is too old: 7.0 or newer is needed")]
    Version(String),
    /// The address is none.
    #[error("redis.url: {0}")]
    Url(String),
}

impl QueueError {
    /// Whether nothing was written because the memory of Redis is full, or because too much waits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Redis(e) if e.details().starts_with("OOM")) || matches!(self, Self::TooMany(_))
    }

    /// Whether a person has to mend it: trying again will not help.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Meta { .. } | Self::Lossy(_) | Self::Version(_) | Self::Url(_))
    }
}
