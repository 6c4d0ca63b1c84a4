//! Which commands were applied, and what their callers are told. An outcome is written in the transaction of what it tells of, so that who
//! reads it reads the effect too.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::{column, execute, query, read};

/// A command's id and its outcome as JSON.
pub type Told = (Vec<u8>, String);

/// Notes outcomes (id, JSON) of commands, sorted by id; the ids of those that had none before.
pub async fn insert(client: &impl GenericClient, outcomes: &[(&[u8], String)]) -> Result<Vec<Vec<u8>>, Error> {
    const SQL: &str = "-- command::insert
        INSERT INTO command (id, result) SELECT id, result::jsonb FROM UNNEST($1::bytea[], $2::text[]) AS k (id, result)
        ON CONFLICT (id) DO NOTHING RETURNING id";
    let (ids, results) = (column(outcomes, |o| o.0), column(outcomes, |o| o.1.as_str()));
    read(&query(client, SQL, &[&ids, &results]).await?, |row| row.try_get(0))
}

/// The outcomes of those of `ids` that have one.
pub async fn outcomes(client: &impl GenericClient, ids: &[&[u8]]) -> Result<Vec<Told>, Error> {
    const SQL: &str = "-- command::outcomes
        SELECT c.id, c.result::text FROM UNNEST($1::bytea[]) AS k (id) JOIN command c ON c.id = k.id";
    read(&query(client, SQL, &[&ids]).await?, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

/// This server's clock, microseconds since 1970.
pub async fn now(client: &impl GenericClient) -> Result<i64, Error> {
    const SQL: &str = "-- command::now
        SELECT (extract(epoch FROM now()) * 1000000)::int8";
    query(client, SQL, &[]).await?.first().map_or(Ok(0), |row| row.try_get(0))
}

/// Forgets up to `limit` commands that were applied more than `seconds` ago by this server's clock, the oldest first; how many.
pub async fn forget(client: &impl GenericClient, seconds: f64, limit: i64) -> Result<u64, Error> {
    const SQL: &str = "-- command::forget
        DELETE FROM command WHERE id = ANY (ARRAY (
          SELECT c.id FROM command c WHERE c.applied_at < now() - make_interval(secs => $1) ORDER BY c.applied_at LIMIT $2))";
    execute(client, SQL, &[&seconds, &limit]).await
}
