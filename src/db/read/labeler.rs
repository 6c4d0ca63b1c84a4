//! Whose labels may be asked for.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::db::repo::Status;
use crate::db::{query, read};

/// Those of `dids` that are accounts which were seen, are active and were not taken down.
pub async fn shown(client: &impl GenericClient, dids: &[&str]) -> Result<Vec<String>, Error> {
    const SQL: &str = "-- read::labeler::shown
        SELECT a.did FROM UNNEST($1::text[]) AS k (did)
        JOIN account a ON a.did = k.did
        JOIN repo r ON r.account = a.id AND r.status = $2
        WHERE NOT EXISTS (SELECT FROM takedown_account t WHERE t.subject = a.id)";
    read(&query(client, SQL, &[&dids, &Status::Active.number()]).await?, |row| row.try_get(0))
}
