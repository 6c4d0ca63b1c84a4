//! What those whom a busy account follows posted and reposted, newest first, by going back in time over everyone's and picking theirs. Who
//! follows thousands finds a page among the newest few thousand rows; asking each author for its own would read some for every one of them.
//!
//! `IS TRUE` keeps the set of those that are followed a hash that is looked into: as a join it would be turned around. The buckets of time
//! are read whole (WITH TIES), so that nothing of the last one is missing between what is found.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::feed::{Before, Posted};
use crate::collection::Edge;
use crate::db::bucket::bucket_sql;
use crate::db::edge::edge;
use crate::db::{query, read};

/// The newest rows of a table that the viewer or those whom it follows made, among the newest `most` of everyone's.
macro_rules! walk {
    ($name:literal, $table:literal, $columns:literal, $which:literal) => {
        concat!(
            "-- read::walk::",
            $name,
            "
        SELECT ",
            $columns,
            " FROM (
          SELECT *, coalesce(sort, rkey) AS at, ",
            bucket_sql!("coalesce(sort, rkey)", 34),
            " AS bucket FROM ",
            $table,
            " WHERE ",
            bucket_sql!("coalesce(sort, rkey)", 34),
            " <= ($2::int8 >> 34)::int4 ORDER BY ",
            bucket_sql!("coalesce(sort, rkey)", 34),
            " DESC FETCH FIRST $6 ROWS WITH TIES) w
        WHERE (at, rkey, author) < ($2, $3, $4)",
            $which,
            " AND (author IN (SELECT subject FROM follow WHERE author = $1 AND flags & 8 = 0 UNION ALL SELECT $1)) IS TRUE
        ORDER BY bucket DESC, at DESC, rkey DESC, author DESC LIMIT $5"
        )
    };
}

/// The newest `limit` posts before `before`, where they are among the newest `most` of everyone's; else fewer.
pub async fn posts(client: &impl GenericClient, viewer: i32, before: Before, most: i64, limit: i64) -> Result<Vec<Posted>, Error> {
    const SQL: &str = walk!("posts", "post", "rkey, author, at", "");
    let rows = query(client, SQL, &[&viewer, &before.at, &before.rkey, &before.author, &limit, &most]).await?;
    read(&rows, |row| Ok(Posted { rkey: row.try_get(0)?, author: row.try_get(1)?, at: row.try_get(2)? }))
}

/// The newest `limit` reposts of posts before `before`, where they are among the newest `most` of everyone's; else fewer.
pub async fn reposts(client: &impl GenericClient, viewer: i32, before: Before, most: i64, limit: i64) -> Result<Vec<Edge>, Error> {
    const SQL: &str = walk!("reposts", "repost", "rkey, author, sr, sa, via, dms, flags, sort", " AND flags & 120 = 0");
    read(&query(client, SQL, &[&viewer, &before.at, &before.rkey, &before.author, &limit, &most]).await?, edge)
}
