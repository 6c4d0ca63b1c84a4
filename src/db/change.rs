//! What was changed lately, for those who remember rows. Written by triggers (`migrations/`), read by who wants to know what to forget.

use std::time::SystemTime;

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{execute, query};

/// Something that was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Changed {
    pub author: i32,
    /// Number of the collection; 0: the account itself.
    pub coll: i16,
    pub rkey: i64,
}

/// How far the changes of a server were seen: which transactions had ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Start of the server: its transactions mean nothing on another.
    server: SystemTime,
    snapshot: String,
}

impl Mark {
    /// When the server was started on which it was made.
    #[must_use]
    pub fn server(&self) -> SystemTime {
        self.server
    }
}

/// What is changed from here on can be asked for with the mark.
pub async fn mark(client: &impl GenericClient) -> Result<Mark, Error> {
    const SQL: &str = "-- change::mark
        SELECT pg_postmaster_start_time(), pg_current_snapshot()::text";
    let statement = client.prepare_cached(SQL).await?;
    read_mark(&client.query_one(&statement, &[]).await?)
}

/// What was changed by transactions that ended after `mark`, up to `limit` of it, and how far that goes.
pub async fn since(client: &impl GenericClient, mark: &Mark, limit: i64) -> Result<(Vec<Changed>, Mark), Error> {
    const SQL: &str = "-- change::since
        SELECT pg_postmaster_start_time(), pg_current_snapshot()::text, c.author, c.coll, c.rkey
        FROM (SELECT) AS always LEFT JOIN LATERAL (
          SELECT author, coll, rkey FROM change
          WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
          LIMIT $2
        ) c ON true";
    let rows = query(client, SQL, &[&mark.snapshot, &limit]).await?;
    let (mut changed, mut now) = (Vec::new(), mark.clone());
    for row in &rows {
        now = read_mark(row)?;
        if let Some(author) = row.try_get(2)? {
            changed.push(Changed { author, coll: row.try_get(3)?, rkey: row.try_get(4)? });
        }
    }
    Ok((changed, now))
}

/// Removes what was changed before `mark`, where it is of this server.
pub async fn forget(client: &impl GenericClient, mark: &Mark) -> Result<u64, Error> {
    const SQL: &str = "-- change::forget
        DELETE FROM change WHERE xid < pg_snapshot_xmin($1::text::pg_snapshot) AND pg_postmaster_start_time() = $2";
    execute(client, SQL, &[&mark.snapshot, &mark.server]).await
}

fn read_mark(row: &Row) -> Result<Mark, Error> {
    Ok(Mark { server: row.try_get(0)?, snapshot: row.try_get(1)? })
}
