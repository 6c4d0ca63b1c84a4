//! What the parts of the worker share: the stores, the board, and what is told to the outside.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::Pool;
use tokio_util::sync::CancellationToken;

use super::board::Board;
use super::identity::Pending;
use crate::config;
use crate::db::Client;
use crate::index::{Index, IndexError};
use crate::queue::Queue;
use crate::telemetry::Telemetry;

#[derive(Debug)]
pub struct Context {
    pub settings: config::worker::Worker,
    /// Name of this process in the lease and heartbeat rows.
    pub process: String,
    pub partitions: u16,
    /// Where to start when nothing is stored (`relay.cursor`).
    pub cursor: Option<i64>,
    pub queue: Queue,
    pub pool: Pool,
    pub index: Index,
    pub board: Board,
    pub telemetry: Telemetry,
    pub shutdown: CancellationToken,
    /// How many accounts are to be resolved.
    pub pending: Pending,
    pub troubles: Mutex<Troubles>,
    /// Whether a command waits: events then give way to it.
    pub command_waits: AtomicBool,
}

/// What does not work right now.
pub type Troubles = BTreeMap<Part, Trouble>;

/// Why a part does not work.
#[derive(Debug)]
pub struct Trouble {
    /// As it was last told.
    text: String,
    since: Instant,
}

/// A part of the work that can be in trouble by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Transactions of the applier.
    Apply,
    /// Reading and applying commands.
    Commands,
    /// Taking accounts to be resolved, and writing what came of it.
    Identities,
    /// Reading and applying labels.
    Labels,
    /// Taking and renewing leases.
    Leases,
    /// Reading and interning for a batch.
    Prepare,
    /// Removing the rows of deleted accounts.
    Purge,
    /// Reading the queue.
    Read,
    /// Finding sources and their offsets.
    Sources,
    /// Ending the wait of replies whose posts do not come.
    Sweep,
    /// Heartbeat and trimming.
    Upkeep,
}

impl Part {
    fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::Commands => "commands",
            Self::Identities => "identities",
            Self::Labels => "labels",
            Self::Leases => "leases",
            Self::Prepare => "prepare",
            Self::Purge => "purge",
            Self::Read => "read",
            Self::Sources => "sources",
            Self::Sweep => "sweep",
            Self::Upkeep => "upkeep",
        }
    }
}

impl Context {
    /// A connection for writing.
    pub async fn client(&self) -> Result<Client, IndexError> {
        self.pool.get().await.map_err(|error| IndexError::Other(format!("no connection to PostgreSQL: {error}")))
    }

    /// This part does not work: `/ready` is red until it does. Logged where it begins, not for each attempt.
    pub fn trouble(&self, part: Part, error: &dyn Error) {
        let text = with_causes(error);
        self.telemetry.metrics().worker.retries.inc(part.as_str());
        let mut troubles = self.troubles();
        let since = troubles.get(&part).map(|trouble| trouble.since);
        if since.is_none() {
            tracing::warn!(part = part.as_str(), error = %text, "the worker waits and tries again");
        }
        troubles.insert(part, Trouble { text, since: since.unwrap_or_else(Instant::now) });
        self.show(&troubles);
    }

    /// This part works.
    pub fn works(&self, part: Part) {
        let mut troubles = self.troubles();
        if troubles.remove(&part).is_some() {
            tracing::info!(part = part.as_str(), "the worker goes on");
            self.show(&troubles);
        }
    }

    /// Whether this part has not worked for so long.
    pub fn is_troubled_for(&self, part: Part, time: Duration) -> bool {
        self.troubles().get(&part).is_some_and(|trouble| trouble.since.elapsed() >= time)
    }

    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, troubles: &Troubles) {
        let problem = troubles.iter().next().map(|(part, trouble)| format!("{}: {}", part.as_str(), trouble.text));
        self.telemetry.status().worker(|status| status.problem = problem);
    }

    /// Writes on the board of the process how far things are applied.
    pub fn show_progress(&self) {
        let smallest = self.board.smallest();
        let events = self.board.waiting_events();
        self.telemetry.metrics().queue.events.set(i64::try_from(events).unwrap_or(i64::MAX));
        self.telemetry.status().worker(|status| {
            status.applied_seq = self.board.first_source().and_then(|source| smallest.get(&*source)).map_or(-1, |at| at.seq);
            status.sources = smallest.into_iter().map(|(source, at)| (source, at.seq)).collect();
            status.queue_events = events;
        });
    }
}

/// An error with what caused it: PostgreSQL's own words stand in the cause.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}
