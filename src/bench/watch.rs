//! The measurements of a run, one each second.

use std::time::{Duration, Instant};

use super::counters::{Counters, counters, status};
use super::process;

/// Who is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Who {
    pub port: u16,
    pub daemon: u32,
    pub relay: u32,
    pub redis: Option<u32>,
    pub postgres: Option<u32>,
}

/// CPU time since each process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cpu {
    pub daemon: Duration,
    pub redis: Option<Duration>,
    pub postgres: Option<Duration>,
    pub relay: Duration,
}

/// The state of everything at one moment.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub at: Instant,
    pub cpu: Cpu,
    /// Frames read from the relay so far, and events applied.
    pub read: u64,
    pub applied: u64,
    /// Events that wait in the queue.
    pub queued: u64,
    pub held_back: bool,
    pub counters: Counters,
}

impl Sample {
    pub(super) async fn take(who: Who) -> anyhow::Result<Self> {
        let (status, counters) = (status(who.port).await?, counters(who.port).await?);
        let ingest = status.ingest.unwrap_or_default();
        Ok(Self {
            at: Instant::now(),
            cpu: Cpu {
                daemon: process::alone(who.daemon).unwrap_or_default(),
                redis: who.redis.and_then(process::family),
                postgres: who.postgres.and_then(process::family),
                relay: process::alone(who.relay).unwrap_or_default(),
            },
            read: counters.count("appviewd_ingest_frames_total"),
            applied: counters.count("appviewd_worker_events_total"),
            queued: status.worker.unwrap_or_default().queue_events,
            held_back: ingest.held_back,
            counters,
        })
    }
}
