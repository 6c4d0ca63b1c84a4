//! Who did what with a record or an account, newest first: pages of edges and of quotes.
//!
//! The indexes order by subject and bucket of time; inside a bucket PostgreSQL sorts incrementally. That needs the lead column and the bucket
//! in ORDER BY, though the subject is one: else the whole range is sorted.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::feed::Before;
use crate::collection::{Edge, KIND_SHIFT, Ref, SubjectKind};
use crate::db::bucket::{bucket_sql, h31, h31_sql};
use crate::db::edge::edge;
use crate::db::{column, query, read};

/// A statement on the edges of table $table that are of one record: those of one kind that count.
macro_rules! of_record {
    ($name:literal, $table:literal, $sort:literal) => {
        concat!(
            "-- read::list::",
            $name,
            "
        SELECT rkey, author, sr, sa, via, dms, flags, ",
            $sort,
            " FROM ",
            $table,
            "
        WHERE ",
            h31_sql!("sr", "sa"),
            " = $1 AND ",
            bucket_sql!("rkey", 40),
            " <= ($4::int8 >> 40)::int4 AND sr = $2 AND sa = $3 AND (rkey, author) < ($4, $5) AND flags & 120 = $6
        ORDER BY ",
            h31_sql!("sr", "sa"),
            " DESC, ",
            bucket_sql!("rkey", 40),
            " DESC, rkey DESC, author DESC
        LIMIT $7"
        )
    };
}

/// The newest `limit` likes of a record.
pub async fn likes(client: &impl GenericClient, kind: SubjectKind, of: Ref, before: Before, limit: i64) -> Result<Vec<Edge>, Error> {
    edges(client, of_record!("likes", "\"like\"", "NULL::int8"), kind, of, before, limit).await
}

/// The newest `limit` reposts of a post.
pub async fn reposts(client: &impl GenericClient, of: Ref, before: Before, limit: i64) -> Result<Vec<Edge>, Error> {
    edges(client, of_record!("reposts", "repost", "sort"), SubjectKind::Post, of, before, limit).await
}

async fn edges(client: &impl GenericClient, sql: &str, kind: SubjectKind, of: Ref, before: Before, limit: i64) -> Result<Vec<Edge>, Error> {
    let (hash, flags) = (h31(of.rkey, of.author), i32::from(kind.number() << KIND_SHIFT));
    read(&query(client, sql, &[&hash, &of.rkey, &of.author, &before.at, &before.author, &flags, &limit]).await?, edge)
}

/// The newest `limit` posts that quote a post.
pub async fn quotes(client: &impl GenericClient, of: Ref, before: Before, limit: i64) -> Result<Vec<Ref>, Error> {
    const SQL: &str = concat!(
        "-- read::list::quotes
        SELECT rkey, author FROM post
        WHERE quote_r IS NOT NULL AND ",
        h31_sql!("quote_r", "quote_a"),
        " = $1 AND ",
        bucket_sql!("rkey", 39),
        " <= ($4::int8 >> 39)::int4 AND quote_r = $2 AND quote_a = $3 AND (rkey, author) < ($4, $5)
        ORDER BY ",
        h31_sql!("quote_r", "quote_a"),
        " DESC, ",
        bucket_sql!("rkey", 39),
        " DESC, rkey DESC, author DESC
        LIMIT $6",
    );
    let rows = query(client, SQL, &[&h31(of.rkey, of.author), &of.rkey, &of.author, &before.at, &before.author, &limit]).await?;
    read(&rows, |row| Ok(Ref { rkey: row.try_get(0)?, author: row.try_get(1)? }))
}

/// The newest `limit` follows of an account.
pub async fn followers(client: &impl GenericClient, of: i32, before: Before, limit: i64) -> Result<Vec<Edge>, Error> {
    const SQL: &str = concat!(
        "-- read::list::followers
        SELECT rkey, author, 0::int8, subject, via, dms, flags, NULL::int8 FROM follow
        WHERE subject = $1 AND ",
        bucket_sql!("rkey", 46),
        " <= ($2::int8 >> 46)::int4 AND (rkey, author) < ($2, $3) AND flags & 8 = 0
        ORDER BY subject DESC, ",
        bucket_sql!("rkey", 46),
        " DESC, rkey DESC, author DESC
        LIMIT $4",
    );
    read(&query(client, SQL, &[&of, &before.at, &before.author, &limit]).await?, edge)
}

