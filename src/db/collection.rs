//! Collections that the code does not number itself: numbered by the database, up to a bound.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{query, read};
use crate::collection::Coll;

/// The numbers of those of `nsids` that have one.
pub async fn ids(client: &impl GenericClient, nsids: &[&str]) -> Result<Vec<(String, Coll)>, Error> {
    const SQL: &str = "-- collection::ids
        SELECT c.nsid, c.id FROM UNNEST($1::text[]) AS k (nsid) JOIN collection c ON c.nsid = k.nsid";
    read(&query(client, SQL, &[&nsids]).await?, pair)
}

/// Numbers those of `nsids`, sorted and without a number so far, while there are fewer than `most`. Under a lock of its own, so that
/// several processes together keep to the bound.
pub async fn insert(client: &impl GenericClient, nsids: &[&str], most: i64) -> Result<Vec<(String, Coll)>, Error> {
    const LOCK: &str = "-- collection::insert
        LOCK TABLE collection IN SHARE ROW EXCLUSIVE MODE";
    const SQL: &str = "-- collection::insert
        INSERT INTO collection (nsid)
        SELECT nsid FROM UNNEST($1::text[]) AS k (nsid)
        WHERE NOT EXISTS (SELECT 1 FROM collection c WHERE c.nsid = k.nsid)
        LIMIT greatest(0, $2 - (SELECT count(*) FROM collection))
        RETURNING nsid, id";
    super::execute(client, LOCK, &[]).await?;
    read(&query(client, SQL, &[&nsids, &most]).await?, pair)
}

/// Takes back the number of a collection.
pub async fn delete(client: &impl GenericClient, coll: Coll) -> Result<u64, Error> {
    const SQL: &str = "-- collection::delete
        DELETE FROM collection WHERE id = $1";
    super::execute(client, SQL, &[&coll.number()]).await
}

fn pair(row: &Row) -> Result<(String, Coll), Error> {
    Ok((row.try_get(0)?, Coll::from_number(row.try_get(1)?)))
}
