//! Records kept whole: `record_other` (every collection without a table of its own) and `record_exc` (edges that columns cannot rebuild).

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::search::Slices;
use super::{column, execute, query, read};
use crate::collection::{Coll, Ref};

/// A record's path by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    pub coll: Coll,
    pub at: Ref,
}

/// A record kept whole: its bytes are packed.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    pub path: Path,
    pub record: &'a [u8],
}

/// Those of `paths` whose record is kept in `record_other`.
pub async fn held(client: &impl GenericClient, paths: &[Path]) -> Result<Vec<Path>, Error> {
    const SQL: &str = "-- record::held
        SELECT o.coll, o.rkey, o.author
        FROM UNNEST($1::int4[], $2::int2[], $3::int8[]) AS k (author, coll, rkey)
        JOIN record_other o ON o.author = k.author AND o.coll = k.coll AND o.rkey = k.rkey";
    let (authors, colls, rkeys) = columns(paths);
    read(&query(client, SQL, &[&authors, &colls, &rkeys]).await?, path)
}

/// Puts records into `record_other`, in place of what stands there, each with what it is found by, where it is.
pub async fn put(client: &impl GenericClient, records: &[(Kept<'_>, Option<Vec<i32>>)]) -> Result<u64, Error> {
    const SQL: &str = "-- record::put
        INSERT INTO record_other (author, coll, rkey, rec, tokens)
        SELECT n.author, n.coll, n.rkey, n.rec, ($5::int4[])[n.first:n.last]
        FROM UNNEST($1::int4[], $2::int2[], $3::int8[], $4::bytea[], $6::int4[], $7::int4[]) AS n (author, coll, rkey, rec, first, last)
        ON CONFLICT (author, coll, rkey) DO UPDATE SET rec = excluded.rec, tokens = excluded.tokens";
    let (authors, colls, rkeys) = columns(&column(records, |r| r.0.path));
    let slices = Slices::of(records.iter().map(|r| r.1.as_deref()));
    let packed = column(records, |r| r.0.record);
    execute(client, SQL, &[&authors, &colls, &rkeys, &packed, &slices.all, &slices.first, &slices.last]).await
}

/// Removes records from `record_other`.
pub async fn delete(client: &impl GenericClient, paths: &[Path]) -> Result<u64, Error> {
    const SQL: &str = "-- record::delete
        DELETE FROM record_other o USING UNNEST($1::int4[], $2::int2[], $3::int8[]) AS k (author, coll, rkey)
        WHERE o.author = k.author AND o.coll = k.coll AND o.rkey = k.rkey";
    let (authors, colls, rkeys) = columns(paths);
    execute(client, SQL, &[&authors, &colls, &rkeys]).await
}

/// Puts records into `record_exc`, in place of what stands there.
pub async fn put_raw(client: &impl GenericClient, records: &[Kept<'_>]) -> Result<u64, Error> {
    const SQL: &str = "-- record::put_raw
        INSERT INTO record_exc (author, coll, rkey, rec) SELECT * FROM UNNEST($1::int4[], $2::int2[], $3::int8[], $4::bytea[])
        ON CONFLICT (rkey, author, coll) DO UPDATE SET rec = excluded.rec";
    put_into(client, SQL, records).await
}

/// Removes records from `record_exc`.
pub async fn delete_raw(client: &impl GenericClient, paths: &[Path]) -> Result<u64, Error> {
    const SQL: &str = "-- record::delete_raw
        DELETE FROM record_exc x USING UNNEST($1::int4[], $2::int2[], $3::int8[]) AS k (author, coll, rkey)
        WHERE x.rkey = k.rkey AND x.author = k.author AND x.coll = k.coll";
    let (authors, colls, rkeys) = columns(paths);
    execute(client, SQL, &[&authors, &colls, &rkeys]).await
}

async fn put_into(client: &impl GenericClient, sql: &str, records: &[Kept<'_>]) -> Result<u64, Error> {
    let (authors, colls, rkeys) = columns(&column(records, |r| r.path));
    execute(client, sql, &[&authors, &colls, &rkeys, &column(records, |r| r.record)]).await
}

fn columns(paths: &[Path]) -> (Vec<i32>, Vec<i16>, Vec<i64>) {
    (column(paths, |p| p.at.author), column(paths, |p| p.coll.number()), column(paths, |p| p.at.rkey))
}

fn path(row: &Row) -> Result<Path, Error> {
    Ok(Path { coll: Coll::from_number(row.try_get(0)?), at: Ref { rkey: row.try_get(1)?, author: row.try_get(2)? } })
}
