//! Removing everything of a deleted account, some rows at a time. Only under the apply lock, and never a row that another account owns; what
//! else the rows had moved is told to the caller, who takes it back.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::bucket::h31_sql;
use super::{column, execute, post, query, read};
use crate::collection::{Coll, Edge, EdgeKind, Post};

/// A statement that removes up to $2 rows of account $1 from a table, where `$account` names it. The rows are found by an index that
/// begins with that column.
macro_rules! removal {
    ($name:literal, $table:literal, $account:literal $(, $returning:literal)*) => {
        concat!(
            "-- purge::", $name, "
        DELETE FROM ", $table, " e WHERE e.ctid = ANY (ARRAY (SELECT k.ctid FROM ", $table, " k WHERE k.", $account, " = $1 LIMIT $2))
        ", $($returning,)*
        )
    };
}

/// Tables whose rows moved nothing else. Dead letters come first: what is left of an account must not be replayed.
const PLAIN: [&str; 14] = [
    removal!("dead_letters", "dead_letter", "account"),
    removal!("dead_letter_days", "dead_letter_day", "account"),
    removal!("rejects", "reject", "account"),
    removal!("threadgates", "threadgate", "author"),
    removal!("postgates", "postgate", "author"),
    removal!("pack_joins", "pack_join", "author"),
    removal!("pending", "pending", "author"),
    removal!("records", "record_other", "author"),
    removal!("notifs_made", "notif", "author"),
    removal!("notifs_got", "notif", "recipient"),
    removal!("mutes", "mute", "account"),
    removal!("list_mutes", "list_mute", "account"),
    removal!("thread_mutes", "thread_mute", "account"),
    removal!("seen", "seen", "account"),
];

/// A record key that is no TID: the number of its collection, and its id.
pub type Key = (i16, i64);

/// The account's DID, where rows of it are still to be removed.
pub async fn due(client: &impl GenericClient, account: i32) -> Result<Option<String>, Error> {
    const SQL: &str = "-- purge::due
        SELECT a.did FROM repo r JOIN account a ON a.id = r.account WHERE r.account = $1 AND r.purge";
    query(client, SQL, &[&account]).await?.first().map(|row| row.try_get(0)).transpose()
}

/// The first account with rows to be removed.
pub async fn first(client: &impl GenericClient) -> Result<Option<i32>, Error> {
    const SQL: &str = "-- purge::first
        SELECT r.account FROM repo r WHERE r.purge ORDER BY r.account LIMIT 1";
    query(client, SQL, &[]).await?.first().map(|row| row.try_get(0)).transpose()
}

/// How many accounts have rows to be removed.
pub async fn count(client: &impl GenericClient) -> Result<i64, Error> {
    const SQL: &str = "-- purge::count
        SELECT count(*) FROM repo r WHERE r.purge";
    query(client, SQL, &[]).await?.first().map_or(Ok(0), |row| row.try_get(0))
}

/// No row of the account is left.
pub async fn finish(client: &impl GenericClient, account: i32) -> Result<u64, Error> {
    const SQL: &str = "-- purge::finish
        UPDATE repo SET purge = false WHERE account = $1";
    execute(client, SQL, &[&account]).await
}

/// Removes up to `limit` rows that moved nothing else; their number.
pub async fn plain(client: &impl GenericClient, account: i32, limit: i64) -> Result<i64, Error> {
    let mut left = limit;
    for sql in PLAIN {
        if left > 0 {
            left -= i64::try_from(execute(client, sql, &[&account, &left]).await?).unwrap_or(left);
        }
    }
    Ok(limit - left)
}

/// Removes up to `limit` edges of one kind. Of what they were only the subject and the flags are told.
pub async fn edges(client: &impl GenericClient, kind: EdgeKind, account: i32, limit: i64) -> Result<Vec<Edge>, Error> {
    let sql = match kind {
        EdgeKind::Like => removal!("likes", "\"like\"", "author", "RETURNING e.rkey, e.sr, e.sa, e.flags"),
        EdgeKind::Repost => removal!("reposts", "repost", "author", "RETURNING e.rkey, e.sr, e.sa, e.flags"),
        EdgeKind::Follow => removal!("follows", "follow", "author", "RETURNING e.rkey, 0::int8, e.subject, e.flags"),
        EdgeKind::Block => removal!("blocks", "block", "author", "RETURNING e.rkey, 0::int8, e.subject, e.flags"),
        EdgeKind::ListBlock => removal!("listblocks", "listblock", "author", "RETURNING e.rkey, e.sr, e.sa, e.flags"),
        EdgeKind::ListItem => removal!("listitems", "listitem", "author", "RETURNING e.rkey, e.lr, e.subject, e.flags"),
        EdgeKind::Verification => removal!("verifications", "verification", "author", "RETURNING e.rkey, 0::int8, e.subject, e.flags"),
    };
    let edge = |row: &Row| {
        let (rkey, sr, sa, flags) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        Ok(Edge { rkey, author: account, sr, sa, via: None, dms: None, flags, sort: None })
    };
    read(&query(client, sql, &[&account, &limit]).await?, edge)
}

