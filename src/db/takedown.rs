//! What moderators have taken down: accounts, records, blobs. Their rows outlive what they are about, so that it stays hidden when it comes
//! back.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::record::Path;
use super::{column, execute, query, read};
use crate::atproto::Cid;
use crate::collection::Coll;

/// How something was taken down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takedown {
    /// Of the command, microseconds since 1970.
    pub time: i64,
    /// The moderators' own name of the case.
    pub reference: Option<String>,
}

/// A record as this table sorts it: author, collection, key.
pub type Record = (i32, i16, i64);

/// The key of a path.
#[must_use]
pub fn record(path: Path) -> Record {
    (path.at.author, path.coll.number(), path.at.rkey)
}

/// Takes accounts down, sorted; the newer takedown replaces an earlier one.
pub async fn put_accounts(client: &impl GenericClient, takedowns: &[(i32, Takedown)]) -> Result<u64, Error> {
    const SQL: &str = "-- takedown::put_accounts
        INSERT INTO takedown_account (subject, time, ref) SELECT * FROM UNNEST($1::int4[], $2::int8[], $3::text[])
        ON CONFLICT (subject) DO UPDATE SET time = excluded.time, ref = excluded.ref";
    let references = column(takedowns, |t| t.1.reference.as_deref());
    execute(client, SQL, &[&column(takedowns, |t| t.0), &column(takedowns, |t| t.1.time), &references]).await
}

/// Shows accounts again.
pub async fn delete_accounts(client: &impl GenericClient, accounts: &[i32]) -> Result<u64, Error> {
    const SQL: &str = "-- takedown::delete_accounts
        DELETE FROM takedown_account WHERE subject = ANY ($1::int4[])";
    execute(client, SQL, &[&accounts]).await
}

/// Takes records down, sorted.
pub async fn put_records(client: &impl GenericClient, takedowns: &[(Record, Takedown)]) -> Result<u64, Error> {
    const SQL: &str = "-- takedown::put_records
        INSERT INTO takedown_record (sa, coll, sr, time, ref)
        SELECT * FROM UNNEST($1::int4[], $2::int2[], $3::int8[], $4::int8[], $5::text[])
        ON CONFLICT (sa, coll, sr) DO UPDATE SET time = excluded.time, ref = excluded.ref";
    let (authors, colls) = (column(takedowns, |t| t.0.0), column(takedowns, |t| t.0.1));
    let (times, references) = (column(takedowns, |t| t.1.time), column(takedowns, |t| t.1.reference.as_deref()));
    execute(client, SQL, &[&authors, &colls, &column(takedowns, |t| t.0.2), &times, &references]).await
}

/// Shows records again.
pub async fn delete_records(client: &impl GenericClient, records: &[Record]) -> Result<u64, Error> {
    const SQL: &str = "-- takedown::delete_records
        DELETE FROM takedown_record t USING UNNEST($1::int4[], $2::int2[], $3::int8[]) AS k (sa, coll, sr)
        WHERE t.sa = k.sa AND t.coll = k.coll AND t.sr = k.sr";
    execute(client, SQL, &[&column(records, |r| r.0), &column(records, |r| r.1), &column(records, |r| r.2)]).await
}

/// Takes blobs of accounts down, sorted.
pub async fn put_blobs(client: &impl GenericClient, takedowns: &[((i32, Cid), Takedown)]) -> Result<u64, Error> {
    const SQL: &str = "-- takedown::put_blobs
        INSERT INTO takedown_blob (sa, cid, time, ref) SELECT * FROM UNNEST($1::int4[], $2::bytea[], $3::int8[], $4::text[])
        ON CONFLICT (sa, cid) DO UPDATE SET time = excluded.time, ref = excluded.ref";
    let (authors, cids) = (column(takedowns, |t| t.0.0), column(takedowns, |t| t.0.1.as_bytes().as_slice()));
    let references = column(takedowns, |t| t.1.reference.as_deref());
    execute(client, SQL, &[&authors, &cids, &column(takedowns, |t| t.1.time), &references]).await
}

