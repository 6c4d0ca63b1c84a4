//! Why a batch was not applied, as far as the worker has to tell it apart.

/// A batch could not be prepared or applied; nothing of the failed transaction is stored.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// An offset was not where the batch began: someone else applied it, or the database went back. Read the offsets again.
    #[error("an offset stands elsewhere than the batch begins")]
    Lost,
    /// The ids in the batch belong to another server or to an earlier life of it. Prepare the batch again.
    #[error("prepared against another database server or an earlier life of it")]
    Stale,
    /// Retry with backoff: the database is away, or refuses what no record op is to blame for.
    #[error("database: {0}")]
    Database(#[from] tokio_postgres::Error),
    /// Retry: no connection, or a task that was cut off.
    #[error("{0}")]
    Other(String),
    /// Not there yet.
    #[error("indexing is not finished ({0})")]
    Unfinished(bool),
}
