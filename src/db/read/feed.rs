//! An author's posts and reposts, newest first.
//!
//! The index orders by author and bucket of time; inside a bucket PostgreSQL sorts incrementally. That needs the lead column and the bucket
//! in ORDER BY, though the author is one: else the whole range is sorted.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::collection::Edge;
use crate::db::bucket::bucket_sql;
use crate::db::edge::edge;
use crate::db::{query, read};

/// A place in the order of a page: only what stands before it (older, or of the same time with a smaller key or author) is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Before {
    /// What the page is ordered by: a key, or coalesce(sort, rkey).
    pub at: i64,
    pub rkey: i64,
    pub author: i32,
}

/// Which posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Of the bits of `flags` in `mask` ...
    pub mask: i16,
    /// ... exactly these are set.
    pub flags: i16,
    /// Of replies only those in threads that the author began.
    pub own_threads: bool,
}

/// A post as it stands in a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    pub rkey: i64,
    pub author: i32,
    /// coalesce(sort, rkey)
    pub at: i64,
}

/// The newest `limit` posts of `author` that are `wanted`.
pub async fn posts(client: &impl GenericClient, author: i32, before: Before, wanted: Wanted, limit: i64) -> Result<Vec<Posted>, Error> {
    const SQL: &str = concat!(
        "-- read::feed::posts
        SELECT rkey, coalesce(sort, rkey) FROM post
        WHERE author = $1 AND ",
        bucket_sql!("coalesce(sort, rkey)", 46),
        " <= ($2::int8 >> 46)::int4 AND (coalesce(sort, rkey), rkey, author) < ($2, $3, $8)
          AND flags & $4 = $5 AND (NOT $6 OR flags & 1 = 0 OR coalesce(root_a, parent_a) = author)
        ORDER BY author DESC, ",
        bucket_sql!("coalesce(sort, rkey)", 46),
        " DESC, coalesce(sort, rkey) DESC, rkey DESC
        LIMIT $7",
    );
    let Wanted { mask, flags, own_threads } = wanted;
    let rows = query(client, SQL, &[&author, &before.at, &before.rkey, &mask, &flags, &own_threads, &limit, &before.author]).await?;
    read(&rows, |row| Ok(Posted { rkey: row.try_get(0)?, author, at: row.try_get(1)? }))
}

/// The newest `limit` reposts of posts by `author`; of several of one post the one that counts.
pub async fn reposts(client: &impl GenericClient, author: i32, before: Before, limit: i64) -> Result<Vec<Edge>, Error> {
    const SQL: &str = concat!(
        "-- read::feed::reposts
        SELECT rkey, author, sr, sa, via, dms, flags, sort FROM repost
        WHERE author = $1 AND ",
        bucket_sql!("coalesce(sort, rkey)", 46),
        " <= ($2::int8 >> 46)::int4 AND (coalesce(sort, rkey), rkey, author) < ($2, $3, $5)
          AND flags & 120 = 0
        ORDER BY author DESC, ",
        bucket_sql!("coalesce(sort, rkey)", 46),
        " DESC, coalesce(sort, rkey) DESC, rkey DESC
        LIMIT $4",
    );
    read(&query(client, SQL, &[&author, &before.at, &before.rkey, &limit, &before.author]).await?, edge)
}
