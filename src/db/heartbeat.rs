//! Table `heartbeat`: one row a process, by which every process can show all (read in `read/process.rs`).

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::execute;

/// Writes the row of this process, dated by the database's clock; `status` is JSON.
pub async fn write(client: &impl GenericClient, process: &str, roles: &str, status: &str) -> Result<(), Error> {
    const SQL: &str = "-- heartbeat::write
        INSERT INTO heartbeat (process, roles, seen_at, status) VALUES ($1, $2, clock_timestamp(), $3::text::jsonb)
        ON CONFLICT (process) DO UPDATE SET roles = excluded.roles, seen_at = excluded.seen_at, status = excluded.status";
    execute(client, SQL, &[&process, &roles, &status]).await.map(drop)
}

/// Forgets processes that have been silent for `seconds`.
pub async fn forget(client: &impl GenericClient, seconds: f64) -> Result<u64, Error> {
    const SQL: &str = "-- heartbeat::forget
        DELETE FROM heartbeat WHERE seen_at < clock_timestamp() - make_interval(secs => $1)";
    execute(client, SQL, &[&seconds]).await
}
