//! Threads: the posts above and below one, and what the author of the thread's first post wrote in it.
//!
//! Whatever a thread holds, a statement touches a bounded number of rows: the limits are of rows that are looked at, before any is left out.
//! Inside a bucket of an index PostgreSQL sorts incrementally, which needs the lead column and the bucket in ORDER BY.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use crate::collection::{Post, Ref};
use crate::db::bucket::{bucket_sql, h31_sql};
use crate::db::post::post;
use crate::db::{query, read};

/// The post at `anchor` and those that it answers, the nearest first, as far as they are held and up to `height` of them.
pub async fn above(client: &impl GenericClient, anchor: Ref, height: i32) -> Result<Vec<Post>, Error> {
    const SQL: &str = "-- read::thread::above
        WITH RECURSIVE up AS (
          SELECT p.rkey, p.author, p.flags, p.parent_r, p.parent_a, p.root_r, p.root_a, p.quote_r, p.quote_a, p.sort, 0 AS height
          FROM post p WHERE p.rkey = $1 AND p.author = $2
          UNION ALL
          SELECT p.rkey, p.author, p.flags, p.parent_r, p.parent_a, p.root_r, p.root_a, p.quote_r, p.quote_a, p.sort, up.height + 1
          FROM up JOIN post p ON p.rkey = up.parent_r AND p.author = up.parent_a
          WHERE up.height < $3)
        SELECT * FROM up";
    let rows = query(client, SQL, &[&anchor.rkey, &anchor.author, &height]).await?;
    let mut posts = read(&rows, |row| Ok((row.try_get::<_, i32>(10)?, post(row)?)))?;
    posts.sort_by_key(|(height, _)| *height);
    Ok(posts.into_iter().map(|(_, post)| post).collect())
}

/// How many rows a thread may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Levels below the anchor.
    pub depth: i32,
    /// Replies to the anchor.
    pub direct: i64,
    /// Replies to each of the others.
    pub nested: i64,
    /// All of them together, the nearest levels first.
    pub total: i64,
}

/// A statement on what stands below a post: of each post the newest or the oldest replies.
macro_rules! below {
    ($name:literal, $order:literal) => {
        concat!(
            "-- read::thread::",
            $name,
            "
        WITH RECURSIVE down AS (
          SELECT rkey, author, parent_r, parent_a, 0 AS depth,
            coalesce(root_r, parent_r, rkey) AS thread_r, coalesce(root_a, parent_a, author) AS thread_a
          FROM post WHERE rkey = $1 AND author = $2 AND flags & 16 = 0
          UNION ALL
          SELECT c.rkey, c.author, d.rkey, d.author, d.depth + 1, d.thread_r, d.thread_a
          FROM down d CROSS JOIN LATERAL (
            SELECT rkey, author, flags, coalesce(root_r, parent_r) AS thread_r, coalesce(root_a, parent_a) AS thread_a FROM post
            WHERE parent_r IS NOT NULL AND ",
            h31_sql!("parent_r", "parent_a"),
            " = ",
            h31_sql!("d.rkey", "d.author"),
            " AND parent_r = d.rkey AND parent_a = d.author
            ORDER BY ",
            h31_sql!("parent_r", "parent_a"),
            " ",
            $order,
            ", ",
            bucket_sql!("rkey", 39),
            " ",
            $order,
            ", rkey ",
            $order,
            ", author ",
            $order,
            "
            LIMIT CASE d.depth WHEN 0 THEN $4::int8 ELSE $5::int8 END) c
          WHERE d.depth < $3 AND c.flags & 16 = 0 AND c.thread_r = d.thread_r AND c.thread_a = d.thread_a)
        SELECT rkey, author, parent_r, parent_a FROM down OFFSET 1 LIMIT $6"
        )
    };
}

/// A reply and the post that it answers.
pub type Reply = (Ref, Ref);

/// The replies below `anchor` that belong to its thread and do not violate its gate, level by level; of each post the newest. PostgreSQL
/// makes no more rows of a recursion than are asked for, one level after the other.
pub async fn newest_below(client: &impl GenericClient, anchor: Ref, bounds: Bounds) -> Result<Vec<Reply>, Error> {
    below(client, below!("newest_below", "DESC"), anchor, bounds).await
}

/// As [`newest_below`], of each post the oldest replies.
pub async fn oldest_below(client: &impl GenericClient, anchor: Ref, bounds: Bounds) -> Result<Vec<Reply>, Error> {
    below(client, below!("oldest_below", "ASC"), anchor, bounds).await
}

async fn below(client: &impl GenericClient, sql: &str, anchor: Ref, bounds: Bounds) -> Result<Vec<Reply>, Error> {
    let Bounds { depth, direct, nested, total } = bounds;
    read(&query(client, sql, &[&anchor.rkey, &anchor.author, &depth, &direct, &nested, &total]).await?, reply)
}

/// Of the oldest `limit` direct replies and the oldest `limit` others in the thread of the post at `anchor`: those by the author of the
/// thread's first post.
pub async fn own(client: &impl GenericClient, anchor: Ref, limit: i64) -> Result<Vec<Reply>, Error> {
    const SQL: &str = concat!(
        "-- read::thread::own
        WITH first AS (
          SELECT coalesce(root_r, parent_r, rkey) AS rkey, coalesce(root_a, parent_a, author) AS author
          FROM post WHERE rkey = $1 AND author = $2)
        SELECT c.rkey, c.author, c.parent_r, c.parent_a
        FROM first f CROSS JOIN LATERAL (
          (SELECT rkey, author, parent_r, parent_a, root_r IS NULL AS belongs FROM post
           WHERE parent_r IS NOT NULL AND ",
        h31_sql!("parent_r", "parent_a"),
        " = ",
        h31_sql!("f.rkey", "f.author"),
        " AND parent_r = f.rkey AND parent_a = f.author
           ORDER BY ",
        h31_sql!("parent_r", "parent_a"),
        ", ",
        bucket_sql!("rkey", 39),
        ", rkey, author LIMIT $3)
          UNION ALL
          (SELECT rkey, author, parent_r, parent_a, true FROM post
           WHERE root_r IS NOT NULL AND ",
        h31_sql!("root_r", "root_a"),
        " = ",
        h31_sql!("f.rkey", "f.author"),
        " AND root_r = f.rkey AND root_a = f.author
           ORDER BY ",
        h31_sql!("root_r", "root_a"),
        ", ",
        bucket_sql!("rkey", 39),
        ", rkey, author LIMIT $3)) c
        WHERE c.author = f.author AND c.belongs AND c.parent_r IS NOT NULL",
    );
    read(&query(client, SQL, &[&anchor.rkey, &anchor.author, &limit]).await?, reply)
}

fn reply(row: &Row) -> Result<Reply, Error> {
    let at = |at: usize| -> Result<Ref, Error> { Ok(Ref { rkey: row.try_get(at)?, author: row.try_get(at + 1)? }) };
    Ok((at(0)?, at(2)?))
}
