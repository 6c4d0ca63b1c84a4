//! What an account and those whom it follows posted and reposted, newest first. Only the newest of each are read, by the index of their
//! author.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::feed::{Before, Posted};
use crate::collection::Edge;
use crate::db::bucket::{bucket, bucket_sql};
use crate::db::edge::edge;
use crate::db::{query, read};

/// Width of the buckets of an author's posts and reposts.
const SHIFT: u32 = 46;

/// The oldest bucket that is read: `window` buckets before the one where reading begins.
fn oldest(before: Before, window: i32) -> i32 {
    // A list begins now, whatever the cursor says: a future bucket has next to nothing in it.
    bucket(before.at.min(super::now()), SHIFT).saturating_sub(window)
}

/// The newest `limit` posts before `before` and not older than `window` buckets.
pub async fn posts(client: &impl GenericClient, viewer: i32, before: Before, window: i32, limit: i64) -> Result<Vec<Posted>, Error> {
    const SQL: &str = concat!(
        "-- read::timeline::posts
        SELECT p.rkey, f.id, p.at
        FROM (SELECT subject AS id FROM follow WHERE author = $1 AND flags & 8 = 0 UNION ALL SELECT $1) f
        CROSS JOIN LATERAL (
          SELECT rkey, coalesce(sort, rkey) AS at FROM post
          WHERE author = f.id AND ",
        bucket_sql!("coalesce(sort, rkey)", 46),
        " BETWEEN $5 AND ($2::int8 >> 46)::int4 AND (coalesce(sort, rkey), rkey, author) < ($2, $3, $4)
          ORDER BY author DESC, ",
        bucket_sql!("coalesce(sort, rkey)", 46),
        " DESC, coalesce(sort, rkey) DESC, rkey DESC
          LIMIT $6) p
        ORDER BY p.at DESC, p.rkey DESC, f.id DESC
        LIMIT $6",
    );
    let rows = query(client, SQL, &[&viewer, &before.at, &before.rkey, &before.author, &oldest(before, window), &limit]).await?;
    read(&rows, |row| Ok(Posted { rkey: row.try_get(0)?, author: row.try_get(1)?, at: row.try_get(2)? }))
}

/// The newest `limit` reposts of posts before `before` and not older than `window` buckets.
pub async fn reposts(client: &impl GenericClient, viewer: i32, before: Before, window: i32, limit: i64) -> Result<Vec<Edge>, Error> {
    const SQL: &str = concat!(
        "-- read::timeline::reposts
        SELECT r.rkey, r.author, r.sr, r.sa, r.via, r.dms, r.flags, r.sort
        FROM (SELECT subject AS id FROM follow WHERE author = $1 AND flags & 8 = 0 UNION ALL SELECT $1) f
        CROSS JOIN LATERAL (
          SELECT rkey, author, sr, sa, via, dms, flags, sort FROM repost
          WHERE author = f.id AND ",
        bucket_sql!("coalesce(sort, rkey)", 46),
        " BETWEEN $5 AND ($2::int8 >> 46)::int4 AND (coalesce(sort, rkey), rkey, author) < ($2, $3, $4) AND flags & 120 = 0
          ORDER BY author DESC, ",
        bucket_sql!("coalesce(sort, rkey)", 46),
        " DESC, coalesce(sort, rkey) DESC, rkey DESC
          LIMIT $6) r
        ORDER BY coalesce(r.sort, r.rkey) DESC, r.rkey DESC, r.author DESC
        LIMIT $6",
    );
    read(&query(client, SQL, &[&viewer, &before.at, &before.rkey, &before.author, &oldest(before, window), &limit]).await?, edge)
}
