//! The durable queue between ingest and worker: one Redis stream a partition, its positions, and what an entry holds.
//!
//! Knows nothing of the relay's frames and nothing of PostgreSQL.

pub mod event;
pub mod position;

pub use event::{Action, Body, Commit, Event, Op};
pub use position::Position;
