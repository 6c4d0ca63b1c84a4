//! What accounts have made of each other: follows and blocks of ordered pairs, blocks also by list.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use crate::collection::{Coll, Ref};
use crate::db::{column, query, read};

/// An account, and another one that it may have made something of.
pub type Pair = (i32, i32);

/// Whom this account follows, up to `most`, each once.
pub async fn followed(client: &impl GenericClient, author: i32, most: i32) -> Result<Vec<i32>, Error> {
    const SQL: &str = "-- read::relation::followed
        SELECT subject FROM follow WHERE author = $1 AND flags & 8 = 0 LIMIT $2";
    read(&query(client, SQL, &[&author, &i64::from(most)]).await?, |row| row.try_get(0))
}

/// That `by` blocks `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocked {
    pub by: i32,
    pub of: i32,
    /// Key of the block, or of the block of a list.
    pub rkey: i64,
    /// The list that `of` is on; `None`: itself is blocked.
    pub list: Option<Ref>,
}

/// Which of these pairs follow, with the key of the follow that counts.
pub async fn follows(client: &impl GenericClient, pairs: &[Pair]) -> Result<Vec<(Pair, i64)>, Error> {
    const SQL: &str = "-- read::relation::follows
        SELECT k.author, k.subject, f.rkey
        FROM UNNEST($1::int4[], $2::int4[]) AS k (author, subject)
        JOIN follow f ON f.author = k.author AND f.subject = k.subject AND f.flags & 8 = 0";
    let rows = query(client, SQL, &[&column(pairs, |p| p.0), &column(pairs, |p| p.1)]).await?;
    read(&rows, |row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?)))
}

/// What an account blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedBy {
    pub author: i32,
    /// Accounts, with the keys of the blocks that count, in no order.
    pub accounts: Vec<(i32, i64)>,
    /// It blocks a list, or several.
    pub lists: bool,
}

/// What each of `authors` blocks, up to `most` accounts.
pub async fn blocked_by(client: &impl GenericClient, authors: &[i32], most: i32) -> Result<Vec<BlockedBy>, Error> {
    const SQL: &str = "-- read::relation::blocked_by
        SELECT k.author, b.subjects, b.rkeys, EXISTS (SELECT FROM listblock l WHERE l.author = k.author AND l.flags & 8 = 0)
        FROM UNNEST($1::int4[]) AS k (author)
        CROSS JOIN LATERAL (
          SELECT array_agg(subject) AS subjects, array_agg(rkey) AS rkeys
          FROM (SELECT subject, rkey FROM block WHERE author = k.author AND flags & 8 = 0 LIMIT $2) n) b";
    read(&query(client, SQL, &[&authors, &i64::from(most)]).await?, |row| {
        let (subjects, rkeys): (Option<Vec<i32>>, Option<Vec<i64>>) = (row.try_get(1)?, row.try_get(2)?);
        let accounts = subjects.unwrap_or_default().into_iter().zip(rkeys.unwrap_or_default()).collect();
        Ok(BlockedBy { author: row.try_get(0)?, accounts, lists: row.try_get(3)? })
    })
}

/// Which of these pairs block, the account itself.
pub async fn blocks(client: &impl GenericClient, pairs: &[Pair]) -> Result<Vec<Blocked>, Error> {
    const SQL: &str = "-- read::relation::blocks
        SELECT k.author, k.subject, b.rkey, NULL::int8, NULL::int4
        FROM UNNEST($1::int4[], $2::int4[]) AS k (author, subject)
        CROSS JOIN LATERAL (SELECT rkey FROM block WHERE author = k.author AND subject = k.subject AND flags & 8 = 0 LIMIT 1) b";
    let rows = query(client, SQL, &[&column(pairs, |p| p.0), &column(pairs, |p| p.1)]).await?;
    read(&rows, blocked)
}

/// Which of these pairs block by a list, and by which. A list blocks as long as it is held and its owner is shown.
pub async fn list_blocks(client: &impl GenericClient, pairs: &[Pair]) -> Result<Vec<Blocked>, Error> {
    const SQL: &str = "-- read::relation::list_blocks
        SELECT e.author, k.subject, e.rkey, e.sr, e.sa
        FROM UNNEST($4::int4[]) AS b (author)
        JOIN listblock e ON e.author = b.author AND e.flags & 8 = 0
        JOIN repo r ON r.account = e.sa AND r.status = 0
        JOIN record_other l ON l.author = e.sa AND l.coll = $3 AND l.rkey = e.sr
        JOIN UNNEST($1::int4[], $2::int4[]) AS k (author, subject) ON k.author = e.author
        JOIN listitem i ON i.author = e.sa AND i.subject = k.subject AND i.lr = e.sr AND i.flags & 8 = 0";
    let mut authors = column(pairs, |p| p.0);
    authors.sort_unstable();
    authors.dedup();
    let rows = query(client, SQL, &[&column(pairs, |p| p.0), &column(pairs, |p| p.1), &Coll::LIST.number(), &authors]).await?;
    read(&rows, blocked)
}

fn blocked(row: &Row) -> Result<Blocked, Error> {
    let list: (Option<i64>, Option<i32>) = (row.try_get(3)?, row.try_get(4)?);
    let list = list.0.zip(list.1).map(|(rkey, author)| Ref { rkey, author });
    Ok(Blocked { by: row.try_get(0)?, of: row.try_get(1)?, rkey: row.try_get(2)?, list })
}

