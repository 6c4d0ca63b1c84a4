//! What those whom a busy account follows posted and reposted, newest first, by going back in time over everyone's and picking theirs. Who
//! follows thousands finds a page among the newest few hundred rows; asking each author for its own would read some for every one of them.
//!
//! `IS TRUE` keeps the set of those that are followed a hash that is looked into: as a join it would be turned around.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::feed::{Before, Posted};
use crate::collection::Edge;
use crate::db::edge::edge;
use crate::db::{query, read};

/// How many accounts `viewer` follows.
pub async fn follows(client: &impl GenericClient, viewer: i32) -> Result<i32, Error> {
    const SQL: &str = "-- read::walk::follows
        SELECT coalesce(follows, 0) FROM actor_stat WHERE account = $1";
    query(client, SQL, &[&viewer]).await?.first().map_or(Ok(0), |row| row.try_get(0))
}

/// The newest `limit` posts before `before`, where they are among the newest `most` of everyone's; else fewer. The time of a few is not that
/// of their keys: these are looked for between the others.
pub async fn posts(client: &impl GenericClient, viewer: i32, before: Before, most: i64, limit: i64) -> Result<Vec<Posted>, Error> {
    const SQL: &str = "-- read::walk::posts
        WITH walk AS MATERIALIZED (
          SELECT w.rkey, w.author FROM (
            SELECT rkey, author, sort FROM post WHERE rkey <= $2 ORDER BY rkey DESC FETCH FIRST $6 ROWS WITH TIES) w
          WHERE w.sort IS NULL AND (w.rkey, w.rkey, w.author) < ($2, $3, $4)
            AND (w.author IN (SELECT subject FROM follow WHERE author = $1 AND flags & 8 = 0 UNION ALL SELECT $1)) IS TRUE
          ORDER BY w.rkey DESC, w.author DESC LIMIT $5),
        full_walk AS (SELECT min(rkey) AS oldest FROM walk HAVING count(*) = $5)
        SELECT f.rkey, f.author, f.at FROM (
          SELECT rkey, author, rkey AS at FROM walk
          UNION ALL
          SELECT p.rkey, p.author, coalesce(p.sort, p.rkey) FROM full_walk CROSS JOIN LATERAL (
            SELECT rkey, author, sort FROM post
            WHERE sort IS NOT NULL AND coalesce(sort, rkey) >= full_walk.oldest AND coalesce(sort, rkey) <= $2
              AND (coalesce(sort, rkey), rkey, author) < ($2, $3, $4)
              AND (author IN (SELECT subject FROM follow WHERE author = $1 AND flags & 8 = 0 UNION ALL SELECT $1)) IS TRUE
            OFFSET 0) p
        ) f ORDER BY f.at DESC, f.rkey DESC, f.author DESC LIMIT $5";
    let rows = query(client, SQL, &[&viewer, &before.at, &before.rkey, &before.author, &limit, &most]).await?;
    read(&rows, |row| Ok(Posted { rkey: row.try_get(0)?, author: row.try_get(1)?, at: row.try_get(2)? }))
}

/// The newest `limit` reposts of posts before `before`, where they are among the newest `most` of everyone's; else fewer.
pub async fn reposts(client: &impl GenericClient, viewer: i32, before: Before, most: i64, limit: i64) -> Result<Vec<Edge>, Error> {
    const SQL: &str = "-- read::walk::reposts
        SELECT w.rkey, w.author, w.sr, w.sa, w.via, w.dms, w.flags, w.sort FROM (
          SELECT rkey, author, sr, sa, via, dms, flags, sort FROM repost
          WHERE coalesce(sort, rkey) <= $2
          ORDER BY coalesce(sort, rkey) DESC FETCH FIRST $6 ROWS WITH TIES) w
        WHERE (coalesce(w.sort, w.rkey), w.rkey, w.author) < ($2, $3, $4) AND w.flags & 120 = 0
          AND (w.author IN (SELECT subject FROM follow WHERE author = $1 AND flags & 8 = 0 UNION ALL SELECT $1)) IS TRUE
        ORDER BY coalesce(w.sort, w.rkey) DESC, w.rkey DESC, w.author DESC LIMIT $5";
    read(&query(client, SQL, &[&viewer, &before.at, &before.rkey, &before.author, &limit, &most]).await?, edge)
}
