//! Labels as pages show them.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use crate::atproto::Cid;
use crate::db::label::{self, Subject};
use crate::db::{query, read};

/// A label that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub subject: Subject,
    /// The labeler's number, and its DID.
    pub labeler: i16,
    pub src: String,
    pub val: String,
    /// Only this version of the record.
    pub cid: Option<Cid>,
    /// Microseconds since 1970.
    pub cts: i64,
    pub exp: Option<i64>,
}

/// What these labelers say of these subjects at `now`, in microseconds since 1970: nothing that was taken back or has ended. A labeler has
/// some hundred words on a subject at most (`index/label/`), so that no subject makes a page slow.
pub async fn of(client: &impl GenericClient, subjects: &[Subject], labelers: &[i16], now: i64) -> Result<Vec<Label>, Error> {
    const SQL: &str = "-- read::label::of
        SELECT l.sa, l.coll, l.sr, l.labeler, a.did, v.val, l.cid, l.cts, l.exp
        FROM UNNEST($1::int4[], $2::int2[], $3::int8[]) AS k (sa, coll, sr)
        JOIN label l ON l.sa = k.sa AND l.coll = k.coll AND l.sr = k.sr AND l.labeler = ANY ($4::int2[])
          AND NOT l.neg AND (l.exp IS NULL OR l.exp > $5)
        JOIN label_value v ON v.id = l.val
        JOIN labeler b ON b.id = l.labeler
        JOIN account a ON a.id = b.account
        ORDER BY l.labeler, l.val, l.cid";
    let (accounts, colls, rkeys) = label::columns(subjects);
    read(&query(client, SQL, &[&accounts, &colls, &rkeys, &labelers, &now]).await?, row)
}

fn row(row: &Row) -> Result<Label, Error> {
    Ok(Label {
        subject: label::subject(row)?,
        labeler: row.try_get(3)?,
        src: row.try_get(4)?,
        val: row.try_get(5)?,
        cid: label::cid(row, 6)?,
        cts: row.try_get(7)?,
        exp: row.try_get(8)?,
    })
}
