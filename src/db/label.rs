//! Tables `label`, `label_value` and `label_uri`: the newest word of each labeler on a subject and value. Whose word counts is decided
//! before: what is written here replaces what stands.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{column, execute, query, read};
use crate::atproto::Cid;
use crate::collection::{Coll, Ref};

/// What a label is about, in numbers: an account, a record, or an address that names neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    sa: i32,
    coll: i16,
    sr: i64,
}

impl Subject {
    const ACCOUNT: i16 = 0;
    const URI: i16 = -1;

    /// An account as a whole.
    #[must_use]
    pub fn account(id: i32) -> Self {
        Self { sa: id, coll: Self::ACCOUNT, sr: 0 }
    }

    /// A record. The key of a profile or of a labeler's service is always `self`, so that it needs no number.
    #[must_use]
    pub fn record(coll: Coll, at: Ref) -> Self {
        Self { sa: at.author, coll: coll.number(), sr: if Self::is_single(coll) { 0 } else { at.rkey } }
    }

    /// The one record of an account in such a collection ([`Subject::is_single`]).
    #[must_use]
    pub fn single(coll: Coll, author: i32) -> Self {
        Self::record(coll, Ref { rkey: 0, author })
    }

    /// A row of `label_uri`.
    #[must_use]
    pub fn uri(id: i64) -> Self {
        Self { sa: 0, coll: Self::URI, sr: id }
    }

    /// Whether accounts have one record of this collection at most, under the key `self`.
    #[must_use]
    pub fn is_single(coll: Coll) -> bool {
        coll == Coll::PROFILE || coll == Coll::LABELER
    }
}

/// What a row is of, its labeler aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub subject: Subject,
    /// A row of `label_value`.
    pub val: i32,
    /// Only this version of the record.
    pub cid: Option<Cid>,
}

/// What was said, times in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    pub cts: i64,
    pub exp: Option<i64>,
    /// It was taken back.
    pub neg: bool,
}

/// All that a labeler has said of these subjects.
pub async fn held(client: &impl GenericClient, labeler: i16, subjects: &[Subject]) -> Result<Vec<(Key, Word)>, Error> {
    const SQL: &str = "-- label::held
        SELECT l.sa, l.coll, l.sr, l.val, l.cid, l.cts, l.exp, l.neg
        FROM UNNEST($1::int4[], $2::int2[], $3::int8[]) AS k (sa, coll, sr)
        JOIN label l ON l.sa = k.sa AND l.coll = k.coll AND l.sr = k.sr AND l.labeler = $4";
    let (accounts, colls, rkeys) = columns(subjects);
    read(&query(client, SQL, &[&accounts, &colls, &rkeys, &labeler]).await?, |row| Ok((key(row)?, word(row)?)))
}

/// Writes a labeler's words, sorted, in place of those that stand there; how many.
pub async fn put(client: &impl GenericClient, labeler: i16, words: &[(Key, Word)]) -> Result<u64, Error> {
    const SQL: &str = "-- label::put
        INSERT INTO label (sa, coll, sr, labeler, val, cid, cts, exp, neg)
        SELECT sa, coll, sr, $9, val, cid, cts, exp, neg
        FROM UNNEST($1::int4[], $2::int2[], $3::int8[], $4::int4[], $5::bytea[], $6::int8[], $7::int8[], $8::bool[])
          AS k (sa, coll, sr, val, cid, cts, exp, neg)
        ON CONFLICT (sa, coll, sr, labeler, val, cid) DO UPDATE SET cts = excluded.cts, exp = excluded.exp, neg = excluded.neg";
    let subjects = column(words, |w| w.0.subject);
    let (accounts, colls, rkeys) = columns(&subjects);
    let (vals, cids) = (column(words, |w| w.0.val), column(words, |w| w.0.cid.as_ref().map(|cid| cid.as_bytes().to_vec())));
    let (times, ends, negs) = (column(words, |w| w.1.cts), column(words, |w| w.1.exp), column(words, |w| w.1.neg));
    execute(client, SQL, &[&accounts, &colls, &rkeys, &vals, &cids, &times, &ends, &negs, &labeler]).await
}

