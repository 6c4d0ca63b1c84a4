//! What is known of repos: how far they are applied, whether that is whole, and whether the account is shown.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{column, execute, query, read};
use crate::atproto::{Cid, Tid};

/// A repo's row. The default is a repo of which nothing is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Repo {
    /// Newest applied rev; `None`: no commit yet.
    pub rev: Option<Tid>,
    /// Root of the tree at `rev`.
    pub data: Option<Cid>,
    /// Why what is indexed may differ from the repo, as first seen; `None`: in sync.
    pub fault: Option<String>,
    pub status: Status,
    /// Time of the #account event that set the status, microseconds since 1970.
    pub status_time: Option<i64>,
    /// As #identity last said, unchecked.
    pub handle: Option<String>,
    /// It was deleted, and not all of its rows are removed yet.
    pub purge: bool,
}

/// Whether an account is shown, and else why not: the hosting status of #account, as stored in `repo.status`.
///
/// Source: <https://atproto.com/specs/account>.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(i16)]
pub enum Status {
    #[default]
    Active = 0,
    TakenDown = 1,
    Suspended = 2,
    Deleted = 3,
    Deactivated = 4,
    Desynchronized = 5,
    Throttled = 6,
    /// Inactive for a reason that has no code here.
    Other = 7,
}

impl Status {
    const WORDS: [(Self, &str); 7] = [
        (Self::Active, "active"),
        (Self::TakenDown, "takendown"),
        (Self::Suspended, "suspended"),
        (Self::Deleted, "deleted"),
        (Self::Deactivated, "deactivated"),
        (Self::Desynchronized, "desynchronized"),
        (Self::Throttled, "throttled"),
    ];

    /// What an #account event says: an active account is shown whatever its `status` is.
    #[must_use]
    pub fn of(active: bool, status: Option<&str>) -> Self {
        let known = Self::WORDS.into_iter().skip(1).find(|(_, word)| Some(*word) == status);
        if active { Self::Active } else { known.map_or(Self::Other, |(status, _)| status) }
    }

    /// The code in the database.
    #[must_use]
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The status of a code; an unknown one hides the account.
    #[must_use]
    pub fn from_number(number: i16) -> Self {
        Self::WORDS.into_iter().map(|(status, _)| status).find(|s| s.number() == number).unwrap_or(Self::Other)
    }

    /// The protocol's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.into_iter().find(|(status, _)| *status == self).map_or("other", |(_, word)| word)
    }
}

/// The rows of those accounts that have one.
pub async fn of(client: &impl GenericClient, accounts: &[i32]) -> Result<Vec<(i32, Repo)>, Error> {
    const SQL: &str = "-- repo::of
        SELECT r.account, r.rev, r.data, r.fault, r.status, r.status_time, r.handle, r.purge
        FROM UNNEST($1::int4[]) AS k (account) JOIN repo r ON r.account = k.account";
    read(&query(client, SQL, &[&accounts]).await?, repo)
}

/// Adds rows for accounts that have none.
pub async fn insert(client: &impl GenericClient, repos: &[(i32, &Repo)]) -> Result<u64, Error> {
    const SQL: &str = "-- repo::insert
        INSERT INTO repo (account, rev, data, state, fault, status, status_time, handle, purge)
        SELECT * FROM UNNEST($1::int4[], $2::int8[], $3::bytea[], $4::int2[], $5::text[], $6::int2[], $7::int8[], $8::text[], $9::bool[])";
    write(client, SQL, repos).await
}

/// Sets the rows of accounts that have one.
pub async fn update(client: &impl GenericClient, repos: &[(i32, &Repo)]) -> Result<u64, Error> {
    const SQL: &str = "-- repo::update
        UPDATE repo r SET rev = n.rev, data = n.data, state = n.state, fault = n.fault, status = n.status, status_time = n.status_time,
          handle = n.handle, purge = n.purge
        FROM UNNEST($1::int4[], $2::int8[], $3::bytea[], $4::int2[], $5::text[], $6::int2[], $7::int8[], $8::text[], $9::bool[])
          AS n (account, rev, data, state, fault, status, status_time, handle, purge)
        WHERE r.account = n.account";
    write(client, SQL, repos).await
}

async fn write(client: &impl GenericClient, sql: &str, repos: &[(i32, &Repo)]) -> Result<u64, Error> {
    let (accounts, revs) = (column(repos, |r| r.0), column(repos, |r| r.1.rev.map(Tid::value)));
    let datas = column(repos, |r| r.1.data.as_ref().map(|data| data.as_bytes().as_slice()));
    let (states, faults) = (column(repos, |r| i16::from(r.1.fault.is_some())), column(repos, |r| r.1.fault.as_deref()));
    let (statuses, times) = (column(repos, |r| r.1.status.number()), column(repos, |r| r.1.status_time));
    let (handles, purges) = (column(repos, |r| r.1.handle.as_deref()), column(repos, |r| r.1.purge));
    execute(client, sql, &[&accounts, &revs, &datas, &states, &faults, &statuses, &times, &handles, &purges]).await
}

fn repo(row: &Row) -> Result<(i32, Repo), Error> {
    let data: Option<&[u8]> = row.try_get(2)?;
    let repo = Repo {
        rev: row.try_get::<_, Option<i64>>(1)?.and_then(Tid::from_value),
        data: data.and_then(|data| Cid::from_bytes(data).ok()),
        fault: row.try_get(3)?,
        status: Status::from_number(row.try_get(4)?),
        status_time: row.try_get(5)?,
        handle: row.try_get(6)?,
        purge: row.try_get(7)?,
    };
    Ok((row.try_get(0)?, repo))
}
