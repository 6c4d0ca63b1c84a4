//! Table `heartbeat`: one row a process, by which every process can show all.

use std::time::SystemTime;

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::{execute, query, read};

/// A process as it last told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    pub process: String,
    /// Its roles, separated by commas.
    pub roles: String,
    /// The database's clock when it told.
    pub seen_at: SystemTime,
    /// Its `/status`, as JSON.
    pub status: String,
}

/// Writes the row of this process, dated by the database's clock; `status` is JSON.
pub async fn write(client: &impl GenericClient, process: &str, roles: &str, status: &str) -> Result<(), Error> {
    const SQL: &str = "-- heartbeat::write
        INSERT INTO heartbeat (process, roles, seen_at, status) VALUES ($1, $2, clock_timestamp(), $3::text::jsonb)
        ON CONFLICT (process) DO UPDATE SET roles = excluded.roles, seen_at = excluded.seen_at, status = excluded.status";
    execute(client, SQL, &[&process, &roles, &status]).await.map(drop)
}

/// The processes that told within the last `seconds`.
pub async fn recent(client: &impl GenericClient, seconds: f64) -> Result<Vec<Heartbeat>, Error> {
    const SQL: &str = "-- heartbeat::recent
        SELECT process, roles, seen_at, status::text FROM heartbeat
        WHERE seen_at > clock_timestamp() - make_interval(secs => $1) ORDER BY process";
    let rows = query(client, SQL, &[&seconds]).await?;
    read(&rows, |row| Ok(Heartbeat { process: row.try_get(0)?, roles: row.try_get(1)?, seen_at: row.try_get(2)?, status: row.try_get(3)? }))
}

/// Forgets processes that have been silent for `seconds`.
pub async fn forget(client: &impl GenericClient, seconds: f64) -> Result<u64, Error> {
    const SQL: &str = "-- heartbeat::forget
        DELETE FROM heartbeat WHERE seen_at < clock_timestamp() - make_interval(secs => $1)";
    execute(client, SQL, &[&seconds]).await
}
