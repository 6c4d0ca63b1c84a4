//! An author's posts and reposts, newest first: those whose time is that of their key, in the order of keys, and the few others beside them.
//!
//! The author stands in ORDER BY, though it is one: else the planner takes an index on something else for the order.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;

use crate::collection::Edge;
use crate::db::edge::edge;
use crate::db::query;

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

/// The newest `$5` rows of a table by an author (`$1`) before ($2, $3, `$place`), of which more may be asked. `$columns` are read, `$shown` of
/// them told.
macro_rules! newest {
    ($table:literal, $columns:literal, $shown:literal, $place:literal, $which:literal) => {
        concat!(
            "SELECT ",
            $shown,
            " FROM (
          (SELECT ",
            $columns,
            ", rkey AS at FROM ",
            $table,
            "
           WHERE author = $1 AND rkey <= $2 AND (rkey, rkey, author) < ($2, $3, ",
            $place,
            ") AND sort IS NULL",
            $which,
            "
           ORDER BY author DESC, rkey DESC LIMIT $5)
          UNION ALL
          (SELECT ",
            $columns,
            ", coalesce(sort, rkey) FROM ",
            $table,
            "
           WHERE author = $1 AND coalesce(sort, rkey) <= $2 AND (coalesce(sort, rkey), rkey, author) < ($2, $3, ",
            $place,
            ") AND sort IS NOT NULL",
            $which,
            "
           ORDER BY author DESC, coalesce(sort, rkey) DESC, rkey DESC LIMIT $5)) n
        ORDER BY at DESC, rkey DESC LIMIT $5"
        )
    };
}

/// Posts (`$4`: before which author) that fulfil `$which`.
macro_rules! posts {
    ($which:literal) => {
        newest!("post", "rkey, sort", "rkey, $1::int4, NULL::int8, NULL::int4, NULL::int4, NULL::int2, 0::int2, sort", "$4", $which)
    };
}

/// Posts that fulfil `$which`, and reposts (`$6`: before which author).
macro_rules! posts_and_reposts {
    ($name:literal, $which:literal) => {
        concat!(
            "-- read::feed::",
            $name,
            "\n        (",
            posts!($which),
            ")\n        UNION ALL\n        (",
            newest!(
                "repost",
                "rkey, author, sr, sa, via, dms, flags, sort",
                "rkey, author, sr, sa, via, dms, flags, sort",
                "$6",
                " AND flags & 120 = 0"
            ),
            ")"
        )
    };
}

/// The newest `limit` posts of `author` that are `wanted` before a place, and its newest `limit` reposts of posts (of several of one post the
/// one that counts) before another; `None`: none of them.
pub async fn items(
    client: &impl GenericClient,
    author: i32,
    (before, reposts): (Before, Option<Before>),
    wanted: Wanted,
    limit: i64,
) -> Result<(Vec<Posted>, Vec<Edge>), Error> {
    const ALL: &str = posts_and_reposts!("all", "");
    const FLAGGED: &str = posts_and_reposts!("flagged", " AND flags & $7 = $8");
    const OWN_THREADS: &str =
        posts_and_reposts!("own_threads", " AND flags & $7 = $8 AND (flags & 1 = 0 OR coalesce(root_a, parent_a) = author)");
    const POSTS: &str = concat!("-- read::feed::posts\n        ", posts!(" AND flags & $6 = $7"));
    let Wanted { mask, flags, own_threads } = wanted;
    let of_reposts = reposts.map_or(before.author, |reposts| reposts.author);
    let place: [&(dyn ToSql + Sync); 8] = [&author, &before.at, &before.rkey, &before.author, &limit, &of_reposts, &mask, &flags];
    let rows = match (reposts, own_threads, mask) {
        (None, ..) => query(client, POSTS, &[place[0], place[1], place[2], place[3], place[4], &mask, &flags]).await?,
        (_, true, _) => query(client, OWN_THREADS, &place).await?,
        (_, _, 0) => query(client, ALL, &place[..6]).await?,
        _ => query(client, FLAGGED, &place).await?,
    };
    let (mut posts, mut reposts) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in &rows {
        if row.try_get::<_, Option<i64>>(2)?.is_some() {
            reposts.push(edge(row)?);
        } else {
            let (rkey, sort): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(7)?);
            posts.push(Posted { rkey, author, at: sort.unwrap_or(rkey) });
        }
    }
    Ok((posts, reposts))
}
