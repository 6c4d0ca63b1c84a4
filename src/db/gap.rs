//! Events that a relay could not replay, as bounds: repos are to be compared by rev for them.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::{column, execute};
use crate::atproto::Position;

/// The events of one partition in (from, to) that never came.
#[derive(Debug, Clone, Copy)]
pub struct Gap<'a> {
    pub source: &'a str,
    pub part: i32,
    pub from: Position,
    pub to: Position,
    /// When ingest saw it, microseconds since 1970.
    pub time: i64,
}

/// Writes gaps down.
pub async fn insert(client: &impl GenericClient, gaps: &[Gap<'_>]) -> Result<u64, Error> {
    const SQL: &str = "-- gap::insert
        INSERT INTO gap (source, part, from_epoch, from_seq, to_epoch, to_seq, time)
        SELECT * FROM UNNEST($1::text[], $2::int4[], $3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[])";
    let (sources, parts, times) = (column(gaps, |g| g.source), column(gaps, |g| g.part), column(gaps, |g| g.time));
    let (from_epoch, from_seq) = (column(gaps, |g| g.from.epoch), column(gaps, |g| g.from.seq));
    let (to_epoch, to_seq) = (column(gaps, |g| g.to.epoch), column(gaps, |g| g.to.seq));
    execute(client, SQL, &[&sources, &parts, &from_epoch, &from_seq, &to_epoch, &to_seq, &times]).await
}
