//! Accounts as pages show them: name, status, profile, counts.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use crate::collection::Coll;
use crate::db::repo::Status;
use crate::db::{column, query, read};

/// An account and all that is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub id: i32,
    pub did: String,
    /// Verified, in lower case.
    pub handle: Option<String>,
    /// `None`: it was only ever mentioned, no event of its own was seen.
    pub status: Option<Status>,
    /// The profile, packed.
    pub profile: Option<Vec<u8>>,
    pub followers: i32,
    pub follows: i32,
    pub posts: i32,
}

/// Those of `ids` that exist. A profile's key is always `self` (its schema says so), so that there is one a account at most and its key
/// need not be looked up.
pub async fn by_id(client: &impl GenericClient, ids: &[i32]) -> Result<Vec<Actor>, Error> {
    const SQL: &str = "-- read::actor::by_id
        SELECT a.id, a.did, r.status, p.rec, s.followers, s.follows, s.posts, a.handle
        FROM UNNEST($1::int4[]) AS k (id)
        JOIN account a ON a.id = k.id
        LEFT JOIN repo r ON r.account = k.id
        LEFT JOIN actor_stat s ON s.account = k.id
        LEFT JOIN record_other p ON p.author = k.id AND p.coll = $2";
    read(&query(client, SQL, &[&ids, &Coll::PROFILE.number()]).await?, actor)
}

/// How many records of each of `colls` that are kept whole `account` has.
pub async fn kept(client: &impl GenericClient, account: i32, colls: &[Coll]) -> Result<Vec<(Coll, i64)>, Error> {
    const SQL: &str = "-- read::actor::kept
        SELECT o.coll, count(*)
        FROM UNNEST($2::int2[]) AS k (coll) JOIN record_other o ON o.author = $1 AND o.coll = k.coll
        GROUP BY o.coll";
    let colls = column(colls, |coll| coll.number());
    read(&query(client, SQL, &[&account, &colls]).await?, |row| Ok((Coll::from_number(row.try_get(0)?), row.try_get(1)?)))
}

fn actor(row: &Row) -> Result<Actor, Error> {
    let count = |at: usize| row.try_get::<_, Option<i32>>(at).map(Option::unwrap_or_default);
    Ok(Actor {
        id: row.try_get(0)?,
        did: row.try_get(1)?,
        status: row.try_get::<_, Option<i16>>(2)?.map(Status::from_number),
        profile: row.try_get(3)?,
        followers: count(4)?,
        follows: count(5)?,
        posts: count(6)?,
        handle: row.try_get(7)?,
    })
}