/// Removes up to `limit` posts.
pub async fn posts(client: &impl GenericClient, account: i32, limit: i64) -> Result<Vec<Post>, Error> {
    const SQL: &str = removal!(
        "posts",
        "post",
        "author",
        "RETURNING e.rkey, e.author, e.flags, e.parent_r, e.parent_a, e.root_r, e.root_a, e.quote_r, e.quote_a, e.sort"
    );
    read(&query(client, SQL, &[&account, &limit]).await?, post::post)
}

/// Up to `limit` record keys of the account after `after` that may go, in their order. Those of posts and lists stay: thread gates name
/// them, in lists that no index leads into.
pub async fn keys(client: &impl GenericClient, account: i32, after: Key, limit: i64) -> Result<Vec<Key>, Error> {
    const SQL: &str = "-- purge::keys
        SELECT a.coll, a.rkey FROM rkey_alias a WHERE a.author = $1 AND (a.coll, a.rkey) > ($2, $3) AND a.coll <> $4 AND a.coll <> $5
        ORDER BY a.coll, a.rkey LIMIT $6";
    let (posts, lists) = (Coll::POST.number(), Coll::LIST.number());
    let rows = query(client, SQL, &[&account, &after.0, &after.1, &posts, &lists, &limit]).await?;
    read(&rows, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

/// Removes those of `keys` that no row names, when no row of the account is left; which these were.
pub async fn forget(client: &impl GenericClient, account: i32, keys: &[Key]) -> Result<Vec<i64>, Error> {
    const SQL: &str = concat!(
        "-- purge::forget
        DELETE FROM rkey_alias a USING UNNEST($2::int2[], $3::int8[]) AS k (coll, rkey)
        WHERE a.author = $1 AND a.coll = k.coll AND a.rkey = k.rkey
          AND NOT EXISTS (SELECT FROM \"like\" e WHERE e.sr = k.rkey AND e.sa = $1 AND ",
        h31_sql!("e.sr", "e.sa"),
        " = ",
        h31_sql!("k.rkey", "$1"),
        ")
          AND NOT EXISTS (SELECT FROM repost e WHERE e.sr = k.rkey AND e.sa = $1 AND ",
        h31_sql!("e.sr", "e.sa"),
        " = ",
        h31_sql!("k.rkey", "$1"),
        ")
          AND NOT EXISTS (SELECT FROM pack_join j WHERE j.sr = k.rkey AND j.sa = $1 AND ",
        h31_sql!("j.sr", "j.sa"),
        " = ",
        h31_sql!("k.rkey", "$1"),
        ")
          AND NOT EXISTS (SELECT FROM label l WHERE l.sa = $1 AND l.coll = k.coll AND l.sr = k.rkey)
          AND NOT EXISTS (SELECT FROM takedown_record t WHERE t.sa = $1 AND t.coll = k.coll AND t.sr = k.rkey)
        RETURNING a.rkey"
    );
    let rows = query(client, SQL, &[&account, &column(keys, |k| k.0), &column(keys, |k| k.1)]).await?;
    read(&rows, |row| row.try_get(0))
}

/// Removes the counts of subjects whose keys are gone: nothing counts for them any more.
pub async fn counts(client: &impl GenericClient, account: i32, rkeys: &[i64]) -> Result<u64, Error> {
    const SQL: &str = concat!(
        "-- purge::counts
        DELETE FROM post_stat s USING UNNEST($2::int8[]) AS k (rkey) WHERE s.sr = k.rkey AND s.sa = $1 AND ",
        h31_sql!("s.sr", "s.sa"),
        " = ",
        h31_sql!("k.rkey", "$1"),
    );
    execute(client, SQL, &[&account, &rkeys]).await
}
