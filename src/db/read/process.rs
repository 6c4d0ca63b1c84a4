//! The processes of this installation, as each last said of itself.

use std::time::SystemTime;

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use crate::db::{query, read};

/// A row of `heartbeat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub name: String,
    pub roles: String,
    pub seen_at: SystemTime,
    /// `telemetry::status::Status` as JSON.
    pub status: String,
}

/// The processes that were alive within the last hour, newest sign of life first.
pub async fn alive(client: &impl GenericClient) -> Result<Vec<Process>, Error> {
    const SQL: &str = "-- read::process::alive
        SELECT process, roles, seen_at, status::text FROM heartbeat WHERE seen_at > now() - interval '1 hour' ORDER BY seen_at DESC LIMIT 100";
    read(&query(client, SQL, &[]).await?, process)
}

fn process(row: &Row) -> Result<Process, Error> {
    Ok(Process { name: row.try_get(0)?, roles: row.try_get(1)?, seen_at: row.try_get(2)?, status: row.try_get(3)? })
}
