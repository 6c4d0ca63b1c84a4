//! Table `postgate`: the posts that nobody may quote.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::{column, execute, query, read};
use crate::collection::Ref;

/// Those of `posts` that nobody may quote.
pub async fn of(client: &impl GenericClient, posts: &[Ref]) -> Result<Vec<Ref>, Error> {
    const SQL: &str = "-- postgate::of
        SELECT g.rkey, g.author
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN postgate g ON g.author = k.author AND g.rkey = k.rkey";
    let rows = query(client, SQL, &[&column(posts, |p| p.author), &column(posts, |p| p.rkey)]).await?;
    read(&rows, |row| Ok(Ref { rkey: row.try_get(0)?, author: row.try_get(1)? }))
}

/// Adds gates for posts that have none.
pub async fn insert(client: &impl GenericClient, posts: &[Ref]) -> Result<u64, Error> {
    const SQL: &str = "-- postgate::insert
        INSERT INTO postgate (author, rkey) SELECT * FROM UNNEST($1::int4[], $2::int8[])";
    execute(client, SQL, &[&column(posts, |p| p.author), &column(posts, |p| p.rkey)]).await
}

/// Removes the gates of these posts.
pub async fn delete(client: &impl GenericClient, posts: &[Ref]) -> Result<u64, Error> {
    const SQL: &str = "-- postgate::delete
        DELETE FROM postgate g USING UNNEST($1::int4[], $2::int8[]) AS k (author, rkey) WHERE g.author = k.author AND g.rkey = k.rkey";
    execute(client, SQL, &[&column(posts, |p| p.author), &column(posts, |p| p.rkey)]).await
}
