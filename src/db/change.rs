//! What was changed lately, for those who remember rows. Written by triggers (`migrations/`), read by who wants to know what to forget.

use std::time::SystemTime;

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{execute, query};

/// In place of a collection: all that was changed before this row's transaction has been removed.
const FORGOTTEN: i16 = -1;

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

/// The mark of now. A replica's snapshots do not say which transactions are under way: there all are taken to be that might.
macro_rules! now {
    () => {
        "pg_postmaster_start_time(), CASE WHEN pg_is_in_recovery()
          THEN concat_ws(':', pg_snapshot_xmin(pg_current_snapshot()), pg_snapshot_xmin(pg_current_snapshot()), '')
          ELSE pg_current_snapshot()::text END"
    };
}

/// What is changed from here on can be asked for with the mark.
pub async fn mark(client: &impl GenericClient) -> Result<Mark, Error> {
    const SQL: &str = concat!("-- change::mark\n        SELECT ", now!());
    let statement = client.prepare_cached(SQL).await?;
    read_mark(&client.query_one(&statement, &[]).await?)
}

/// What was changed by transactions that ended after `mark`, up to `limit` of it, and how far that goes; `None`: nobody knows any more, or
/// another server was asked.
pub async fn since(client: &impl GenericClient, mark: &Mark, limit: i64) -> Result<(Option<Vec<Changed>>, Mark), Error> {
    const SQL: &str = concat!(
        "-- change::since
        SELECT ",
        now!(),
        ", c.author, c.coll, c.rkey
        FROM (SELECT) AS always LEFT JOIN LATERAL (
          SELECT author, coll, rkey FROM change
          WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND CASE coll
            WHEN -1 THEN xid > pg_snapshot_xmin($1::text::pg_snapshot)
            ELSE NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot) END
          LIMIT $2
        ) c ON true",
    );
    let rows = query(client, SQL, &[&mark.snapshot, &limit]).await?;
    let (mut changed, mut now) = (Vec::new(), mark.clone());
    for row in &rows {
        now = read_mark(row)?;
        if let Some(author) = row.try_get(2)? {
            changed.push(Changed { author, coll: row.try_get(3)?, rkey: row.try_get(4)? });
        }
    }
    let is_whole = now.server == mark.server && changed.iter().all(|changed| changed.coll != FORGOTTEN);
    Ok((Some(changed).filter(|_| is_whole), now))
}

/// Removes what was changed before `mark`, where it is of this server, and leaves a row that says so.
pub async fn forget(client: &impl GenericClient, mark: &Mark) -> Result<u64, Error> {
    const SQL: &str = "-- change::forget
        WITH upto AS (SELECT pg_snapshot_xmin($1::text::pg_snapshot) AS xid WHERE pg_postmaster_start_time() = $2),
          gone AS (DELETE FROM change c USING upto WHERE c.xid < upto.xid)
        INSERT INTO change (xid, author, coll)
        SELECT upto.xid, 0, -1 FROM upto WHERE NOT EXISTS (SELECT FROM change c WHERE c.xid = upto.xid AND c.coll = -1)";
    execute(client, SQL, &[&mark.snapshot, &mark.server]).await
}

fn read_mark(row: &Row) -> Result<Mark, Error> {
    Ok(Mark { server: row.try_get(0)?, snapshot: row.try_get(1)? })
}
