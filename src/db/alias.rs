//! Record keys that are no TID, and their negative ids. An id is used only after the transaction that gave it is durable.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{column, query, read};

/// A record key that is no TID.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias {
    pub author: i32,
    pub coll: i16,
    pub rkey: Box<str>,
}

/// The ids of those of `keys` that have one.
pub async fn ids(client: &impl GenericClient, keys: &[Alias]) -> Result<Vec<(Alias, i64)>, Error> {
    const SQL: &str = "-- alias::ids
        SELECT a.author, a.coll, a.real_rkey, a.rkey
        FROM UNNEST($1::int4[], $2::int2[], $3::text[]) AS k (author, coll, rkey)
        JOIN rkey_alias a ON a.author = k.author AND a.coll = k.coll AND a.real_rkey = k.rkey";
    run(client, SQL, keys).await
}

/// Gives ids to `keys`, sorted and without one so far; those that another transaction was faster with are not in the answer.
pub async fn insert(client: &impl GenericClient, keys: &[Alias]) -> Result<Vec<(Alias, i64)>, Error> {
    const SQL: &str = "-- alias::insert
        INSERT INTO rkey_alias (author, coll, real_rkey)
        SELECT author, coll, rkey FROM UNNEST($1::int4[], $2::int2[], $3::text[]) AS k (author, coll, rkey)
        ON CONFLICT (author, coll, real_rkey) DO NOTHING
        RETURNING author, coll, real_rkey, rkey";
    run(client, SQL, keys).await
}

/// Those of `keys` that do not have this id (any more): their account was deleted.
pub async fn gone(client: &impl GenericClient, keys: &[(&Alias, i64)]) -> Result<Vec<Alias>, Error> {
    const SQL: &str = "-- alias::gone
        SELECT k.author, k.coll, k.real_rkey
        FROM UNNEST($1::int4[], $2::int2[], $3::text[], $4::int8[]) AS k (author, coll, real_rkey, rkey)
        WHERE NOT EXISTS (SELECT FROM rkey_alias a WHERE a.author = k.author AND a.coll = k.coll AND a.rkey = k.rkey)";
    let (authors, colls, ids) = (column(keys, |k| k.0.author), column(keys, |k| k.0.coll), column(keys, |k| k.1));
    read(&query(client, SQL, &[&authors, &colls, &column(keys, |k| &*k.0.rkey), &ids]).await?, |row| {
        Ok(Alias { author: row.try_get(0)?, coll: row.try_get(1)?, rkey: row.try_get::<_, String>(2)?.into() })
    })
}

async fn run(client: &impl GenericClient, sql: &str, keys: &[Alias]) -> Result<Vec<(Alias, i64)>, Error> {
    let (authors, colls) = (column(keys, |k| k.author), column(keys, |k| k.coll));
    read(&query(client, sql, &[&authors, &colls, &column(keys, |k| &*k.rkey)]).await?, alias)
}

fn alias(row: &Row) -> Result<(Alias, i64), Error> {
    let rkey: String = row.try_get(2)?;
    Ok((Alias { author: row.try_get(0)?, coll: row.try_get(1)?, rkey: rkey.into() }, row.try_get(3)?))
}
