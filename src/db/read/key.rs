//! From numbers back to names: record keys that are no TID, and DIDs.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use crate::db::record::Path;
use crate::db::{column, query, read};

/// The texts of those of `paths` whose key is an alias.
pub async fn texts(client: &impl GenericClient, paths: &[Path]) -> Result<Vec<((i32, i64), String)>, Error> {
    const SQL: &str = "-- read::key::texts
        SELECT a.author, a.rkey, a.real_rkey
        FROM UNNEST($1::int4[], $2::int2[], $3::int8[]) AS k (author, coll, rkey)
        JOIN rkey_alias a ON a.author = k.author AND a.coll = k.coll AND a.rkey = k.rkey";
    let (authors, colls) = (column(paths, |p| p.at.author), column(paths, |p| p.coll.number()));
    read(&query(client, SQL, &[&authors, &colls, &column(paths, |p| p.at.rkey)]).await?, text)
}

/// The DID of account `id`.
pub async fn did(client: &impl GenericClient, id: i32) -> Result<Option<String>, Error> {
    const SQL: &str = "-- read::key::did
        SELECT did FROM account WHERE id = $1";
    query(client, SQL, &[&id]).await?.first().map(|row| row.try_get(0)).transpose()
}

fn text(row: &Row) -> Result<((i32, i64), String), Error> {
    Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?))
}
