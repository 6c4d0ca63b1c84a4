//! An author's posts and reposts, newest first: those whose time is that of their key, in the order of keys, and the few others beside them.
//!
//! The author stands in ORDER BY, though it is one: else the planner takes an index on something else for the order.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use crate::collection::Edge;
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

/// The newest `$5` rows of a table by an author (`$1`) before ($2, $3, $4), of which more may be asked.
macro_rules! newest {
    ($table:literal, $columns:literal, $which:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM (
          (SELECT ",
            $columns,
            ", rkey AS at FROM ",
            $table,
            "
           WHERE author = $1 AND rkey <= $2 AND (rkey, rkey, author) < ($2, $3, $4) AND sort IS NULL",
            $which,
            "
           ORDER BY author DESC, rkey DESC LIMIT $5)
          UNION ALL
          (SELECT ",
            $columns,
            ", coalesce(sort, rkey) FROM ",
            $table,
            "
           WHERE author = $1 AND coalesce(sort, rkey) <= $2 AND (coalesce(sort, rkey), rkey, author) < ($2, $3, $4) AND sort IS NOT NULL",
            $which,
            "
           ORDER BY author DESC, coalesce(sort, rkey) DESC, rkey DESC LIMIT $5)) n
        ORDER BY at DESC, rkey DESC LIMIT $5"
        )
    };
}

/// The newest `limit` posts of `author` that are `wanted`.
pub async fn posts(client: &impl GenericClient, author: i32, before: Before, wanted: Wanted, limit: i64) -> Result<Vec<Posted>, Error> {
    const ALL: &str = concat!("-- read::feed::posts\n        ", newest!("post", "rkey, sort", ""));
    const FLAGGED: &str = concat!("-- read::feed::flagged_posts\n        ", newest!("post", "rkey, sort", " AND flags & $6 = $7"));
    const OWN_THREADS: &str = concat!(
        "-- read::feed::posts_of_own_threads\n        ",
        newest!("post", "rkey, sort", " AND flags & $6 = $7 AND (flags & 1 = 0 OR coalesce(root_a, parent_a) = author)")
    );
    let Wanted { mask, flags, own_threads } = wanted;
    let place: [&(dyn ToSql + Sync); 7] = [&author, &before.at, &before.rkey, &before.author, &limit, &mask, &flags];
    let rows = match (own_threads, mask) {
        (true, _) => query(client, OWN_THREADS, &place).await?,
        (false, 0) => query(client, ALL, &place[..5]).await?,
        (false, _) => query(client, FLAGGED, &place).await?,
    };
    read(&rows, |row| {
        let (rkey, sort): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        Ok(Posted { rkey, author, at: sort.unwrap_or(rkey) })
    })
}

/// The newest `limit` reposts of posts by `author`; of several of one post the one that counts.
pub async fn reposts(client: &impl GenericClient, author: i32, before: Before, limit: i64) -> Result<Vec<Edge>, Error> {
    const SQL: &str = concat!(
        "-- read::feed::reposts\n        ",
        newest!("repost", "rkey, author, sr, sa, via, dms, flags, sort", " AND flags & 120 = 0")
    );
    read(&query(client, SQL, &[&author, &before.at, &before.rkey, &before.author, &limit]).await?, edge)
}
