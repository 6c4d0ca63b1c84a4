//! Table `labeler`: whom labels are taken from, and how far they are applied; moved only by compare-and-set, in the transaction that holds
//! the labels.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{execute, query, read};
use crate::atproto::Position;

/// Most labelers that a database ever has: their ids are bits.
pub const MOST: i16 = 128;

/// One labeler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labeler {
    pub id: i16,
    pub did: String,
    pub at: Position,
}

/// All labelers, by their ids.
pub async fn all(client: &impl GenericClient) -> Result<Vec<Labeler>, Error> {
    const SQL: &str = "-- labeler::all
        SELECT b.id, a.did, b.epoch, b.seq FROM labeler b JOIN account a ON a.id = b.account ORDER BY b.id";
    read(&query(client, SQL, &[]).await?, labeler)
}

/// Gives ids, from the beginning of their labels on, to those of `accounts` that have none, while there are ids; how many had none. Only
/// under the lock of applying.
pub async fn insert_missing(client: &impl GenericClient, accounts: &[i32]) -> Result<u64, Error> {
    const SQL: &str = "-- labeler::insert_missing
        INSERT INTO labeler (id, account, epoch, seq)
        SELECT id, account, 0, 0
        FROM (
          SELECT (SELECT coalesce(max(b.id), -1) FROM labeler b) + row_number() OVER (ORDER BY k.account) AS id, k.account
          FROM UNNEST($1::int4[]) AS k (account)
          WHERE NOT EXISTS (SELECT FROM labeler b WHERE b.account = k.account)
        ) n
        WHERE id < $2::int2";
    execute(client, SQL, &[&accounts, &MOST]).await
}

/// Moves a labeler that stands at `old`; whether it did.
pub async fn compare_and_set(client: &impl GenericClient, id: i16, old: Position, new: Position) -> Result<bool, Error> {
    const SQL: &str = "-- labeler::compare_and_set
        UPDATE labeler SET epoch = $4, seq = $5 WHERE id = $1 AND epoch = $2 AND seq = $3";
    Ok(execute(client, SQL, &[&id, &old.epoch, &old.seq, &new.epoch, &new.seq]).await? == 1)
}

fn labeler(row: &Row) -> Result<Labeler, Error> {
    Ok(Labeler { id: row.try_get(0)?, did: row.try_get(1)?, at: Position::new(row.try_get(2)?, row.try_get(3)?) })
}
