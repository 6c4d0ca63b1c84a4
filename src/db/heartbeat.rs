//! Table `heartbeat`: one row a process, by which every process can show all (read in `read/process.rs`).

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::{execute, query, read};

/// The row of a process as another heartbeat found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    pub roles: String,
    /// `telemetry::status::Status::instance` of who wrote it.
    pub instance: Option<u32>,
}

/// Writes the row of this process, dated by the database's clock; `status` is JSON. What the row was before.
pub async fn write(client: &impl GenericClient, process: &str, roles: &str, status: &str) -> Result<Option<Before>, Error> {
    const SQL: &str = "-- heartbeat::write
        WITH before AS (SELECT roles, (status ->> 'instance')::int8 AS instance FROM heartbeat WHERE process = $1)
        INSERT INTO heartbeat (process, roles, seen_at, status) VALUES ($1, $2, clock_timestamp(), $3::text::jsonb)
        ON CONFLICT (process) DO UPDATE SET roles = excluded.roles, seen_at = excluded.seen_at, status = excluded.status
        RETURNING (SELECT roles FROM before), (SELECT instance FROM before)";
    let before = read(&query(client, SQL, &[&process, &roles, &status]).await?, |row| {
        let instance: Option<i64> = row.try_get(1)?;
        Ok(row.try_get::<_, Option<String>>(0)?.map(|roles| Before { roles, instance: instance.and_then(|i| u32::try_from(i).ok()) }))
    })?;
    Ok(before.into_iter().flatten().next())
}

/// The processes with this role that were seen within the last `seconds` and whom the queue answers, by name.
pub async fn alive(client: &impl GenericClient, role: &str, seconds: f64) -> Result<Vec<String>, Error> {
    const SQL: &str = "-- heartbeat::alive
        SELECT process FROM heartbeat
        WHERE seen_at > clock_timestamp() - make_interval(secs => $2) AND $1 = ANY(string_to_array(roles, ','))
          AND NOT coalesce((status #>> '{worker,queue_away}')::bool, false)
        ORDER BY process";
    read(&query(client, SQL, &[&role, &seconds]).await?, |row| row.try_get(0))
}

/// Removes the row of a process that ends.
pub async fn remove(client: &impl GenericClient, process: &str) -> Result<u64, Error> {
    const SQL: &str = "-- heartbeat::remove
        DELETE FROM heartbeat WHERE process = $1";
    execute(client, SQL, &[&process]).await
}

/// Forgets processes that have been silent for `seconds`.
pub async fn forget(client: &impl GenericClient, seconds: f64) -> Result<u64, Error> {
    const SQL: &str = "-- heartbeat::forget
        DELETE FROM heartbeat WHERE seen_at < clock_timestamp() - make_interval(secs => $1)";
    execute(client, SQL, &[&seconds]).await
}
