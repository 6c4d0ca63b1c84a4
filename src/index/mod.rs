//! The write side: events become one transaction. The only module that writes derived rows; it knows neither queue scripts nor sockets.
//!
//! `prepare` does what needs no order (validate, intern, build rows) and may run in parallel; `apply` runs one at a time over all
//! processes (an advisory lock): it reads the settled state of everything touched, plays the events in memory in their order, and writes
//! the net difference set-based.

mod adopt;
mod apply;
mod batch;
mod command;
mod error;
mod expire;
mod fill;
mod item;
mod label;
mod names;
mod prepare;
mod purge;
mod reindex;
mod replay;
mod settled;
mod simulate;
mod write;

pub use batch::{Applied, Batch, Prepared, Purging, Waiting};
pub use command::Commanded;
pub use error::IndexError;
pub use expire::Expired;
pub use label::Labelled;
pub use purge::Purged;
pub use reindex::Reindexed;
pub use replay::Replayed;

use tokio_postgres::IsolationLevel;

use crate::config;
use crate::db::{Client, Transaction, lock};

/// The write side of one process; shared by its pipelines.
#[derive(Debug)]
pub struct Index {
    options: config::index::Index,
    names: names::Registry,
}

impl Index {
    #[must_use]
    pub fn new(options: config::index::Index) -> Self {
        Self { options, names: names::Registry::default() }
    }

    /// Validates a batch's records, interns every account and key they name (a transaction of its own, committed synchronously before the
    /// ids are used) and builds the rows. Reads nothing that an apply can change, so batches of different partitions may be prepared in
    /// parallel.
    ///
    /// # Errors
    /// The database's; preparing again is always right.
    pub async fn prepare(&self, client: &mut Client, batch: Batch) -> Result<Prepared, IndexError> {
        let other_collections = self.options.other_collections;
        let surveyed = off_the_io_threads(move || Ok(prepare::survey(batch, other_collections))).await?;
        let names = self.names.of(client).await?;
        names.adopt(client).await?;
        let known = names.intern(client, &surveyed.wanted).await?;
        let (batch, items, keys) = off_the_io_threads(move || {
            let (batch, items) = prepare::build(surveyed, &known)?;
            Ok((batch, items, known.into_keys()))
        })
        .await?;
        let Batch { source, part, old, new, .. } = batch;
        Ok(Prepared { source, part, old, new, generation: names.generation, keys, items })
    }

    /// Applies these batches, of one partition each, in one transaction: offsets move by compare-and-set, with all rows.
    ///
    /// A record that the database refuses (SQL class 22, 23, 54) becomes a dead letter: the batches are halved down to it, and then more
    /// than one transaction is committed, each with its own move of the offset.
    ///
    /// # Errors
    /// [`IndexError::Lost`]: read the offsets again; [`IndexError::Stale`]: prepare again; else retry with backoff.
    pub async fn apply(&self, client: &mut Client, batches: &[Prepared]) -> Result<Applied, IndexError> {
        let names = self.names.of(client).await?;
        if batches.iter().any(|batch| batch.generation != names.generation) {
            return Err(IndexError::Stale);
        }
        apply::all(client, &names, batches.iter().map(apply::Part::whole).collect()).await
    }
}

/// A transaction that holds the lock of applying.
async fn begin(client: &mut Client) -> Result<Transaction<'_>, tokio_postgres::Error> {
    let tx = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
    lock::apply(&tx).await?;
    Ok(tx)
}

/// Runs CPU-bound work where it stops no I/O.
async fn off_the_io_threads<T: Send + 'static>(work: impl FnOnce() -> Result<T, IndexError> + Send + 'static) -> Result<T, IndexError> {
    tokio::task::spawn_blocking(work).await.map_err(|e| IndexError::Other(e.to_string()))?
}
