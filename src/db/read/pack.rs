//! Starter packs, by those who came through them.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::collection::Ref;
use crate::db::bucket::{bucket_sql, h31_sql};
use crate::db::{column, query, read};

/// Accounts that are counted of one pack: no page waits for hundreds of thousands of rows. Of larger packs at least so many came.
pub const MOST_JOINED: i64 = 10_000;

/// How many accounts came through each of these packs, [`MOST_JOINED`] at most, and how many of them at `since` (a TID's value) or later.
pub async fn joined(client: &impl GenericClient, packs: &[Ref], since: i64) -> Result<Vec<(Ref, (i64, i64))>, Error> {
    const SQL: &str = concat!(
        "-- read::pack::joined
        SELECT k.rkey, k.author, n.all_time, n.lately
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        CROSS JOIN LATERAL (
          SELECT count(*) AS all_time, count(*) FILTER (WHERE j.time >= $3) AS lately FROM (
            SELECT time FROM pack_join
            WHERE ",
        h31_sql!("sr", "sa"),
        " = ",
        h31_sql!("k.rkey", "k.author"),
        " AND sr = k.rkey AND sa = k.author
            ORDER BY ",
        h31_sql!("sr", "sa"),
        " DESC, ",
        bucket_sql!("time", 42),
        " DESC LIMIT $4) j) n",
    );
    let rows = query(client, SQL, &[&column(packs, |p| p.author), &column(packs, |p| p.rkey), &since, &MOST_JOINED]).await?;
    read(&rows, |row| Ok((Ref { rkey: row.try_get(0)?, author: row.try_get(1)? }, (row.try_get(2)?, row.try_get(3)?))))
}
