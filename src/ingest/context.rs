//! What sessions stand on, what one leaves to the next, and how one ends.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::suspects::Suspects;
use crate::config::Config;
use crate::net::Endpoint;
use crate::queue::{Queue, QueueError, Seen};
use crate::telemetry::Telemetry;

/// What sessions stand on.
#[derive(Debug)]
pub struct Context {
    pub config: Arc<Config>,
    pub queue: Queue,
    pub telemetry: Telemetry,
    pub shutdown: CancellationToken,
    pub endpoint: Endpoint,
    pub source: Arc<str>,
    /// Redis is above its high-water mark.
    pub held_back: watch::Receiver<bool>,
}

/// What one session leaves to the next.
#[derive(Debug, Default)]
pub struct Recollection {
    pub suspects: Suspects,
    /// The relay was found to be in this epoch.
    pub at_least: i64,
    /// The record that the session before found confirmed.
    pub confirmed: Option<Seen>,
}

/// Why a session ended.
#[derive(Debug)]
pub enum End {
    Shutdown,
    /// A worker has to say where partitions stand.
    Wait,
    /// Something was settled; begin again at once.
    Again,
    /// The relay counts anew, in this epoch.
    Renumbered {
        epoch: i64,
    },
    /// Something broke; `reason` labels it.
    Broken {
        reason: &'static str,
        error: anyhow::Error,
    },
}

impl End {
    pub fn broken(reason: &'static str, error: impl Into<anyhow::Error>) -> Self {
        Self::Broken { reason, error: error.into() }
    }

    /// Whether only the relay's side ended: the positions still stand, and what was read may go into the queue.
    pub fn is_of_the_relay(&self) -> bool {
        matches!(self, Self::Broken { reason: "closed" | "stalled" | "unreadable" | "relay_error" | "consumer_too_slow", .. })
    }
}

impl From<QueueError> for End {
    fn from(error: QueueError) -> Self {
        Self::broken("redis", error)
    }
}

/// How a session ended, and whether it achieved something.
#[derive(Debug)]
pub struct Outcome {
    pub end: End,
    pub progress: bool,
}

impl Context {
    /// Writes on the board that no relay is read, and why.
    pub fn show_disconnected(&self, end: &End) {
        let metrics = &self.telemetry.metrics().ingest;
        metrics.connected.set(0);
        let (label, problem) = match end {
            End::Shutdown => ("shutdown", None),
            End::Wait => ("wait", Some("waiting for a worker to say where each partition stands".to_owned())),
            End::Again => ("again", None),
            End::Renumbered { .. } => {
                metrics.epochs.inc();
                ("renumbered", None)
            }
            End::Broken { reason, error } => (*reason, Some(format!("{reason}: {error:#}"))),
        };
        metrics.sessions_ended.inc(label);
        self.telemetry.status().ingest(|status| {
            status.connected = false;
            if problem.is_some() {
                status.problem = problem;
            }
        });
    }
}
