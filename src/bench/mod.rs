//! Benchmarks of the real thing: child processes as an operator would run them, watched from outside. Never a part of what it measures.

pub mod api;
mod ceiling;
mod child;
mod counters;
mod ingest;
mod numbers;
mod process;
mod report;
mod storage;
mod watch;

use std::path::{Path, PathBuf};

use crate::queue::Event;

pub use ingest::ingest;
pub use report::Report;

/// A run of `bench ingest`.
#[derive(Debug, Clone)]
pub struct Options {
    pub recording: Recording,
    /// Where the daemon and the children's logs are; the caller makes and removes it.
    pub folder: PathBuf,
    /// Longest time that events are applied and measured for, in seconds.
    pub seconds: u64,
    /// The program whose `run` and `sandbox` are measured.
    pub program: PathBuf,
    /// Redis to use in place of the daemon's own.
    pub redis: Option<String>,
    /// PostgreSQL to use in place of the daemon's own.
    pub database: Option<String>,
    /// Where the daemon's own PostgreSQL is found when it runs.
    pub own_database: String,
    /// `section.key=value` for the daemon.
    pub settings: Vec<String>,
    /// What ingest makes of the frames of a recording.
    pub events_of: EventsOf,
}

/// The events of a recording's frames, in order.
pub type EventsOf = fn(&Path) -> anyhow::Result<Events>;
/// Read and judged as they are asked for.
pub type Events = Box<dyn Iterator<Item = anyhow::Result<Event>> + Send>;

/// Frames that were made beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    pub path: PathBuf,
    pub frames: u64,
    pub bytes: u64,
}
