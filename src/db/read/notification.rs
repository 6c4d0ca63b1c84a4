//! What an account is notified of, newest first: likes, reposts and follows from their own tables, the others from `notif`; what was seen
//! of it; how much was not. Each table is read by its index of recipient and bucket of time, and only as far as a page needs.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use crate::collection::{Coll, Edge, Ref};
use crate::db::bucket::bucket_sql;
use crate::db::edge::edge;
use crate::db::{column, query, read};

/// How far ahead of this service's clock a record's key may be: hosts differ by seconds. What is dated later is shown when its time has
/// come, so that nobody stands above the newest by a lie.
const AHEAD: i64 = 60_000_000 << 10;

/// Most that is counted: no client tells more apart, and an account with a million costs as much as one with a thousand.
pub const MOST_UNREAD: i64 = 1000;

/// Why an account is notified. The first six are the table `notif`'s own, by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Why {
    Mention = 1,
    Reply = 2,
    Quote = 3,
    Joined = 4,
    Verified = 5,
    Unverified = 6,
    Like = 10,
    Repost = 11,
    Follow = 12,
    LikeViaRepost = 13,
    RepostViaRepost = 14,
}

impl Why {
    pub const ALL: [Self; 11] = [
        Self::Mention,
        Self::Reply,
        Self::Quote,
        Self::Joined,
        Self::Verified,
        Self::Unverified,
        Self::Like,
        Self::Repost,
        Self::Follow,
        Self::LikeViaRepost,
        Self::RepostViaRepost,
    ];

    #[must_use]
    pub const fn number(self) -> i16 {
        self as i16
    }

    #[must_use]
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.number() == number)
    }

    /// The collection of the records that notify so.
    #[must_use]
    pub const fn coll(self) -> Coll {
        match self {
            Self::Mention | Self::Reply | Self::Quote => Coll::POST,
            Self::Joined => Coll::PROFILE,
            Self::Verified | Self::Unverified => Coll::VERIFICATION,
            Self::Like | Self::LikeViaRepost => Coll::LIKE,
            Self::Repost | Self::RepostViaRepost => Coll::REPOST,
            Self::Follow => Coll::FOLLOW,
        }
    }
}

/// Some of the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reasons(i32);

impl Reasons {
    pub const ALL: Self = Self(i32::MAX);

    #[must_use]
    pub fn of(reasons: impl Iterator<Item = Why>) -> Self {
        Self(reasons.fold(0, |bits, why| bits | (1 << why.number())))
    }

    #[must_use]
    pub fn has(self, why: Why) -> bool {
        self.0 & (1 << why.number()) != 0
    }
}

/// A notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    pub why: Why,
    /// The record that notifies.
    pub record: Ref,
    /// When, as the value of a TID; below 0 where the record is an edge whose key is no TID.
    pub at: i64,
    /// Key of the recipient's record that it is about, where that is no edge's.
    pub about: Option<i64>,
    /// Of likes, reposts and follows.
    pub edge: Option<Edge>,
}

/// A place in the order of notifications: only what stands before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Before {
    pub at: i64,
    pub rkey: i64,
    pub author: i32,
    pub why: i16,
}

impl Before {
    /// The place of a notification.
    #[must_use]
    pub fn of(notice: &Notice) -> Self {
        Self { at: notice.at, rkey: notice.record.rkey, author: notice.record.author, why: notice.why.number() }
    }
}

/// Rows of a table that a page sorts at most: an account of millions may get more in the hour that is a bucket of its index. Those that came last
/// are taken, so that a row is only missed which came so many rows later than its time says.
const MOST_SORTED: i64 = 10_000;

