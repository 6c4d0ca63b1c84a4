//! Table `identity`, and the handles in `account`: which accounts are to be resolved, and what came of it.
//!
//! A handle has one owner: whoever takes it takes it from the one before, in the same transaction.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::repo::Status;
use super::{column, execute, query, read};

/// Seconds since 2020-01-01, by the server's clock.
macro_rules! now_sql {
    () => {
        "(extract(epoch FROM clock_timestamp()) - 1577836800)::int4"
    };
}

/// The statement that finds tasks; `$which` says which rows of `identity i`.
macro_rules! due_sql {
    ($name:literal, $($which:expr),*) => {
        concat!(
            "-- identity::due_", $name, "
        SELECT i.account, a.did, i.due, a.handle, ", now_sql!(), " - i.checked, i.failed, i.tries
        FROM (
          SELECT * FROM identity i WHERE ", $($which,)* " AND i.account <> ALL ($1) ORDER BY i.due LIMIT $2
        ) i
        JOIN account a ON a.id = i.account
        ORDER BY i.due",
        )
    };
}

/// Pending accounts are counted up to here: the count is read every second.
pub const MOST_PENDING: i64 = 10_000;

/// Why an account has no handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum Failed {
    /// It has one.
    No = 0,
    /// The operator's directory or resolver is away: nothing is known yet.
    Away = 1,
    /// There is no such DID.
    NoDid = 2,
    /// Its document cannot be read.
    BadDocument = 3,
    /// The document claims none.
    NoClaim = 4,
    /// The handle that it claims names nobody.
    Nobody = 5,
    /// The handle that it claims names another account.
    Another = 6,
    /// The host of its did:web or of its handle does not answer.
    Unreachable = 7,
}

/// Which accounts are asked for; within each the longest due first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Of which an #identity event came.
    Events,
    /// Whose time has come again.
    Again,
    /// Seen first.
    First,
}

/// An account that is to be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub account: i32,
    pub did: String,
    /// As it was read: another value later says that it is due again.
    pub due: i32,
    /// The handle that it has.
    pub handle: Option<String>,
    /// Seconds since it was last resolved for certain.
    pub checked_ago: Option<i32>,
    pub failed: i16,
    pub tries: i16,
}

/// What came of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub account: i32,
    /// The task's.
    pub due: i32,
    /// The handle that it has from now on, in lower case.
    pub handle: Option<String>,
    pub failed: Failed,
    pub tries: i16,
    /// It was resolved for certain.
    pub certain: bool,
    /// Seconds until the next check.
    pub again_in: i32,
}

/// Marks accounts of which an #identity event came; sorted, each once. Part of the apply.
pub async fn mark(client: &impl GenericClient, accounts: &[i32]) -> Result<u64, Error> {
    const SQL: &str = "-- identity::mark
        INSERT INTO identity AS i (account, due) SELECT account, 0 FROM UNNEST($1::int4[]) AS k (account)
        ON CONFLICT (account) DO UPDATE SET due = CASE WHEN i.due > 0 THEN 0 ELSE i.due - 1 END";
    execute(client, SQL, &[&accounts]).await
}

/// Adds rows for those of these accounts that have none; sorted, each once. Part of the apply.
pub async fn add(client: &impl GenericClient, accounts: &[i32]) -> Result<u64, Error> {
    const SQL: &str = "-- identity::add
        INSERT INTO identity (account, due) SELECT account, 1 FROM UNNEST($1::int4[]) AS k (account) ON CONFLICT (account) DO NOTHING";
    execute(client, SQL, &[&accounts]).await
}

/// Adds rows for repos among the `ids` accounts after `after` that have none: those that an older binary brought. A
/// deleted account is nobody's to resolve. The last account that was
/// looked at; `None`: there are no more.
pub async fn add_missing(client: &impl GenericClient, after: i32, ids: i64) -> Result<Option<i32>, Error> {
    const SQL: &str = "-- identity::add_missing
        WITH page AS MATERIALIZED (SELECT account, status FROM repo WHERE account > $1 ORDER BY account LIMIT $2),
        added AS (
          INSERT INTO identity (account, due)
          SELECT p.account, 1 FROM page p WHERE p.status <> $3 AND NOT EXISTS (SELECT FROM identity i WHERE i.account = p.account) ORDER BY p.account
          ON CONFLICT (account) DO NOTHING
        )
        SELECT max(account) FROM page";
    query(client, SQL, &[&after, &ids, &Status::Deleted.number()]).await?.first().map_or(Ok(None), |row| row.try_get(0))
}

/// Up to `limit` accounts that are due, without those that are `busy`.
pub async fn due(client: &impl GenericClient, which: Due, busy: &[i32], limit: i64) -> Result<Vec<Task>, Error> {
    const EVENTS: &str = due_sql!("events", "i.due <= 0");
    const FIRST: &str = due_sql!("first", "i.due = 1");
    const AGAIN: &str = due_sql!("again", "i.due > 1 AND i.due <= ", now_sql!());
    let sql = match which {
        Due::Events => EVENTS,
        Due::Again => AGAIN,
        Due::First => FIRST,
    };
    read(&query(client, sql, &[&busy, &limit]).await?, task)
}

fn task(row: &Row) -> Result<Task, Error> {
    Ok(Task {
        account: row.try_get(0)?,
        did: row.try_get(1)?,
        due: row.try_get(2)?,
        handle: row.try_get(3)?,
        checked_ago: row.try_get(4)?,
        failed: row.try_get(5)?,
        tries: row.try_get(6)?,
    })
}