/// The newest `limit` follows by an account.
pub async fn follows(client: &impl GenericClient, by: i32, before: Before, limit: i64) -> Result<Vec<Edge>, Error> {
    const SQL: &str = concat!(
        "-- read::list::follows
        SELECT rkey, author, 0::int8, subject, via, dms, flags, NULL::int8 FROM follow
        WHERE author = $1 AND ",
        bucket_sql!("rkey", 50),
        " <= ($2::int8 >> 50)::int4 AND rkey < $2 AND flags & 8 = 0
        ORDER BY author DESC, ",
        bucket_sql!("rkey", 50),
        " DESC, rkey DESC
        LIMIT $3",
    );
    read(&query(client, SQL, &[&by, &before.at, &limit]).await?, edge)
}

/// Those of the followers of `of` whom `viewer` follows, by their ids from `after` on.
pub async fn known_followers(client: &impl GenericClient, viewer: i32, of: i32, after: i32, limit: i64) -> Result<Vec<i32>, Error> {
    const SQL: &str = "-- read::list::known_followers
        SELECT v.subject FROM follow v
        CROSS JOIN LATERAL (SELECT FROM follow WHERE author = v.subject AND subject = $2 AND flags & 8 = 0 LIMIT 1) f
        WHERE v.author = $1 AND v.flags & 8 = 0 AND v.subject > $3
        ORDER BY v.subject LIMIT $4";
    read(&query(client, SQL, &[&viewer, &of, &after, &limit]).await?, |row| row.try_get(0))
}

/// Of the newest `recent` likes of a post those by accounts that `viewer` follows: how many, and the accounts of the newest `most` of them.
pub async fn known_likers(client: &impl GenericClient, viewer: i32, of: Ref, recent: i64, most: i32) -> Result<(i64, Vec<i32>), Error> {
    const SQL: &str = concat!(
        "-- read::list::known_likers
        SELECT count(*), (array_agg(l.author ORDER BY l.rkey DESC, l.author DESC))[1:$6]
        FROM (
          SELECT rkey, author FROM \"like\"
          WHERE ",
        h31_sql!("sr", "sa"),
        " = $1 AND sr = $2 AND sa = $3 AND flags & 120 = 0
          ORDER BY ",
        h31_sql!("sr", "sa"),
        " DESC, ",
        bucket_sql!("rkey", 40),
        " DESC, rkey DESC, author DESC
          LIMIT $5) l
        CROSS JOIN LATERAL (SELECT FROM follow WHERE author = $4 AND subject = l.author AND flags & 8 = 0 LIMIT 1) f",
    );
    let rows = query(client, SQL, &[&h31(of.rkey, of.author), &of.rkey, &of.author, &viewer, &recent, &most]).await?;
    let known = read(&rows, |row| Ok((row.try_get(0)?, row.try_get::<_, Option<Vec<i32>>>(1)?.unwrap_or_default())))?;
    Ok(known.into_iter().next().unwrap_or_default())
}

/// Members of a list that are counted at most. They are counted row by row for every view of the list, some milliseconds for so many, and a page
/// has up to a hundred lists; hardly any list of people has more.
pub const MOST_MEMBERS: i64 = 10_000;

/// How many accounts are on each of these lists that has any, at most [`MOST_MEMBERS`]. `IS TRUE` keeps the planner from an index by author: that
/// would lead through all the lists of theirs.
pub async fn members(client: &impl GenericClient, lists: &[Ref]) -> Result<Vec<(Ref, i64)>, Error> {
    const SQL: &str = concat!(
        "-- read::list::members
        SELECT k.rkey, k.author, c.n
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        CROSS JOIN LATERAL (SELECT count(*) AS n FROM (SELECT FROM listitem i
          WHERE (i.author = k.author) IS TRUE AND i.lr = k.rkey AND i.flags & 8 = 0 AND ",
        h31_sql!("i.lr", "i.author"),
        " = ",
        h31_sql!("k.rkey", "k.author"),
        " LIMIT $3) i) c
        WHERE c.n > 0",
    );
    let rows = query(client, SQL, &[&column(lists, |l| l.author), &column(lists, |l| l.rkey), &MOST_MEMBERS]).await?;
    read(&rows, |row| Ok((Ref { rkey: row.try_get(0)?, author: row.try_get(1)? }, row.try_get(2)?)))
}
