//! What an account and those whom it follows posted and reposted, newest first. Of each only the newest are looked at, in the index of its
//! author and nowhere else; the few whose time is not that of their key stand in an index beside it.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::feed::{Before, Posted};
use crate::collection::Edge;
use crate::db::edge::edge;
use crate::db::{query, read};

/// The places of the newest `$6` rows of a table by the viewer (`$1`) and those whom it follows, before ($2, $3, $4) and not before `$5`.
macro_rules! newest {
    ($table:literal, $which:literal) => {
        concat!(
            "SELECT p.rkey, p.author, p.at
        FROM (SELECT subject AS id FROM follow WHERE author = $1 AND flags & 8 = 0 UNION ALL SELECT $1) f
        CROSS JOIN LATERAL (
          (SELECT rkey, author, rkey AS at FROM ",
            $table,
            "
           WHERE author = f.id AND rkey BETWEEN $5 AND $2 AND (rkey, rkey, author) < ($2, $3, $4) AND sort IS NULL",
            $which,
            "
           ORDER BY author DESC, rkey DESC LIMIT $6)
          UNION ALL
          (SELECT rkey, author, coalesce(sort, rkey) AS at FROM ",
            $table,
            "
           WHERE author = f.id AND coalesce(sort, rkey) BETWEEN $5 AND $2 AND (coalesce(sort, rkey), rkey, author) < ($2, $3, $4)
             AND sort IS NOT NULL",
            $which,
            "
           ORDER BY author DESC, coalesce(sort, rkey) DESC, rkey DESC LIMIT $6)) p
        ORDER BY p.at DESC, p.rkey DESC, p.author DESC
        LIMIT $6"
        )
    };
}

/// The newest `limit` posts before `before` and not before `oldest`.
pub async fn posts(client: &impl GenericClient, viewer: i32, before: Before, oldest: i64, limit: i64) -> Result<Vec<Posted>, Error> {
    const SQL: &str = concat!("-- read::timeline::posts\n        ", newest!("post", ""));
    let rows = query(client, SQL, &[&viewer, &before.at, &before.rkey, &before.author, &oldest, &limit]).await?;
    read(&rows, |row| Ok(Posted { rkey: row.try_get(0)?, author: row.try_get(1)?, at: row.try_get(2)? }))
}

/// The newest `limit` reposts of posts before `before` and not before `oldest`.
pub async fn reposts(client: &impl GenericClient, viewer: i32, before: Before, oldest: i64, limit: i64) -> Result<Vec<Edge>, Error> {
    const SQL: &str = concat!(
        "-- read::timeline::reposts
        SELECT r.rkey, r.author, r.sr, r.sa, r.via, r.dms, r.flags, r.sort FROM (
        ",
        newest!("repost", " AND flags & 120 = 0"),
        ") k JOIN repost r ON r.author = k.author AND r.rkey = k.rkey",
    );
    read(&query(client, SQL, &[&viewer, &before.at, &before.rkey, &before.author, &oldest, &limit]).await?, edge)
}
