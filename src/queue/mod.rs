//! The durable queue between ingest and worker: one Redis stream a partition, its positions, and what an entry holds.
//!
//! Knows nothing of the relay's frames and nothing of PostgreSQL.

mod about;
mod appender;
mod client;
pub mod command;
mod commands;
pub mod entry;
mod error;
pub mod event;
mod keys;
mod labels;
mod link;
mod partition;
mod script;
mod server;
mod snapshot;
mod value;
mod waker;

pub use crate::atproto::Position;
pub use about::Seen;
pub use appender::{Appender, Moved};
pub use client::Queue;
pub use command::{Command, CommandId};
pub use commands::{CommandEntry, Commands};
pub use error::QueueError;
pub use event::{Action, Body, Commit, Event, Op};
pub use keys::Stream;
pub use labels::{LabelEntryError, QueuedLabel, decode_labels, encode_labels};
pub use partition::{HASH_NAME, partition};
pub use server::{HighWater, Memory};
pub use snapshot::{Entry, Most, Snapshot};
pub use waker::Waker;
