//! What was changed lately, for those who remember rows. Written by triggers (`migrations/`), read by who wants to know what to forget.

use std::time::SystemTime;

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::record::Path;
use super::{execute, query};
use crate::collection::{Coll, Ref};

/// In place of a collection: all that was changed before this row's transaction has been removed.
const FORGOTTEN: i16 = -1;

/// Changes that are told at once at most, 24 bytes each.
const MOST: usize = 500_000;

/// Something that was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Changed {
    /// The account itself.
    Account(i32),
    /// A record, or what is derived from it.
    Record(Path),
    /// The counts of a record, by the hash of its place (`bucket::h31`).
    Counts(i32),
    /// The counts of an account.
    AccountCounts(i32),
    /// Whom an account follows, or who follows it.
    Follows(i32),
    /// What an account blocks.
    Blocks(i32),
}

impl Changed {
    /// One of a row that tells of many; `None` for kinds that later versions tell of, and whose rows this one does not remember.
    fn of_many(kind: i16, key: i32) -> Option<Self> {
        match kind {
            -2 => Some(Self::Counts(key)),
            -3 => Some(Self::AccountCounts(key)),
            -4 => Some(Self::Follows(key)),
            -5 => Some(Self::Blocks(key)),
            _ => None,
        }
    }
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

/// What was changed by transactions that ended after `mark`, and how far that goes; `None`: nobody knows any more, another server was asked,
/// or it is more than `limit` rows hold, or than half a million.
pub async fn since(client: &impl GenericClient, mark: &Mark, limit: i64) -> Result<(Option<Vec<Changed>>, Mark), Error> {
    const SQL: &str = concat!(
        "-- change::since
        SELECT ",
        now!(),
        ", c.author, c.coll, c.rkey, c.keys
        FROM (SELECT) AS always LEFT JOIN LATERAL (
          SELECT author, coll, rkey, keys FROM change
          WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND CASE coll
            WHEN -1 THEN xid > pg_snapshot_xmin($1::text::pg_snapshot)
            ELSE NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot) END
          LIMIT $2
        ) c ON true",
    );
    let rows = query(client, SQL, &[&mark.snapshot, &limit]).await?;
    let (mut changed, mut now) = (Vec::new(), mark.clone());
    let (mut forgotten, mut read) = (false, 0);
    for row in &rows {
        now = read_mark(row)?;
        read += 1;
        let Some(author) = row.try_get(2)? else { continue };
        let (coll, keys): (i16, Option<Vec<i32>>) = (row.try_get(3)?, row.try_get(5)?);
        match (coll, keys) {
            (FORGOTTEN, _) => forgotten = true,
            _ if changed.len() > MOST => break,
            (kind, Some(keys)) => changed.extend(keys.into_iter().filter_map(|key| Changed::of_many(kind, key))),
            (0, None) => changed.push(Changed::Account(author)),
            (coll, None) => {
                let at = Ref { rkey: row.try_get(4)?, author };
                changed.push(Changed::Record(Path { coll: Coll::from_number(coll), at }));
            }
        }
    }
    let is_whole = now.server == mark.server && !forgotten && read < limit && changed.len() <= MOST;
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