/// The newest edges of a table whose recipient is $to. Own ones and those that do not count notify nobody. Inside, rows come bucket by bucket,
/// and as few as the sort outside asks for.
macro_rules! newest {
    ($why:literal, $table:literal, $to:literal, $shift:literal, $columns:literal) => {
        concat!(
            "(SELECT rkey, author, sr, sa, via, dms, flags, NULL::int8, ",
            $why,
            "::int2 FROM (SELECT ",
            $columns,
            ", ",
            bucket_sql!("rkey", $shift),
            " AS bucket FROM ",
            $table,
            "
        WHERE ($7::int4 >> ",
            $why,
            ") & 1 = 1 AND ",
            $to,
            " = $1 AND ",
            bucket_sql!("rkey", $shift),
            " <= ($2::int8 >> ",
            $shift,
            ")::int4
          AND (rkey, rkey, author, ",
            $why,
            "::int2) < ($2, $3, $4, $5) AND author <> $1 AND flags & 8 = 0
        ORDER BY ",
            $to,
            " DESC, ",
            bucket_sql!("rkey", $shift),
            " DESC LIMIT $8) e ORDER BY bucket DESC, rkey DESC, author DESC
        LIMIT $6)"
        )
    };
}

/// The newest notifications of `recipient` before a place, for the `reasons`: up to `limit` of each table, in no order between the tables.
pub async fn newest(
    client: &impl GenericClient,
    recipient: i32,
    before: Before,
    reasons: Reasons,
    limit: i64,
) -> Result<Vec<Notice>, Error> {
    const SQL: &str = concat!(
        "-- read::notification::newest
        ",
        newest!("10", "\"like\"", "sa", "42", "rkey, author, sr, sa, via, dms, flags"),
        "
        UNION ALL ",
        newest!("11", "repost", "sa", "42", "rkey, author, sr, sa, via, dms, flags"),
        "
        UNION ALL ",
        newest!("12", "follow", "subject", "46", "rkey, author, 0::int8 AS sr, subject AS sa, via, dms, flags"),
        "
        UNION ALL ",
        newest!("13", "\"like\"", "via", "42", "rkey, author, sr, sa, via, dms, flags"),
        "
        UNION ALL ",
        newest!("14", "repost", "via", "42", "rkey, author, sr, sa, via, dms, flags"),
        "
        UNION ALL (SELECT rkey, author, sr, recipient, NULL::int4, NULL::int2, 0::int2, sort, reason
        FROM (SELECT rkey, author, sr, recipient, sort, reason, ",
        bucket_sql!("coalesce(sort, rkey)", "42"),
        " AS bucket FROM notif
        WHERE $7 & 126 <> 0 AND recipient = $1 AND ",
        bucket_sql!("coalesce(sort, rkey)", "42"),
        " <= ($2::int8 >> 42)::int4 AND (coalesce(sort, rkey), rkey, author, reason) < ($2, $3, $4, $5)
        ORDER BY recipient DESC, ",
        bucket_sql!("coalesce(sort, rkey)", "42"),
        " DESC LIMIT $8) n ORDER BY bucket DESC, coalesce(sort, rkey) DESC, rkey DESC, author DESC, reason DESC
        LIMIT $6)",
    );
    let latest = Before { at: latest(), rkey: i64::MAX, author: i32::MAX, why: i16::MAX };
    let Before { at, rkey, author, why } = before.min(latest);
    let rows = query(client, SQL, &[&recipient, &at, &rkey, &author, &why, &limit, &reasons.0, &MOST_SORTED]).await?;
    Ok(read(&rows, notice)?.into_iter().flatten().collect())
}

/// Unread edges of a table, told apart by what may take them out of the count.
macro_rules! unread {
    ($table:literal, $to:literal, $shift:literal, $key:literal, $thread:literal, $where:literal) => {
        concat!(
            "(SELECT 1 FROM (SELECT author, ",
            $thread,
            " AS sr FROM ",
            $table,
            "
          WHERE ",
            $to,
            " = $1 AND ",
            bucket_sql!($key, $shift),
            " BETWEEN ($2::int8 >> ",
            $shift,
            ")::int4 AND ($3::int8 >> ",
            $shift,
            ")::int4
            AND ",
            $key,
            " BETWEEN $2 AND $3",
            $where,
            " LIMIT $4) u
        WHERE (NOT $5 OR EXISTS (SELECT FROM follow f WHERE f.author = $1 AND f.subject = u.author AND f.flags & 8 = 0))
          AND (NOT $6 OR u.sr IS NULL OR NOT EXISTS (SELECT FROM post p
            JOIN thread_mute m ON m.account = $1 AND m.sa = coalesce(p.root_a, p.parent_a, p.author)
              AND m.sr = coalesce(p.root_r, p.parent_r, p.rkey)
            WHERE p.rkey = u.sr AND p.author = $1)))"
        )
    };
}

/// How many notifications `recipient` has got `since` then (a value of a TID), at most [`MOST_UNREAD`]. `followed`: only from whom it
/// follows. `muting`: without those about its posts in threads that it mutes. Of each table no more than [`MOST_UNREAD`] rows are looked at.
pub async fn unread(client: &impl GenericClient, recipient: i32, since: i64, followed: bool, muting: bool) -> Result<i64, Error> {
    const SQL: &str = concat!(
        "-- read::notification::unread
        SELECT count(*) FROM (
        ",
        unread!("notif", "recipient", "42", "coalesce(sort, rkey)", "CASE WHEN reason IN (2, 3) THEN sr END", ""),
        "
        UNION ALL ",
        unread!("follow", "subject", "46", "rkey", "NULL::int8", " AND author <> $1 AND flags & 8 = 0"),
        "
        UNION ALL ",
        unread!("repost", "sa", "42", "rkey", "CASE WHEN flags & 112 = 0 THEN sr END", " AND author <> $1 AND flags & 8 = 0"),
        "
        UNION ALL ",
        unread!("\"like\"", "sa", "42", "rkey", "CASE WHEN flags & 112 = 0 THEN sr END", " AND author <> $1 AND flags & 8 = 0"),
        "
        UNION ALL ",
        unread!("repost", "via", "42", "rkey", "NULL::int8", " AND author <> $1 AND flags & 8 = 0"),
        "
        UNION ALL ",
        unread!("\"like\"", "via", "42", "rkey", "NULL::int8", " AND author <> $1 AND flags & 8 = 0"),
        "
        LIMIT $4) n",
    );
    let rows = query(client, SQL, &[&recipient, &since, &latest(), &MOST_UNREAD, &followed, &muting]).await?;
    rows.first().map_or(Ok(0), |row| row.try_get(0))
}

/// Up to when an account has seen its notifications (microseconds since 1970), and whether it mutes threads.
pub async fn seen(client: &impl GenericClient, account: i32) -> Result<(Option<i64>, bool), Error> {
    const SQL: &str = "-- read::notification::seen
        SELECT (SELECT time FROM seen WHERE account = $1), EXISTS (SELECT FROM thread_mute WHERE account = $1)";
    let rows = query(client, SQL, &[&account]).await?;
    rows.first().map_or(Ok((None, false)), |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

/// Those of these posts that are held, each with the first post of its thread.
pub async fn threads(client: &impl GenericClient, posts: &[Ref]) -> Result<Vec<(Ref, Ref)>, Error> {
    const SQL: &str = "-- read::notification::threads
        SELECT p.rkey, p.author, coalesce(p.root_r, p.parent_r, p.rkey), coalesce(p.root_a, p.parent_a, p.author)
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN post p ON p.rkey = k.rkey AND p.author = k.author";
    let rows = query(client, SQL, &[&column(posts, |p| p.author), &column(posts, |p| p.rkey)]).await?;
    let place = |row: &Row, at: usize| Ok::<_, Error>(Ref { rkey: row.try_get(at)?, author: row.try_get(at + 1)? });
    read(&rows, |row| Ok((place(row, 0)?, place(row, 2)?)))
}

/// The newest time that is shown, as the value of a TID.
fn latest() -> i64 {
    super::now().saturating_add(AHEAD)
}

/// `None`: a reason that this version does not know.
fn notice(row: &Row) -> Result<Option<Notice>, Error> {
    let Some(why) = Why::from_number(row.try_get(8)?) else { return Ok(None) };
    let record = Ref { rkey: row.try_get(0)?, author: row.try_get(1)? };
    Ok(Some(match why {
        Why::Mention | Why::Reply | Why::Quote | Why::Joined | Why::Verified | Why::Unverified => {
            let sort: Option<i64> = row.try_get(7)?;
            Notice { why, record, at: sort.unwrap_or(record.rkey), about: row.try_get(2)?, edge: None }
        }
        Why::Like | Why::Repost | Why::Follow | Why::LikeViaRepost | Why::RepostViaRepost => {
            Notice { why, record, at: record.rkey, about: None, edge: Some(edge(row)?) }
        }
    }))
}
