//! Records that operators took down.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::collection::{Coll, Ref};
use crate::db::{column, query, read};

/// Which of these posts are taken down.
pub async fn of_posts(client: &impl GenericClient, posts: &[Ref]) -> Result<Vec<Ref>, Error> {
    const SQL: &str = "-- read::takedown::of_posts
        SELECT t.sr, t.sa FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN takedown_record t ON t.sa = k.author AND t.coll = $3 AND t.sr = k.rkey";
    let rows = query(client, SQL, &[&column(posts, |p| p.author), &column(posts, |p| p.rkey), &Coll::POST.number()]).await?;
    read(&rows, |row| Ok(Ref { rkey: row.try_get(0)?, author: row.try_get(1)? }))
}
