//! How many accounts are still being resolved, as `/status` shows it: never fewer than what the events up to `applied_seq` have made due.

use std::sync::atomic::{AtomicU64, Ordering};

use deadpool_postgres::GenericClient;
use tokio::sync::{Mutex, Notify};
use tokio_postgres::Error;

use crate::db::identity;
use crate::telemetry::Telemetry;

/// Counts from the database, and what this process has added since.
#[derive(Debug, Default)]
pub struct Pending {
    /// Accounts that this process has made due, ever.
    made: AtomicU64,
    /// One count after the other, so that an older one never replaces a newer one.
    counting: Mutex<()>,
    more: Notify,
}

impl Pending {
    /// So many accounts were made due by a transaction that has committed; told before anybody hears of that.
    pub fn more(&self, telemetry: &Telemetry, accounts: u64) {
        if accounts == 0 {
            return;
        }
        telemetry.status().identity(|identity| {
            self.made.fetch_add(accounts, Ordering::SeqCst);
            identity.pending += accounts;
        });
        self.more.notify_one();
    }

    /// Waits until accounts were made due by this process.
    pub async fn wait(&self) {
        self.more.notified().await;
    }

    /// Counts. What is made due while the database counts is added: it may be counted twice, until the next count.
    pub async fn count(&self, telemetry: &Telemetry, client: &impl GenericClient) -> Result<(), Error> {
        let _one = self.counting.lock().await;
        let before = self.made.load(Ordering::SeqCst);
        let counted = identity::pending(client).await?;
        telemetry.metrics().identity.pending.set(counted);
        telemetry.status().identity(|identity| {
            let since = self.made.load(Ordering::SeqCst).saturating_sub(before);
            identity.pending = u64::try_from(counted).unwrap_or(0) + since;
        });
        Ok(())
    }
}
