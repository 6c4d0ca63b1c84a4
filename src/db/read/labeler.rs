//! Whose labels may be asked for.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::db::repo::Status;
use crate::db::{query, read};

/// Somebody whose labels were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labeler {
    pub did: String,
    /// An account that was seen, is active and was not taken down.
    pub is_shown: bool,
    /// Its number; `None`: it has given no labels.
    pub id: Option<i16>,
}

/// Those of `dids` of whom anything is known.
pub async fn known(client: &impl GenericClient, dids: &[&str]) -> Result<Vec<Labeler>, Error> {
    const SQL: &str = "-- read::labeler::known
        SELECT a.did, coalesce(r.status = $2, false) AND t.subject IS NULL, b.id
        FROM UNNEST($1::text[]) AS k (did)
        JOIN account a ON a.did = k.did
        LEFT JOIN repo r ON r.account = a.id
        LEFT JOIN takedown_account t ON t.subject = a.id
        LEFT JOIN labeler b ON b.account = a.id";
    read(&query(client, SQL, &[&dids, &Status::Active.number()]).await?, |row| {
        Ok(Labeler { did: row.try_get(0)?, is_shown: row.try_get(1)?, id: row.try_get(2)? })
    })
}
