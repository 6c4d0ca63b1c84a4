//! Table `lease`: which worker process works on a partition. Times are this server's own. Never a fence: that is the compare on commit.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{execute, query, read};

/// The lease of who resolves identities: no partition, but taken, renewed and given up as one.
pub const IDENTITIES: i32 = -1;

/// One partition's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub part: i32,
    /// Name of the process.
    pub owner: String,
    /// It has not run out.
    pub runs: bool,
}

/// All leases, by partition.
pub async fn all(client: &impl GenericClient) -> Result<Vec<Lease>, Error> {
    const SQL: &str = "-- lease::all
        SELECT part, owner, until > clock_timestamp() FROM lease ORDER BY part";
    read(&query(client, SQL, &[]).await?, lease)
}

fn lease(row: &Row) -> Result<Lease, Error> {
    Ok(Lease { part: row.try_get(0)?, owner: row.try_get(1)?, runs: row.try_get(2)? })
}

/// Takes or renews for `seconds` those of `parts` that nobody else has; which they are.
pub async fn take(client: &impl GenericClient, owner: &str, parts: &[i32], seconds: f64) -> Result<Vec<i32>, Error> {
    const SQL: &str = "-- lease::take
        INSERT INTO lease (part, owner, until)
        SELECT p, $1, clock_timestamp() + make_interval(secs => $3) FROM UNNEST($2::int4[]) p ORDER BY p
        ON CONFLICT (part) DO UPDATE SET owner = excluded.owner, until = excluded.until
        WHERE lease.owner = excluded.owner OR lease.until <= clock_timestamp()
        RETURNING part";
    read(&query(client, SQL, &[&owner, &parts, &seconds]).await?, |row| row.try_get(0))
}

/// Gives up those of `parts` that `owner` has; how many they were.
pub async fn give_up(client: &impl GenericClient, owner: &str, parts: &[i32]) -> Result<u64, Error> {
    const SQL: &str = "-- lease::give_up
        DELETE FROM lease WHERE part IN (SELECT part FROM lease WHERE owner = $1 AND part = ANY($2) ORDER BY part FOR UPDATE)";
    execute(client, SQL, &[&owner, &parts]).await
}