/// The ids of those of `vals` that have one.
pub async fn values(client: &impl GenericClient, vals: &[&str]) -> Result<Vec<(String, i32)>, Error> {
    const SQL: &str = "-- label::values
        SELECT v.val, v.id FROM UNNEST($1::text[]) AS k (val) JOIN label_value v ON v.val = k.val";
    read(&query(client, SQL, &[&vals]).await?, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

/// Gives ids to values that have none. Only under the lock of applying.
pub async fn add_values(client: &impl GenericClient, vals: &[&str]) -> Result<Vec<(String, i32)>, Error> {
    const SQL: &str = "-- label::add_values
        INSERT INTO label_value (val) SELECT val FROM UNNEST($1::text[]) AS k (val) RETURNING val, id";
    read(&query(client, SQL, &[&vals]).await?, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

/// The ids of those of `uris` that have one.
pub async fn uris(client: &impl GenericClient, uris: &[&str]) -> Result<Vec<(String, i64)>, Error> {
    const SQL: &str = "-- label::uris
        SELECT u.uri, u.id FROM UNNEST($1::text[]) AS k (uri)
        JOIN label_uri u ON hashtextextended(u.uri, 0) = hashtextextended(k.uri, 0) AND u.uri = k.uri";
    read(&query(client, SQL, &[&uris]).await?, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

/// Gives ids to addresses that have none. Only under the lock of applying.
pub async fn add_uris(client: &impl GenericClient, uris: &[&str]) -> Result<Vec<(String, i64)>, Error> {
    const SQL: &str = "-- label::add_uris
        INSERT INTO label_uri (uri) SELECT uri FROM UNNEST($1::text[]) AS k (uri) RETURNING uri, id";
    read(&query(client, SQL, &[&uris]).await?, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

/// The next `limit` addresses behind the row `after`, in the order of their ids.
pub async fn uris_after(client: &impl GenericClient, after: i64, limit: i64) -> Result<Vec<(String, i64)>, Error> {
    const SQL: &str = "-- label::uris_after
        SELECT uri, id FROM label_uri WHERE id > $1 ORDER BY id LIMIT $2";
    read(&query(client, SQL, &[&after, &limit]).await?, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

/// Forgets addresses, with all that was said of them.
pub async fn forget_uris(client: &impl GenericClient, ids: &[i64]) -> Result<u64, Error> {
    const WORDS: &str = "-- label::forget_uris
        DELETE FROM label WHERE sa = 0 AND coll = $2 AND sr = ANY ($1::int8[])";
    const URIS: &str = "-- label::forget_uris
        DELETE FROM label_uri WHERE id = ANY ($1::int8[])";
    let words = execute(client, WORDS, &[&ids, &Subject::URI]).await?;
    execute(client, URIS, &[&ids]).await?;
    Ok(words)
}

/// Account, collection and key of subjects, a column each.
pub(super) fn columns(subjects: &[Subject]) -> (Vec<i32>, Vec<i16>, Vec<i64>) {
    (column(subjects, |s| s.sa), column(subjects, |s| s.coll), column(subjects, |s| s.sr))
}

/// The subject in the first three columns.
pub(super) fn subject(row: &Row) -> Result<Subject, Error> {
    Ok(Subject { sa: row.try_get(0)?, coll: row.try_get(1)?, sr: row.try_get(2)? })
}

/// The CID in a column; what is none counts as absent.
pub(super) fn cid(row: &Row, at: usize) -> Result<Option<Cid>, Error> {
    Ok(row.try_get::<_, Option<&[u8]>>(at)?.and_then(|bytes| Cid::from_bytes(bytes).ok()))
}

fn key(row: &Row) -> Result<Key, Error> {
    Ok(Key { subject: subject(row)?, val: row.try_get(3)?, cid: cid(row, 4)? })
}

fn word(row: &Row) -> Result<Word, Error> {
    Ok(Word { cts: row.try_get(5)?, exp: row.try_get(6)?, neg: row.try_get(7)? })
}
