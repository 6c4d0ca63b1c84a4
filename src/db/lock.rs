//! The lock that makes applying one at a time, over all processes: derivations over several repos must see a settled world.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::{execute, query};

/// "appview" and a number; migrations hold number 1.
const APPLY: i64 = 0x6170_7076_6965_7702;

/// Waits for the apply lock; it ends with the transaction. Everything that changes derived rows takes it first.
pub async fn apply(transaction: &impl GenericClient) -> Result<(), Error> {
    const SQL: &str = "-- lock::apply
        SELECT pg_advisory_xact_lock($1)";
    query(transaction, SQL, &[&APPLY]).await.map(drop)
}

/// Has the transaction's commit wait until it is durable, whatever the connection's setting.
pub async fn commit_durably(transaction: &impl GenericClient) -> Result<(), Error> {
    const SQL: &str = "-- lock::commit_durably
        SET LOCAL synchronous_commit = on";
    execute(transaction, SQL, &[]).await.map(drop)
}