/// That an account mutes another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Muted {
    pub of: i32,
    /// 0 everything, else the sum of 1 reposts, 2 quote posts.
    pub scope: i16,
    /// The muted list that `of` is on; `None`: itself is muted.
    pub list: Option<Ref>,
}

/// Which of `subjects` this account mutes, and how. A list mutes as long as it is held and its owner is shown.
pub async fn mutes(client: &impl GenericClient, account: i32, subjects: &[i32]) -> Result<Vec<Muted>, Error> {
    const SQL: &str = "-- read::relation::mutes
        SELECT m.subject, m.scope, NULL::int8, NULL::int4
        FROM UNNEST($2::int4[]) AS k (subject) JOIN mute m ON m.account = $1 AND m.subject = k.subject
        UNION ALL
        SELECT i.subject, 0::int2, m.sr, m.sa
        FROM list_mute m
        JOIN repo r ON r.account = m.sa AND r.status = 0
        JOIN record_other l ON l.author = m.sa AND l.coll = $3 AND l.rkey = m.sr
        CROSS JOIN UNNEST($2::int4[]) AS k (subject)
        JOIN listitem i ON i.author = m.sa AND i.subject = k.subject AND i.lr = m.sr AND i.flags & 8 = 0
        WHERE m.account = $1";
    read(&query(client, SQL, &[&account, &subjects, &Coll::LIST.number()]).await?, |row| {
        let list: (Option<i64>, Option<i32>) = (row.try_get(2)?, row.try_get(3)?);
        let list = list.0.zip(list.1).map(|(rkey, author)| Ref { rkey, author });
        Ok(Muted { of: row.try_get(0)?, scope: row.try_get(1)?, list })
    })
}

/// Those of these lists whose members this account mutes.
pub async fn muted_lists(client: &impl GenericClient, account: i32, lists: &[Ref]) -> Result<Vec<Ref>, Error> {
    const SQL: &str = "-- read::relation::muted_lists
        SELECT m.sr, m.sa FROM UNNEST($2::int4[], $3::int8[]) AS k (sa, sr)
        JOIN list_mute m ON m.account = $1 AND m.sa = k.sa AND m.sr = k.sr";
    muted(client, SQL, account, lists).await
}

/// Which of these threads, by their first posts, this account wants to hear nothing of.
pub async fn muted_threads(client: &impl GenericClient, account: i32, roots: &[Ref]) -> Result<Vec<Ref>, Error> {
    const SQL: &str = "-- read::relation::muted_threads
        SELECT m.sr, m.sa FROM UNNEST($2::int4[], $3::int8[]) AS k (sa, sr)
        JOIN thread_mute m ON m.account = $1 AND m.sa = k.sa AND m.sr = k.sr";
    muted(client, SQL, account, roots).await
}

async fn muted(client: &impl GenericClient, sql: &str, account: i32, places: &[Ref]) -> Result<Vec<Ref>, Error> {
    let rows = query(client, sql, &[&account, &column(places, |p| p.author), &column(places, |p| p.rkey)]).await?;
    read(&rows, |row| Ok(Ref { rkey: row.try_get(0)?, author: row.try_get(1)? }))
}

/// Followers of an account whom somebody follows: how many, and some of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub of: i32,
    pub count: i64,
    /// The first ones by their ids.
    pub some: Vec<i32>,
}

/// Of each of `subjects` that has any: those of its followers whom `viewer` follows, `most` of them by name. Goes through the shorter of the
/// two lists, and looks each of its accounts up in the other: neither a celebrity's followers nor all whom a busy account follows are read
/// where the other side is short. LIMIT and OFFSET keep the planner from turning that around, and `NOT k.few` inside from reading all whom
/// the viewer follows before it asks for whom.
pub async fn known(client: &impl GenericClient, viewer: i32, subjects: &[i32], most: i32) -> Result<Vec<Known>, Error> {
    const SQL: &str = "-- read::relation::known
        WITH k AS MATERIALIZED (
          SELECT k.id, coalesce(s.followers, 0) <= coalesce((SELECT follows FROM actor_stat WHERE account = $1), 0) AS few
          FROM UNNEST($2::int4[]) AS k (id) LEFT JOIN actor_stat s ON s.account = k.id)
        SELECT n.subject, count(*), (array_agg(n.author ORDER BY n.author))[1:$3] FROM (
          SELECT k.id AS subject, f.author FROM k
          CROSS JOIN LATERAL (SELECT author FROM follow WHERE subject = k.id AND flags & 8 = 0 OFFSET 0) f
          CROSS JOIN LATERAL (SELECT FROM follow WHERE author = $1 AND subject = f.author AND flags & 8 = 0 LIMIT 1) v
          WHERE k.few
          UNION ALL
          SELECT k.id, v.subject FROM k
          CROSS JOIN LATERAL (SELECT subject FROM follow WHERE author = $1 AND flags & 8 = 0 AND NOT k.few OFFSET 0) v
          CROSS JOIN LATERAL (SELECT FROM follow WHERE author = v.subject AND subject = k.id AND flags & 8 = 0 LIMIT 1) f
          WHERE NOT k.few
        ) n GROUP BY n.subject";
    read(&query(client, SQL, &[&viewer, &subjects, &most]).await?, |row| {
        Ok(Known { of: row.try_get(0)?, count: row.try_get(1)?, some: row.try_get(2)? })
    })
}
