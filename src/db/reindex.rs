//! Kept records by their collection, for indexing them anew: pages of `record_other` in the order of its key, and what a new number moves.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::record::{Kept, Path};
use super::{column, execute, query, read};
use crate::atproto::Tid;
use crate::collection::{Coll, Ref};

/// Before every place.
pub const START: Ref = Ref { rkey: i64::MIN, author: i32::MIN };

/// A record that is kept whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub at: Ref,
    /// The author's DID.
    pub did: String,
    /// The text of a key that is no TID.
    pub alias: Option<String>,
    /// The newest rev applied to the author's repo.
    pub rev: Option<Tid>,
    /// Packed.
    pub record: Vec<u8>,
}

/// The first `most` records of `coll` after a place, in the order of authors and keys.
pub async fn page(client: &impl GenericClient, coll: Coll, after: Ref, most: i64) -> Result<Vec<Stored>, Error> {
    const SQL: &str = "-- reindex::page
        SELECT o.rkey, o.author, a.did, k.real_rkey, r.rev, o.rec
        FROM (
          SELECT rkey, author, coll, rec FROM record_other
          WHERE (author, coll, rkey) > ($2, $1, $3) AND author >= $2 AND coll = $1
          ORDER BY author, coll, rkey LIMIT $4
        ) o
        JOIN account a ON a.id = o.author
        LEFT JOIN rkey_alias k ON k.author = o.author AND k.coll = o.coll AND k.rkey = o.rkey
        LEFT JOIN repo r ON r.account = o.author
        ORDER BY o.author, o.coll, o.rkey";
    read(&query(client, SQL, &[&coll.number(), &after.author, &after.rkey, &most]).await?, stored)
}

/// The places of the first `most` records of `coll` after a place.
pub async fn places(client: &impl GenericClient, coll: Coll, after: Ref, most: i64) -> Result<Vec<Ref>, Error> {
    const SQL: &str = "-- reindex::places
        SELECT rkey, author FROM record_other
        WHERE (author, coll, rkey) > ($2, $1, $3) AND author >= $2 AND coll = $1
        ORDER BY author, coll, rkey LIMIT $4";
    read(&query(client, SQL, &[&coll.number(), &after.author, &after.rkey, &most]).await?, place)
}

/// The places of those of `records` that are kept as they were read.
pub async fn unchanged(client: &impl GenericClient, records: &[Kept<'_>]) -> Result<Vec<Ref>, Error> {
    const SQL: &str = "-- reindex::unchanged
        SELECT o.rkey, o.author
        FROM UNNEST($1::int4[], $2::int2[], $3::int8[], $4::bytea[]) AS k (author, coll, rkey, rec)
        JOIN record_other o ON o.author = k.author AND o.coll = k.coll AND o.rkey = k.rkey AND o.rec = k.rec";
    let path = |value: fn(&Path) -> i64| column(records, |kept| value(&kept.path));
    let (authors, colls) = (column(records, |kept| kept.path.at.author), column(records, |kept| kept.path.coll.number()));
    read(&query(client, SQL, &[&authors, &colls, &path(|path| path.at.rkey), &column(records, |kept| kept.record)]).await?, place)
}

/// Gives the keys of these records of `from` that are no TID the number of `to`, but for those that have a key of the same text there.
pub async fn renumber_aliases(client: &impl GenericClient, from: Coll, to: Coll, places: &[Ref]) -> Result<u64, Error> {
    const SQL: &str = "-- reindex::renumber_aliases
        UPDATE rkey_alias a SET coll = $2
        FROM UNNEST($3::int4[], $4::int8[]) AS k (author, rkey)
        WHERE a.author = k.author AND a.coll = $1 AND a.rkey = k.rkey
          AND NOT EXISTS (SELECT 1 FROM rkey_alias t WHERE t.author = a.author AND t.coll = $2 AND t.real_rkey = a.real_rkey)";
    renumber(client, SQL, from, to, places).await
}

/// Gives these records of `from` the number of `to`; where a record stands on the same path there, that one is the newer and stays.
pub async fn renumber_records(client: &impl GenericClient, from: Coll, to: Coll, places: &[Ref]) -> Result<u64, Error> {
    const SQL: &str = "-- reindex::renumber_records
        WITH gone AS (
          DELETE FROM record_other o USING UNNEST($3::int4[], $4::int8[]) AS k (author, rkey)
          WHERE o.author = k.author AND o.coll = $1 AND o.rkey = k.rkey
          RETURNING o.rkey, o.author, o.flags, o.rec
        )
        INSERT INTO record_other (rkey, author, coll, flags, rec)
        SELECT coalesce(t.rkey, g.rkey), g.author, $2::int2, g.flags, g.rec
        FROM gone g
        LEFT JOIN rkey_alias a ON a.author = g.author AND a.coll = $1 AND a.rkey = g.rkey
        LEFT JOIN rkey_alias t ON t.author = g.author AND t.coll = $2 AND t.real_rkey = a.real_rkey
        ON CONFLICT (author, coll, rkey) DO NOTHING";
    renumber(client, SQL, from, to, places).await
}

async fn renumber(client: &impl GenericClient, sql: &str, from: Coll, to: Coll, places: &[Ref]) -> Result<u64, Error> {
    let (authors, rkeys) = (column(places, |at| at.author), column(places, |at| at.rkey));
    execute(client, sql, &[&from.number(), &to.number(), &authors, &rkeys]).await
}

fn place(row: &Row) -> Result<Ref, Error> {
    Ok(Ref { rkey: row.try_get(0)?, author: row.try_get(1)? })
}

fn stored(row: &Row) -> Result<Stored, Error> {
    let rev: Option<i64> = row.try_get(4)?;
    Ok(Stored {
        at: place(row)?,
        did: row.try_get(2)?,
        alias: row.try_get(3)?,
        rev: rev.and_then(Tid::from_value),
        record: row.try_get(5)?,
    })
}
