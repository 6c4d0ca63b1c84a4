//! Records that operators took down.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::collection::{Coll, Ref};
use crate::db::record::Path;
use crate::db::{column, query, read};

/// Those of `paths` that are taken down.
pub async fn of(client: &impl GenericClient, paths: &[Path]) -> Result<Vec<Path>, Error> {
    const SQL: &str = "-- read::takedown::of
        SELECT t.coll, t.sr, t.sa FROM UNNEST($1::int4[], $2::int2[], $3::int8[]) AS k (author, coll, rkey)
        JOIN takedown_record t ON t.sa = k.author AND t.coll = k.coll AND t.sr = k.rkey";
    let (authors, colls) = (column(paths, |p| p.at.author), column(paths, |p| p.coll.number()));
    let rows = query(client, SQL, &[&authors, &colls, &column(paths, |p| p.at.rkey)]).await?;
    read(&rows, |row| {
        let at = Ref { rkey: row.try_get(1)?, author: row.try_get(2)? };
        Ok(Path { coll: Coll::from_number(row.try_get(0)?), at })
    })
}
