//! Records kept whole, by path, packed as they are stored.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use crate::collection::{Coll, Ref};
use crate::db::record::Path;
use crate::db::{column, query, read};

/// Those of `paths` that are kept in `record_other`.
pub async fn kept(client: &impl GenericClient, paths: &[Path]) -> Result<Vec<(Path, Vec<u8>)>, Error> {
    const SQL: &str = "-- read::record::kept
        SELECT o.coll, o.rkey, o.author, o.rec
        FROM UNNEST($1::int4[], $2::int2[], $3::int8[]) AS k (author, coll, rkey)
        JOIN record_other o ON o.author = k.author AND o.coll = k.coll AND o.rkey = k.rkey";
    by_path(client, SQL, paths).await
}

/// The raw bytes of those of `paths`, all of edges, that columns cannot rebuild.
pub async fn raw(client: &impl GenericClient, paths: &[Path]) -> Result<Vec<(Path, Vec<u8>)>, Error> {
    const SQL: &str = "-- read::record::raw
        SELECT x.coll, x.rkey, x.author, x.rec
        FROM UNNEST($1::int4[], $2::int2[], $3::int8[]) AS k (author, coll, rkey)
        JOIN record_exc x ON x.rkey = k.rkey AND x.author = k.author AND x.coll = k.coll";
    by_path(client, SQL, paths).await
}

async fn by_path(client: &impl GenericClient, sql: &str, paths: &[Path]) -> Result<Vec<(Path, Vec<u8>)>, Error> {
    let (authors, colls) = (column(paths, |p| p.at.author), column(paths, |p| p.coll.number()));
    read(&query(client, sql, &[&authors, &colls, &column(paths, |p| p.at.rkey)]).await?, record)
}

fn record(row: &Row) -> Result<(Path, Vec<u8>), Error> {
    let at = Ref { rkey: row.try_get(1)?, author: row.try_get(2)? };
    Ok((Path { coll: Coll::from_number(row.try_get(0)?), at }, row.try_get(3)?))
}
