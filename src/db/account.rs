//! Accounts and their four-byte ids. An id is used only after the transaction that gave it is durable.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{query, read};

/// The ids of those of `dids` that have one.
pub async fn ids(client: &impl GenericClient, dids: &[&str]) -> Result<Vec<(String, i32)>, Error> {
    const SQL: &str = "-- account::ids
        SELECT a.did, a.id FROM UNNEST($1::text[]) AS k (did) JOIN account a ON a.did = k.did";
    read(&query(client, SQL, &[&dids]).await?, pair)
}

/// Gives ids to those of `dids`, sorted and without one so far; those that another transaction was faster with are not in the answer.
pub async fn insert(client: &impl GenericClient, dids: &[&str]) -> Result<Vec<(String, i32)>, Error> {
    const SQL: &str = "-- account::insert
        INSERT INTO account (did) SELECT did FROM UNNEST($1::text[]) AS k (did) ON CONFLICT (did) DO NOTHING RETURNING did, id";
    read(&query(client, SQL, &[&dids]).await?, pair)
}

fn pair(row: &Row) -> Result<(String, i32), Error> {
    Ok((row.try_get(0)?, row.try_get(1)?))
}
