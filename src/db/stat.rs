//! Counts: one row a subject and kind, one an account; NULL for 0. Changed once a batch, under the apply lock.

use std::collections::HashSet;

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::bucket::{h31, h31_sql};
use super::{column, execute, query, read};
use crate::atproto::Cid;

/// A record that is liked, reposted, replied to or quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    pub sr: i64,
    pub sa: i32,
    /// Number of its `collection::SubjectKind`.
    pub kind: i16,
}

/// The counts of a subject.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PostStat {
    pub likes: i32,
    pub reposts: i32,
    pub replies: i32,
    pub quotes: i32,
    /// The subject's CID as the first edge named it.
    pub cid: Option<Cid>,
}

/// Changes of an account's counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActorDelta {
    pub account: i32,
    pub followers: i32,
    pub follows: i32,
    pub posts: i32,
}

/// The counts of those subjects that have a row.
pub async fn of(client: &impl GenericClient, subjects: &[Subject]) -> Result<Vec<(Subject, PostStat)>, Error> {
    let wanted: HashSet<&Subject> = subjects.iter().collect();
    let stats = under(client, &column(subjects, |s| h31(s.sr, s.sa))).await?;
    Ok(stats.into_iter().filter(|(subject, _)| wanted.contains(subject)).collect())
}

/// The counts of all subjects whose places have these hashes: as a rule one each, or none.
pub async fn under(client: &impl GenericClient, hashes: &[i32]) -> Result<Vec<(Subject, PostStat)>, Error> {
    const SQL: &str = concat!(
        "-- stat::under
        SELECT sr, sa, kind, likes, reposts, replies, quotes, cid FROM post_stat
        WHERE ",
        h31_sql!("sr", "sa"),
        " = ANY($1::int4[])",
    );
    read(&query(client, SQL, &[&hashes]).await?, stat)
}

/// Adds rows for subjects that have none.
pub async fn insert(client: &impl GenericClient, stats: &[(Subject, PostStat)]) -> Result<u64, Error> {
    const SQL: &str = "-- stat::insert
        INSERT INTO post_stat (sr, sa, kind, likes, reposts, replies, quotes, cid)
        SELECT * FROM UNNEST($1::int8[], $2::int4[], $3::int2[], $4::int4[], $5::int4[], $6::int4[], $7::int4[], $8::bytea[])";
    write(client, SQL, stats).await
}

/// Sets the rows of subjects that have one.
pub async fn update(client: &impl GenericClient, stats: &[(Subject, PostStat)]) -> Result<u64, Error> {
    const SQL: &str = concat!(
        "-- stat::update
        UPDATE post_stat s SET likes = n.likes, reposts = n.reposts, replies = n.replies, quotes = n.quotes, cid = n.cid
        FROM UNNEST($1::int8[], $2::int4[], $3::int2[], $4::int4[], $5::int4[], $6::int4[], $7::int4[], $8::bytea[])
          AS n (sr, sa, kind, likes, reposts, replies, quotes, cid)
        WHERE s.sr = n.sr AND s.sa = n.sa AND s.kind = n.kind AND ",
        h31_sql!("s.sr", "s.sa"),
        " = ",
        h31_sql!("n.sr", "n.sa"),
    );
    write(client, SQL, stats).await
}

/// Adds to the counts of accounts.
pub async fn add_to_actors(client: &impl GenericClient, deltas: &[ActorDelta]) -> Result<u64, Error> {
    const SQL: &str = "-- stat::add_to_actors
        INSERT INTO actor_stat AS a (account, followers, follows, posts)
        SELECT account, nullif(followers, 0), nullif(follows, 0), nullif(posts, 0)
        FROM UNNEST($1::int4[], $2::int4[], $3::int4[], $4::int4[]) AS d (account, followers, follows, posts)
        ON CONFLICT (account) DO UPDATE SET
          followers = nullif(coalesce(a.followers, 0) + coalesce(excluded.followers, 0), 0),
          follows = nullif(coalesce(a.follows, 0) + coalesce(excluded.follows, 0), 0),
          posts = nullif(coalesce(a.posts, 0) + coalesce(excluded.posts, 0), 0)";
    let (accounts, followers) = (column(deltas, |d| d.account), column(deltas, |d| d.followers));
    execute(client, SQL, &[&accounts, &followers, &column(deltas, |d| d.follows), &column(deltas, |d| d.posts)]).await
}

async fn write(client: &impl GenericClient, sql: &str, stats: &[(Subject, PostStat)]) -> Result<u64, Error> {
    let (sr, sa, kind) = (column(stats, |s| s.0.sr), column(stats, |s| s.0.sa), column(stats, |s| s.0.kind));
    let count = |of: fn(&PostStat) -> i32| column(stats, |s| Some(of(&s.1)).filter(|n| *n != 0));
    let (likes, reposts, replies, quotes) = (count(|s| s.likes), count(|s| s.reposts), count(|s| s.replies), count(|s| s.quotes));
    let cids = column(stats, |s| s.1.cid.as_ref().map(|cid| cid.as_bytes().as_slice()));
    execute(client, sql, &[&sr, &sa, &kind, &likes, &reposts, &replies, &quotes, &cids]).await
}

fn stat(row: &Row) -> Result<(Subject, PostStat), Error> {
    let count = |at: usize| row.try_get::<_, Option<i32>>(at).map(Option::unwrap_or_default);
    let cid: Option<&[u8]> = row.try_get(7)?;
    Ok((
        Subject { sr: row.try_get(0)?, sa: row.try_get(1)?, kind: row.try_get(2)? },
        PostStat {
            likes: count(3)?,
            reposts: count(4)?,
            replies: count(5)?,
            quotes: count(6)?,
            cid: cid.and_then(|cid| Cid::from_bytes(cid).ok()),
        },
    ))
}