/// How many accounts are still being resolved, up to [`MOST_PENDING`].
pub async fn pending(client: &impl GenericClient) -> Result<i64, Error> {
    const SQL: &str = "-- identity::pending
        SELECT count(*) FROM (SELECT FROM identity WHERE due <= 1 OR failed = 1 LIMIT $1) p";
    query(client, SQL, &[&MOST_PENDING]).await?.first().map_or(Ok(0), |row| row.try_get(0))
}

/// Writes what was found out, in one transaction: handles go from whoever had them to their owners. No two of these may have one handle.
/// Who lost a handle is resolved again. An account that became due meanwhile stays so.
pub async fn settle(transaction: &impl GenericClient, outcomes: &[Outcome]) -> Result<(), Error> {
    // Sorted, as everybody locks who locks several, so that nobody waits for each other.
    const ACCOUNTS: &str = "-- identity::settle_accounts
        SELECT a.id FROM account a
        WHERE a.id IN (SELECT UNNEST($1::int4[]) UNION SELECT b.id FROM UNNEST($2::text[]) AS n (handle) JOIN account b ON b.handle = n.handle)
        ORDER BY a.id FOR NO KEY UPDATE";
    const ROWS: &str = "-- identity::settle_rows
        SELECT FROM identity WHERE account = ANY($1) ORDER BY account FOR NO KEY UPDATE";
    const FREE: &str = "-- identity::settle_free
        UPDATE account a SET handle = NULL
        FROM UNNEST($1::int4[], $2::text[]) AS n (account, handle)
        WHERE a.id = n.account AND a.handle IS NOT NULL AND a.handle IS DISTINCT FROM n.handle";
    const ROB: &str = "-- identity::settle_rob
        WITH lost AS (
          UPDATE account a SET handle = NULL
          FROM UNNEST($1::int4[], $2::text[]) AS n (account, handle)
          WHERE a.handle = n.handle AND a.id <> n.account
          RETURNING a.id
        )
        UPDATE identity i SET due = CASE WHEN i.due > 0 THEN 0 ELSE i.due - 1 END FROM lost WHERE i.account = lost.id";
    const GIVE: &str = "-- identity::settle_give
        UPDATE account a SET handle = n.handle
        FROM UNNEST($1::int4[], $2::text[]) AS n (account, handle)
        WHERE a.id = n.account AND n.handle IS NOT NULL AND a.handle IS DISTINCT FROM n.handle";
    const NOTE: &str = concat!(
        "-- identity::settle_note
        UPDATE identity i SET failed = n.failed, tries = n.tries,
          due = CASE WHEN i.due = n.due THEN ",
        now_sql!(),
        " + n.again_in ELSE i.due END,
          checked = CASE WHEN n.certain THEN ",
        now_sql!(),
        " ELSE i.checked END
        FROM UNNEST($1::int4[], $2::int4[], $3::int2[], $4::int2[], $5::bool[], $6::int4[]) AS n (account, due, failed, tries, certain, again_in)
        WHERE i.account = n.account",
    );
    let (accounts, handles) = (column(outcomes, |o| o.account), column(outcomes, |o| o.handle.as_deref()));
    let locked: Vec<i32> = read(&query(transaction, ACCOUNTS, &[&accounts, &handles]).await?, |row| row.try_get(0))?;
    query(transaction, ROWS, &[&locked]).await?;
    execute(transaction, FREE, &[&accounts, &handles]).await?;
    execute(transaction, ROB, &[&accounts, &handles]).await?;
    execute(transaction, GIVE, &[&accounts, &handles]).await?;
    let (dues, failed) = (column(outcomes, |o| o.due), column(outcomes, |o| o.failed as i16));
    let (tries, certain) = (column(outcomes, |o| o.tries), column(outcomes, |o| o.certain));
    execute(transaction, NOTE, &[&accounts, &dues, &failed, &tries, &certain, &column(outcomes, |o| o.again_in)]).await?;
    Ok(())
}

/// The account that these handles, in lower case, belong to.
pub async fn owners(client: &impl GenericClient, handles: &[&str]) -> Result<Vec<(String, i32)>, Error> {
    const SQL: &str = "-- identity::owners
        SELECT a.handle, a.id FROM UNNEST($1::text[]) AS k (handle) JOIN account a ON a.handle = k.handle AND a.handle IS NOT NULL";
    read(&query(client, SQL, &[&handles]).await?, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

/// The DID that a handle, in lower case, belongs to.
pub async fn did_of(client: &impl GenericClient, handle: &str) -> Result<Option<String>, Error> {
    const SQL: &str = "-- identity::did_of
        SELECT a.did FROM account a WHERE a.handle = $1 AND a.handle IS NOT NULL";
    query(client, SQL, &[&handle]).await?.first().map(|row| row.try_get(0)).transpose()
}

/// Takes the handle from a deleted account, which is not resolved any more until it is active again. Part of its purge. An account that
/// is active again already, before its purge has ended, keeps its handle and its mark: they may be of its new life.
pub async fn release(client: &impl GenericClient, account: i32) -> Result<u64, Error> {
    const SQL: &str = "-- identity::release
        WITH freed AS (
          UPDATE account SET handle = NULL
          WHERE id = $1 AND handle IS NOT NULL AND EXISTS (SELECT FROM repo WHERE account = $1 AND status = $2)
        )
        DELETE FROM identity WHERE account = $1 AND EXISTS (SELECT FROM repo WHERE account = $1 AND status = $2)";
    execute(client, SQL, &[&account, &Status::Deleted.number()]).await
}