/// Shows blobs again.
pub async fn delete_blobs(client: &impl GenericClient, blobs: &[(i32, Cid)]) -> Result<u64, Error> {
    const SQL: &str = "-- takedown::delete_blobs
        DELETE FROM takedown_blob t USING UNNEST($1::int4[], $2::bytea[]) AS k (sa, cid) WHERE t.sa = k.sa AND t.cid = k.cid";
    execute(client, SQL, &[&column(blobs, |b| b.0), &column(blobs, |b| b.1.as_bytes().as_slice())]).await
}

/// The takedown of an account.
pub async fn account(client: &impl GenericClient, account: i32) -> Result<Option<Takedown>, Error> {
    const SQL: &str = "-- takedown::account
        SELECT t.time, t.ref FROM takedown_account t WHERE t.subject = $1";
    Ok(read(&query(client, SQL, &[&account]).await?, takedown)?.pop())
}

/// The takedown of a record.
pub async fn of_record(client: &impl GenericClient, (author, coll, rkey): Record) -> Result<Option<Takedown>, Error> {
    const SQL: &str = "-- takedown::of_record
        SELECT t.time, t.ref FROM takedown_record t WHERE t.sa = $1 AND t.coll = $2 AND t.sr = $3";
    Ok(read(&query(client, SQL, &[&author, &coll, &rkey]).await?, takedown)?.pop())
}

/// The takedown of a blob.
pub async fn of_blob(client: &impl GenericClient, author: i32, cid: &Cid) -> Result<Option<Takedown>, Error> {
    const SQL: &str = "-- takedown::of_blob
        SELECT t.time, t.ref FROM takedown_blob t WHERE t.sa = $1 AND t.cid = $2";
    Ok(read(&query(client, SQL, &[&author, &cid.as_bytes().as_slice()]).await?, takedown)?.pop())
}

/// Gives the record keys that takedowns of `from` name the number of `to`, where they are still under the old one.
pub async fn renumber_aliases(client: &impl GenericClient, from: Coll, to: Coll) -> Result<u64, Error> {
    const SQL: &str = "-- takedown::renumber_aliases
        UPDATE rkey_alias a SET coll = $2 FROM takedown_record t
        WHERE t.coll = $1 AND a.author = t.sa AND a.coll = $1 AND a.rkey = t.sr
          AND NOT EXISTS (SELECT FROM rkey_alias n WHERE n.author = a.author AND n.coll = $2 AND n.real_rkey = a.real_rkey)";
    execute(client, SQL, &[&from.number(), &to.number()]).await
}

/// Gives takedowns of records of `from` the number of `to`. A key that is under both numbers has the id that it has there.
pub async fn renumber(client: &impl GenericClient, from: Coll, to: Coll) -> Result<u64, Error> {
    const SQL: &str = "-- takedown::renumber
        WITH gone AS (DELETE FROM takedown_record t WHERE t.coll = $1 RETURNING t.sa, t.sr, t.time, t.ref)
        INSERT INTO takedown_record (sa, coll, sr, time, ref)
        SELECT g.sa, $2::int2, coalesce(n.rkey, g.sr), g.time, g.ref
        FROM gone g
        LEFT JOIN rkey_alias a ON a.author = g.sa AND a.coll = $1 AND a.rkey = g.sr
        LEFT JOIN rkey_alias n ON n.author = g.sa AND n.coll = $2 AND n.real_rkey = a.real_rkey
        ON CONFLICT (sa, coll, sr) DO NOTHING";
    execute(client, SQL, &[&from.number(), &to.number()]).await
}

fn takedown(row: &Row) -> Result<Takedown, Error> {
    Ok(Takedown { time: row.try_get(0)?, reference: row.try_get(1)? })
}
