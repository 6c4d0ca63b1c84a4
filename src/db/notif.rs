//! Table `notif`: notifications that are no edges. Never those of likes, reposts and follows, which are read from their edges.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::bucket::bucket_sql;
use super::{column, execute, query, read};
use crate::collection::Ref;

/// Why an account is notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Reason {
    Mention = 1,
    Reply = 2,
    Quote = 3,
    /// A profile came through the recipient's starter pack.
    Joined = 4,
    Verified = 5,
    Unverified = 6,
}

/// A row of the table. One record, recipient and reason has at most one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notif {
    /// The record that notifies: a post, a profile, a verification.
    pub record: Ref,
    pub recipient: i32,
    pub reason: Reason,
    /// Key of the recipient's record that it is about.
    pub about: Option<i64>,
    /// Its time as the value of a TID, where the record's key does not say it.
    pub sort: Option<i64>,
}

impl Reason {
    const ALL: [Self; 6] = [Self::Mention, Self::Reply, Self::Quote, Self::Joined, Self::Verified, Self::Unverified];

    #[must_use]
    pub const fn number(self) -> i16 {
        self as i16
    }

    #[must_use]
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.number() == number)
    }

    /// Whether posts have it: the keys of a post and of a verification may be the same.
    #[must_use]
    pub const fn is_of_post(self) -> bool {
        matches!(self, Self::Mention | Self::Reply | Self::Quote)
    }
}

/// The notifications that these records, of any collection, made.
pub async fn of(client: &impl GenericClient, records: &[Ref]) -> Result<Vec<Notif>, Error> {
    const SQL: &str = concat!(
        "-- notif::of
        SELECT n.rkey, n.author, n.recipient, n.reason, n.sr, n.sort
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN notif n ON n.author = k.author AND n.rkey = k.rkey AND ",
        bucket_sql!("n.rkey", 46),
        " = ",
        bucket_sql!("k.rkey", 46),
    );
    let rows = query(client, SQL, &[&column(records, |r| r.author), &column(records, |r| r.rkey)]).await?;
    Ok(read(&rows, notif)?.into_iter().flatten().collect())
}

/// Adds notifications, none of which is there.
pub async fn insert(client: &impl GenericClient, notifs: &[Notif]) -> Result<u64, Error> {
    const SQL: &str = "-- notif::insert
        INSERT INTO notif (rkey, sr, sort, recipient, author, reason)
        SELECT * FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::int4[], $5::int4[], $6::int2[])";
    let (rkeys, abouts, sorts) = (column(notifs, |n| n.record.rkey), column(notifs, |n| n.about), column(notifs, |n| n.sort));
    let (recipients, authors) = (column(notifs, |n| n.recipient), column(notifs, |n| n.record.author));
    execute(client, SQL, &[&rkeys, &abouts, &sorts, &recipients, &authors, &column(notifs, |n| n.reason.number())]).await
}

/// Removes notifications, by record, recipient and reason.
pub async fn delete(client: &impl GenericClient, notifs: &[Notif]) -> Result<u64, Error> {
    const SQL: &str = concat!(
        "-- notif::delete
        DELETE FROM notif n USING UNNEST($1::int4[], $2::int8[], $3::int4[], $4::int2[]) AS k (author, rkey, recipient, reason)
        WHERE n.author = k.author AND n.rkey = k.rkey AND n.recipient = k.recipient AND n.reason = k.reason AND ",
        bucket_sql!("n.rkey", 46),
        " = ",
        bucket_sql!("k.rkey", 46),
    );
    let (authors, rkeys) = (column(notifs, |n| n.record.author), column(notifs, |n| n.record.rkey));
    execute(client, SQL, &[&authors, &rkeys, &column(notifs, |n| n.recipient), &column(notifs, |n| n.reason.number())]).await
}

/// `None`: a reason that this version does not know.
fn notif(row: &Row) -> Result<Option<Notif>, Error> {
    let Some(reason) = Reason::from_number(row.try_get(3)?) else { return Ok(None) };
    let record = Ref { rkey: row.try_get(0)?, author: row.try_get(1)? };
    Ok(Some(Notif { record, recipient: row.try_get(2)?, reason, about: row.try_get(4)?, sort: row.try_get(5)? }))
}
