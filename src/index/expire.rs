//! Replies that wait too long: their rows go, and what they waited for tells them nothing any more. Never looks at a post.

use tokio_postgres::IsolationLevel;

use super::{Index, IndexError};
use crate::db::{Client, lock, pending};

/// Rows that one transaction removes at most: some milliseconds of the lock.
const ROWS: u32 = 5000;

/// What a step of a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    /// Replies that do not wait any more.
    pub replies: u64,
    /// None is left.
    pub done: bool,
}

impl Index {
    /// Removes up to 5,000 rows of replies that have waited for longer than `ttl` seconds by the database's clock, the longest first.
    ///
    /// # Errors
    /// The database's; sweeping again is always right.
    pub async fn expire_pending(&self, client: &mut Client, ttl: u32) -> Result<Expired, IndexError> {
        let tx = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
        lock::apply(&tx).await?;
        let replies = pending::expire(&tx, f64::from(ttl), i64::from(ROWS)).await?;
        tx.commit().await?;
        Ok(Expired { replies, done: replies < u64::from(ROWS) })
    }
}
