//! Dead letters: record ops that could not be indexed, one a path, and how many a repo had each day.

use bytes::Bytes;
use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{column, execute, query, read};
use crate::atproto::{Cid, Tid};

/// A record op that could not be indexed.
#[derive(Debug, Clone, PartialEq)]
pub struct Letter {
    pub account: i32,
    pub coll: String,
    pub rkey: String,
    /// The protocol's word: create, update, delete.
    pub action: String,
    pub rev: Tid,
    pub seq: i64,
    /// indexedAt, microseconds since 1970.
    pub time: i64,
    pub cid: Option<Cid>,
    pub reason: String,
    /// The record as DAG-CBOR; empty for a delete.
    pub record: Bytes,
}

/// A letter in the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub id: i64,
    pub did: String,
    pub letter: Letter,
}

/// The path that a letter is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub account: i32,
    pub coll: String,
    pub rkey: String,
}

/// Which letters; absent = all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub did: Option<String>,
    pub collection: Option<String>,
    /// Text that the reason holds.
    pub reason: Option<String>,
}

/// How many letters of a repo one day had. Days are UTC, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    pub account: i32,
    pub day: i32,
    /// Letters written.
    pub kept: i32,
    /// Letters beyond the limit, of which only this number is left.
    pub dropped: i64,
}

/// The paths of these accounts that have letters.
pub async fn held(client: &impl GenericClient, accounts: &[i32]) -> Result<Vec<Place>, Error> {
    const SQL: &str = "-- dead_letter::held
        SELECT d.account, d.coll, d.rkey FROM UNNEST($1::int4[]) AS k (account) JOIN dead_letter d ON d.account = k.account";
    read(&query(client, SQL, &[&accounts]).await?, |row| {
        Ok(Place { account: row.try_get(0)?, coll: row.try_get(1)?, rkey: row.try_get(2)? })
    })
}

