//! Accounts as pages show them: name, status, profile; counts apart, since most pages show none.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use crate::collection::Coll;
use crate::db::repo::Status;
use crate::db::{column, query, read};

/// An account and all that is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
pub struct Actor {
    pub id: i32,
    pub did: String,
    /// Verified, in lower case.
    pub handle: Option<String>,
    /// `None`: it was only ever mentioned, no event of its own was seen.
    pub status: Option<Status>,
    /// The profile, packed, unless it was taken down: then the account is shown without.
    pub profile: Option<Vec<u8>>,
    /// Operators of this service took it down.
    pub taken_down: bool,
    /// It labels.
    pub labeler: bool,
    /// Its verifications are shown.
    pub trusted: bool,
    /// Somebody whose verifications are shown verifies it.
    pub verified: bool,
    /// What it declares: its status, and who may subscribe to it and write to it.
    pub declared: Vec<Declared>,
}

/// A record of which an account has one at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    pub coll: Coll,
    pub rkey: i64,
    /// Packed.
    pub record: Vec<u8>,
    /// Operators of this service took it down.
    pub taken_down: bool,
}

/// What is counted of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub followers: i32,
    pub follows: i32,
    pub posts: i32,
}

/// Those of `ids` that exist. A profile's key is always `self` (its schema says so), so that there is one a account at most and its key
/// need not be looked up; so are those of declarations, whose collections have neighbouring numbers. Who verifies an account is looked for
/// among the trusted, and only where anybody does.
pub async fn by_id(client: &impl GenericClient, ids: &[i32]) -> Result<Vec<Actor>, Error> {
    const SQL: &str = "-- read::actor::by_id
        SELECT a.id, a.did, r.status,
          CASE WHEN NOT EXISTS (SELECT FROM takedown_record x WHERE x.sa = k.id AND x.coll = $2 AND x.sr = p.rkey) THEN p.rec END, a.handle, t.subject IS NOT NULL,
          EXISTS (SELECT FROM record_other l WHERE l.author = k.id AND l.coll = $3
            AND NOT EXISTS (SELECT FROM takedown_record x WHERE x.sa = l.author AND x.coll = l.coll AND x.sr = l.rkey)),
          w.subject IS NOT NULL,
          CASE WHEN EXISTS (SELECT FROM verification WHERE subject = k.id) THEN EXISTS (
            SELECT FROM trusted_verifier o
            CROSS JOIN LATERAL (SELECT FROM verification WHERE author = o.subject AND subject = k.id AND flags & 8 = 0 LIMIT 1) v)
          ELSE false END,
          d.colls, d.rkeys, d.recs, d.down
        FROM UNNEST($1::int4[]) AS k (id)
        JOIN account a ON a.id = k.id
        LEFT JOIN repo r ON r.account = k.id
        LEFT JOIN takedown_account t ON t.subject = k.id
        LEFT JOIN trusted_verifier w ON w.subject = k.id
        LEFT JOIN record_other p ON p.author = k.id AND p.coll = $2
        CROSS JOIN LATERAL (
          SELECT array_agg(o.coll) AS colls, array_agg(o.rkey) AS rkeys, array_agg(o.rec) AS recs, array_agg(x.sr IS NOT NULL) AS down
          FROM record_other o LEFT JOIN takedown_record x ON x.sa = o.author AND x.coll = o.coll AND x.sr = o.rkey
          WHERE o.author = k.id AND o.coll BETWEEN $4 AND $5) d";
    let (profile, labeler) = (Coll::PROFILE.number(), Coll::LABELER.number());
    let (first, last) = (Coll::STATUS.number(), Coll::GERM_DECLARATION.number());
    read(&query(client, SQL, &[&ids, &profile, &labeler, &first, &last]).await?, actor)
}

/// How many records of each of `colls` that are kept whole each of `accounts` has.
pub async fn kept(client: &impl GenericClient, accounts: &[i32], colls: &[Coll]) -> Result<Vec<(i32, Coll, i64)>, Error> {
    const SQL: &str = "-- read::actor::kept
        SELECT o.author, o.coll, count(*)
        FROM UNNEST($1::int4[]) AS a (author) CROSS JOIN UNNEST($2::int2[]) AS k (coll)
        JOIN record_other o ON o.author = a.author AND o.coll = k.coll
        GROUP BY o.author, o.coll";
    let colls = column(colls, |coll| coll.number());
    read(&query(client, SQL, &[&accounts, &colls]).await?, |row| Ok((row.try_get(0)?, Coll::from_number(row.try_get(1)?), row.try_get(2)?)))
}

/// The counts of those of `ids` of which anything was ever counted.
pub async fn counts(client: &impl GenericClient, ids: &[i32]) -> Result<Vec<(i32, Counts)>, Error> {
    const SQL: &str = "-- read::actor::counts
        SELECT s.account, s.followers, s.follows, s.posts FROM UNNEST($1::int4[]) AS k (id) JOIN actor_stat s ON s.account = k.id";
    read(&query(client, SQL, &[&ids]).await?, |row| {
        let count = |at: usize| row.try_get::<_, Option<i32>>(at).map(Option::unwrap_or_default);
        Ok((row.try_get(0)?, Counts { followers: count(1)?, follows: count(2)?, posts: count(3)? }))
    })
}

fn actor(row: &Row) -> Result<Actor, Error> {
    Ok(Actor {
        id: row.try_get(0)?,
        did: row.try_get(1)?,
        status: row.try_get::<_, Option<i16>>(2)?.map(Status::from_number),
        profile: row.try_get(3)?,
        handle: row.try_get(4)?,
        taken_down: row.try_get(5)?,
        labeler: row.try_get(6)?,
        trusted: row.try_get(7)?,
        verified: row.try_get(8)?,
        declared: declared(row)?,
    })
}

/// What four columns say side by side; all NULL: nothing.
fn declared(row: &Row) -> Result<Vec<Declared>, Error> {
    let (colls, rkeys): (Option<Vec<i16>>, Option<Vec<i64>>) = (row.try_get(9)?, row.try_get(10)?);
    let (records, down): (Option<Vec<Vec<u8>>>, Option<Vec<bool>>) = (row.try_get(11)?, row.try_get(12)?);
    let places = colls.unwrap_or_default().into_iter().zip(rkeys.unwrap_or_default());
    let records = records.unwrap_or_default().into_iter().zip(down.unwrap_or_default());
    let declared = places.zip(records);
    Ok(declared.map(|((coll, rkey), (record, taken_down))| Declared { coll: Coll::from_number(coll), rkey, record, taken_down }).collect())
}
