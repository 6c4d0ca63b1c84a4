//! What the parts of the worker share: the stores, the board, and what is told to the outside.

use std::sync::{Mutex, PoisonError};

use deadpool_postgres::Pool;
use tokio_util::sync::CancellationToken;

use super::board::Board;
use crate::config;
use crate::db::Client;
use crate::index::{Index, IndexError};
use crate::queue::Queue;
use crate::telemetry::Telemetry;

#[derive(Debug)]
pub struct Context {
    pub settings: config::worker::Worker,
    pub partitions: u16,
    /// Where to start when nothing is stored (`relay.cursor`).
    pub cursor: Option<i64>,
    pub queue: Queue,
    pub pool: Pool,
    pub index: Index,
    pub board: Board,
    pub telemetry: Telemetry,
    pub shutdown: CancellationToken,
    pub troubles: Mutex<Troubles>,
}

/// What does not work right now, by the store it is about.
#[derive(Debug, Default)]
pub struct Troubles {
    queue: Option<String>,
    database: Option<String>,
}

/// A store of the worker.
#[derive(Debug, Clone, Copy)]
pub enum Store {
    Queue,
    Database,
}

impl Context {
    /// A connection for writing.
    pub async fn client(&self) -> Result<Client, IndexError> {
        self.pool.get().await.map_err(|error| IndexError::Other(format!("no connection to PostgreSQL: {error}")))
    }

    /// This store does not work: `/ready` is red until it does. Logged where it begins, not for each attempt.
    pub fn trouble(&self, store: Store, error: &dyn std::fmt::Display) {
        let text = error.to_string();
        let label = match store {
            Store::Queue => "queue",
            Store::Database => "database",
        };
        self.telemetry.metrics().worker.retries.inc(label);
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = troubles.slot(store);
        if slot.is_none() {
            tracing::warn!(store = label, error = %text, "the worker waits and tries again");
        }
        *slot = Some(text);
        self.show(&troubles);
    }

    /// This store works.
    pub fn works(&self, store: Store) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if troubles.slot(store).take().is_some() {
            tracing::info!(?store, "the worker goes on");
            self.show(&troubles);
        }
    }

    fn show(&self, troubles: &Troubles) {
        let problem = troubles.database.as_ref().or(troubles.queue.as_ref()).cloned();
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

impl Troubles {
    fn slot(&mut self, store: Store) -> &mut Option<String> {
        match store {
            Store::Queue => &mut self.queue,
            Store::Database => &mut self.database,
        }
    }
}