/// Adds letters, on paths that have none.
pub async fn insert(client: &impl GenericClient, letters: &[&Letter]) -> Result<u64, Error> {
    const SQL: &str = "-- dead_letter::insert
        INSERT INTO dead_letter (account, coll, rkey, action, rev, seq, time, cid, reason, record)
        SELECT * FROM UNNEST($1::int4[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[], $8::bytea[], $9::text[],
          $10::bytea[])";
    let (accounts, actions) = (column(letters, |l| l.account), column(letters, |l| l.action.as_str()));
    let (colls, rkeys) = (column(letters, |l| l.coll.as_str()), column(letters, |l| l.rkey.as_str()));
    let (revs, seqs, times) = (column(letters, |l| l.rev.value()), column(letters, |l| l.seq), column(letters, |l| l.time));
    let cids = column(letters, |l| l.cid.as_ref().map(|cid| cid.as_bytes().as_slice()));
    let (reasons, records) = (column(letters, |l| l.reason.as_str()), column(letters, |l| l.record.as_ref()));
    execute(client, SQL, &[&accounts, &colls, &rkeys, &actions, &revs, &seqs, &times, &cids, &reasons, &records]).await
}

/// Removes the letters of these paths.
pub async fn delete(client: &impl GenericClient, places: &[&Place]) -> Result<u64, Error> {
    const SQL: &str = "-- dead_letter::delete
        DELETE FROM dead_letter d USING UNNEST($1::int4[], $2::text[], $3::text[]) AS k (account, coll, rkey)
        WHERE d.account = k.account AND d.coll = k.coll AND d.rkey = k.rkey";
    let (colls, rkeys) = (column(places, |p| p.coll.as_str()), column(places, |p| p.rkey.as_str()));
    execute(client, SQL, &[&column(places, |p| p.account), &colls, &rkeys]).await
}

/// The numbers of these (account, day).
pub async fn days(client: &impl GenericClient, keys: &[(i32, i32)]) -> Result<Vec<Day>, Error> {
    const SQL: &str = "-- dead_letter::days
        SELECT d.account, d.day, d.kept, d.dropped
        FROM UNNEST($1::int4[], $2::int4[]) AS k (account, day) JOIN dead_letter_day d ON d.account = k.account AND d.day = k.day";
    read(&query(client, SQL, &[&column(keys, |k| k.0), &column(keys, |k| k.1)]).await?, |row| {
        Ok(Day { account: row.try_get(0)?, day: row.try_get(1)?, kept: row.try_get(2)?, dropped: row.try_get(3)? })
    })
}

/// Sets the numbers of days.
pub async fn put_days(client: &impl GenericClient, days: &[Day]) -> Result<u64, Error> {
    const SQL: &str = "-- dead_letter::put_days
        INSERT INTO dead_letter_day (account, day, kept, dropped) SELECT * FROM UNNEST($1::int4[], $2::int4[], $3::int4[], $4::int8[])
        ON CONFLICT (account, day) DO UPDATE SET kept = excluded.kept, dropped = excluded.dropped";
    let (accounts, numbers) = (column(days, |d| d.account), column(days, |d| d.day));
    execute(client, SQL, &[&accounts, &numbers, &column(days, |d| d.kept), &column(days, |d| d.dropped)]).await
}

/// Up to `limit` letters after the letter `after`, in the order of their ids.
pub async fn list(client: &impl GenericClient, filter: &Filter, after: i64, limit: i64) -> Result<Vec<Stored>, Error> {
    const SQL: &str = "-- dead_letter::list
        SELECT d.id, a.did, d.account, d.coll, d.rkey, d.action, d.rev, d.seq, d.time, d.cid, d.reason, d.record
        FROM dead_letter d JOIN account a ON a.id = d.account
        WHERE d.id > $1 AND ($2::text IS NULL OR a.did = $2) AND ($3::text IS NULL OR d.coll = $3)
          AND ($4::text IS NULL OR strpos(d.reason, $4) > 0)
        ORDER BY d.id LIMIT $5";
    read(&query(client, SQL, &[&after, &filter.did, &filter.collection, &filter.reason, &limit]).await?, stored)
}

/// Those of `ids` that are still there.
pub async fn still(client: &impl GenericClient, ids: &[i64]) -> Result<Vec<i64>, Error> {
    const SQL: &str = "-- dead_letter::still
        SELECT d.id FROM UNNEST($1::int8[]) AS k (id) JOIN dead_letter d ON d.id = k.id";
    read(&query(client, SQL, &[&ids]).await?, |row| row.try_get(0))
}

/// Gives a letter another reason.
pub async fn set_reason(client: &impl GenericClient, id: i64, reason: &str) -> Result<u64, Error> {
    const SQL: &str = "-- dead_letter::set_reason
        UPDATE dead_letter SET reason = $2 WHERE id = $1";
    execute(client, SQL, &[&id, &reason]).await
}

/// How many letters there are.
pub async fn count(client: &impl GenericClient) -> Result<i64, Error> {
    const SQL: &str = "-- dead_letter::count
        SELECT count(*) FROM dead_letter";
    let rows = query(client, SQL, &[]).await?;
    rows.first().map_or(Ok(0), |row| row.try_get(0))
}

fn stored(row: &Row) -> Result<Stored, Error> {
    let cid: Option<&[u8]> = row.try_get(9)?;
    Ok(Stored {
        id: row.try_get(0)?,
        did: row.try_get(1)?,
        letter: Letter {
            account: row.try_get(2)?,
            coll: row.try_get(3)?,
            rkey: row.try_get(4)?,
            action: row.try_get(5)?,
            rev: Tid::from_value(row.try_get(6)?).unwrap_or_else(|| Tid::from_micros(0, 0)),
            seq: row.try_get(7)?,
            time: row.try_get(8)?,
            cid: cid.and_then(|cid| Cid::from_bytes(cid).ok()),
            reason: row.try_get(10)?,
            record: Bytes::from(row.try_get::<_, Vec<u8>>(11)?),
        },
    })
}
