//! The write side: events become one transaction. The only module that writes derived rows; it knows neither queue scripts nor sockets.
//!
//! `prepare` does what needs no order (validate, intern, build rows) and may run in parallel; `apply` runs one at a time over all
//! processes (an advisory lock): it reads the settled state of everything touched, plays the events in memory in their order, and writes
//! the net difference set-based.

mod batch;
mod error;

pub use batch::{Applied, Batch, Prepared};
pub use error::IndexError;

use crate::config;
use crate::db::Client;

/// The write side of one process; shared by its pipelines.
#[derive(Debug)]
pub struct Index {
    options: config::index::Index,
}

impl Index {
    #[must_use]
    pub fn new(options: config::index::Index) -> Self {
        Self { options }
    }

    /// Validates a batch's records, interns every account and key they name (a transaction of its own, committed synchronously before the
    /// ids are used) and builds the rows. Reads nothing that an apply can change, so batches of different partitions may be prepared in
    /// parallel.
    ///
    /// # Errors
    /// The database's; preparing again is always right.
    pub async fn prepare(&self, client: &mut Client, _batch: Batch) -> Result<Prepared, IndexError> {
        client.transaction().await?.rollback().await?;
        Err(IndexError::Unfinished(self.options.other_collections))
    }

    /// Applies these batches, of one partition each, in one transaction: offsets move by compare-and-set, with all rows.
    ///
    /// A record that the database refuses (SQL class 22, 23, 54) becomes a dead letter: the batches are halved down to it, and then more
    /// than one transaction is committed, each with its own move of the offset.
    ///
    /// # Errors
    /// [`IndexError::Lost`]: read the offsets again; [`IndexError::Stale`]: prepare again; else retry with backoff.
    pub async fn apply(&self, client: &mut Client, _batches: &[Prepared]) -> Result<Applied, IndexError> {
        client.transaction().await?.rollback().await?;
        Err(IndexError::Unfinished(self.options.other_collections))
    }
}
