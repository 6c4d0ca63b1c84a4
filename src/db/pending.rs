//! Table `pending`: replies that wait for a post that is not held, one row a reply.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::bucket::h31_sql;
use super::{column, execute, query, read};
use crate::collection::{Post, Ref};

/// In `flags`: the reply's gate is judged.
const FLAG_JUDGED: i16 = 1;

/// A reply and what it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pending {
    pub reply: Ref,
    pub missing: Ref,
    /// Its gate is judged; only notifications wait.
    pub judged: bool,
}

/// What waits for these posts, with the replies themselves.
pub async fn waiting_for(client: &impl GenericClient, missing: &[Ref]) -> Result<Vec<(Pending, Post)>, Error> {
    const SQL: &str = concat!(
        "-- pending::waiting_for
        SELECT p.rkey, p.author, p.flags, p.parent_r, p.parent_a, p.root_r, p.root_a, p.quote_r, p.quote_a, p.sort, w.mr, w.ma, w.flags
        FROM UNNEST($1::int8[], $2::int4[]) AS k (mr, ma)
        JOIN pending w ON w.mr = k.mr AND w.ma = k.ma AND ",
        h31_sql!("w.mr", "w.ma"),
        " = ",
        h31_sql!("k.mr", "k.ma"),
        " JOIN post p ON p.rkey = w.rkey AND p.author = w.author",
    );
    let rows = query(client, SQL, &[&column(missing, |m| m.rkey), &column(missing, |m| m.author)]).await?;
    read(&rows, |row| {
        let post = super::post::post(row)?;
        let reply = Ref { rkey: post.rkey, author: post.author };
        Ok((pending(row, reply, 10)?, post))
    })
}

/// What these replies wait for.
pub async fn of(client: &impl GenericClient, replies: &[Ref]) -> Result<Vec<Pending>, Error> {
    const SQL: &str = "-- pending::of
        SELECT w.rkey, w.author, w.mr, w.ma, w.flags
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN pending w ON w.author = k.author AND w.rkey = k.rkey";
    let rows = query(client, SQL, &[&column(replies, |r| r.author), &column(replies, |r| r.rkey)]).await?;
    read(&rows, |row| pending(row, Ref { rkey: row.try_get(0)?, author: row.try_get(1)? }, 2))
}

/// Adds rows for replies that have none.
pub async fn insert(client: &impl GenericClient, rows: &[Pending]) -> Result<u64, Error> {
    const SQL: &str = "-- pending::insert
        INSERT INTO pending (rkey, author, mr, ma, flags)
        SELECT * FROM UNNEST($1::int8[], $2::int4[], $3::int8[], $4::int4[], $5::int2[])";
    write(client, SQL, rows).await
}

/// Has replies wait for something else; how long they wait is counted from when they began.
pub async fn update(client: &impl GenericClient, rows: &[Pending]) -> Result<u64, Error> {
    const SQL: &str = "-- pending::update
        UPDATE pending w SET mr = n.mr, ma = n.ma, flags = n.flags
        FROM UNNEST($1::int8[], $2::int4[], $3::int8[], $4::int4[], $5::int2[]) AS n (rkey, author, mr, ma, flags)
        WHERE w.author = n.author AND w.rkey = n.rkey";
    write(client, SQL, rows).await
}

/// Removes the rows of these replies.
pub async fn delete(client: &impl GenericClient, replies: &[Ref]) -> Result<u64, Error> {
    const SQL: &str = "-- pending::delete
        DELETE FROM pending w USING UNNEST($1::int4[], $2::int8[]) AS k (author, rkey) WHERE w.author = k.author AND w.rkey = k.rkey";
    execute(client, SQL, &[&column(replies, |r| r.author), &column(replies, |r| r.rkey)]).await
}

/// Removes up to `most` rows that have waited for longer than `ttl` seconds, the longest first; how many there were. Under the apply lock, which
/// keeps rows where they are in between.
pub async fn expire(client: &impl GenericClient, ttl: f64, most: i64) -> Result<u64, Error> {
    const SQL: &str = "-- pending::expire
        DELETE FROM pending w WHERE w.ctid = ANY (ARRAY (
          SELECT ctid FROM pending WHERE since < now() - make_interval(secs => $1) ORDER BY since LIMIT $2))";
    execute(client, SQL, &[&ttl, &most]).await
}

/// How many replies wait.
pub async fn count(client: &impl GenericClient) -> Result<i64, Error> {
    const SQL: &str = "-- pending::count
        SELECT count(*) FROM pending";
    query(client, SQL, &[]).await?.first().map_or(Ok(0), |row| row.try_get(0))
}

async fn write(client: &impl GenericClient, sql: &str, rows: &[Pending]) -> Result<u64, Error> {
    let (rkeys, authors) = (column(rows, |p| p.reply.rkey), column(rows, |p| p.reply.author));
    let (mr, ma) = (column(rows, |p| p.missing.rkey), column(rows, |p| p.missing.author));
    let flags = column(rows, |p| if p.judged { FLAG_JUDGED } else { 0 });
    execute(client, sql, &[&rkeys, &authors, &mr, &ma, &flags]).await
}

/// The missing post stands in the columns from `at` on, the flags behind it.
fn pending(row: &Row, reply: Ref, at: usize) -> Result<Pending, Error> {
    let missing = Ref { rkey: row.try_get(at)?, author: row.try_get(at + 1)? };
    Ok(Pending { reply, missing, judged: row.try_get::<_, i16>(at + 2)? & FLAG_JUDGED != 0 })
}
