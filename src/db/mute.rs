//! Mutes: of accounts, of the members of lists, of threads. Rows are of the account that mutes, and go with it.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::{column, execute};
use crate::collection::Ref;

/// A mute of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mute {
    /// Of the command that began it, microseconds since 1970.
    pub time: i64,
    /// What is muted: 0 everything, else the sum of [`ONLY_REPOSTS`] and [`ONLY_QUOTEPOSTS`].
    pub scope: i16,
}

pub const ONLY_REPOSTS: i16 = 1;
pub const ONLY_QUOTEPOSTS: i16 = 2;

/// Who mutes whom.
pub type Pair = (i32, i32);
/// Who mutes what: a list, or a thread by its root; the author comes before the key.
pub type Target = (i32, i32, i64);

/// The key of a mute of a record.
#[must_use]
pub fn target(account: i32, at: Ref) -> Target {
    (account, at.author, at.rkey)
}

/// Begins mutes of accounts, sorted by key; where one holds already it keeps its time and gets the scope.
pub async fn put(client: &impl GenericClient, mutes: &[(Pair, Mute)]) -> Result<u64, Error> {
    const SQL: &str = "-- mute::put
        INSERT INTO mute (account, subject, time, scope) SELECT * FROM UNNEST($1::int4[], $2::int4[], $3::int8[], $4::int2[])
        ON CONFLICT (account, subject) DO UPDATE SET scope = excluded.scope";
    let (accounts, subjects) = (column(mutes, |m| m.0.0), column(mutes, |m| m.0.1));
    execute(client, SQL, &[&accounts, &subjects, &column(mutes, |m| m.1.time), &column(mutes, |m| m.1.scope)]).await
}

/// Ends mutes of accounts.
pub async fn delete(client: &impl GenericClient, pairs: &[Pair]) -> Result<u64, Error> {
    const SQL: &str = "-- mute::delete
        DELETE FROM mute m USING UNNEST($1::int4[], $2::int4[]) AS k (account, subject)
        WHERE m.account = k.account AND m.subject = k.subject";
    execute(client, SQL, &[&column(pairs, |p| p.0), &column(pairs, |p| p.1)]).await
}

/// Begins mutes of lists, sorted by key; those that hold already keep their time.
pub async fn put_lists(client: &impl GenericClient, mutes: &[(Target, i64)]) -> Result<u64, Error> {
    const SQL: &str = "-- mute::put_lists
        INSERT INTO list_mute (account, sa, sr, time) SELECT * FROM UNNEST($1::int4[], $2::int4[], $3::int8[], $4::int8[])
        ON CONFLICT (account, sa, sr) DO NOTHING";
    put_targets(client, SQL, mutes).await
}

/// Ends mutes of lists.
pub async fn delete_lists(client: &impl GenericClient, targets: &[Target]) -> Result<u64, Error> {
    const SQL: &str = "-- mute::delete_lists
        DELETE FROM list_mute m USING UNNEST($1::int4[], $2::int4[], $3::int8[]) AS k (account, sa, sr)
        WHERE m.account = k.account AND m.sa = k.sa AND m.sr = k.sr";
    delete_targets(client, SQL, targets).await
}

/// Begins mutes of threads, sorted by key; those that hold already keep their time.
pub async fn put_threads(client: &impl GenericClient, mutes: &[(Target, i64)]) -> Result<u64, Error> {
    const SQL: &str = "-- mute::put_threads
        INSERT INTO thread_mute (account, sa, sr, time) SELECT * FROM UNNEST($1::int4[], $2::int4[], $3::int8[], $4::int8[])
        ON CONFLICT (account, sa, sr) DO NOTHING";
    put_targets(client, SQL, mutes).await
}

/// Ends mutes of threads.
pub async fn delete_threads(client: &impl GenericClient, targets: &[Target]) -> Result<u64, Error> {
    const SQL: &str = "-- mute::delete_threads
        DELETE FROM thread_mute m USING UNNEST($1::int4[], $2::int4[], $3::int8[]) AS k (account, sa, sr)
        WHERE m.account = k.account AND m.sa = k.sa AND m.sr = k.sr";
    delete_targets(client, SQL, targets).await
}

async fn put_targets(client: &impl GenericClient, sql: &str, mutes: &[(Target, i64)]) -> Result<u64, Error> {
    let (accounts, authors) = (column(mutes, |m| m.0.0), column(mutes, |m| m.0.1));
    execute(client, sql, &[&accounts, &authors, &column(mutes, |m| m.0.2), &column(mutes, |m| m.1)]).await
}

async fn delete_targets(client: &impl GenericClient, sql: &str, targets: &[Target]) -> Result<u64, Error> {
    execute(client, sql, &[&column(targets, |t| t.0), &column(targets, |t| t.1), &column(targets, |t| t.2)]).await
}
