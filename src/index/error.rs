//! Why a batch was not applied, as far as the worker has to tell it apart.

use super::batch::Purging;

/// A batch could not be prepared or applied; nothing of the failed transaction is stored.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// An offset was not where the batch began: someone else applied it, or the database went back. Read the offsets again.
    #[error("an offset stands elsewhere than the batch begins")]
    Lost,
    /// The ids in the batch belong to another server or to an earlier life of it, or to keys of an account that was deleted meanwhile.
    /// Prepare the batch again.
    #[error("prepared with ids that are gone: of another database server, an earlier life of it, or an account deleted since")]
    Stale,
    /// The batches are applied, but for those that wait for an account's purge: they are applied up to its first commit. Read them again
    /// when [`super::Index::purge`] has removed all of the account's rows.
    #[error("a commit waits until its account's earlier rows are removed")]
    Purging(Box<Purging>),
    /// Retry with backoff: the database is away, or refuses what no record op is to blame for.
    #[error("database: {0}")]
    Database(#[from] tokio_postgres::Error),
    /// Retry with backoff: a task was cut off, or two steps of preparing disagree.
    #[error("{0}")]
    Other(String),
}

/// Classes of SQLSTATE that say that the data is at fault: data exception, integrity violation, program limit exceeded.
const DATA_CLASSES: [&str; 3] = ["22", "23", "54"];

impl IndexError {
    /// The SQLSTATE, where the database refused the data and would refuse it again.
    pub(super) fn sql_state_of_data(&self) -> Option<&str> {
        let Self::Database(error) = self else { return None };
        let state = error.code()?.code();
        DATA_CLASSES.iter().any(|class| state.starts_with(class)).then_some(state)
    }
}
