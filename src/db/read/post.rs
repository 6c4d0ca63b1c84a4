//! Posts with their records, by key.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::collection::Ref;
use crate::db::post::{Stored, post};
use crate::db::{column, query, read};

/// The posts that stand at these places.
pub async fn at(client: &impl GenericClient, places: &[Ref]) -> Result<Vec<Stored>, Error> {
    const SQL: &str = "-- read::post::at
        SELECT p.rkey, p.author, p.flags, p.parent_r, p.parent_a, p.root_r, p.root_a, p.quote_r, p.quote_a, p.sort, p.rec
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN post p ON p.rkey = k.rkey AND p.author = k.author";
    let rows = query(client, SQL, &[&column(places, |p| p.author), &column(places, |p| p.rkey)]).await?;
    read(&rows, |row| Ok(Stored { post: post(row)?, record: row.try_get(10)?, tokens: Vec::new() }))
}
