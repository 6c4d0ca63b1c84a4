//! Frames that ingest could not use: of a known repo, or no frames at all. Kept to be looked at; nothing reads them to decide.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::{column, execute};
use crate::atproto::Position;

/// One frame that was not used.
#[derive(Debug, Clone, Copy)]
pub struct Reject<'a> {
    pub source: &'a str,
    pub at: Position,
    /// The repo; `None` for bytes that are no frame.
    pub account: Option<i32>,
    /// indexedAt, microseconds since 1970.
    pub time: i64,
    pub reason: &'a str,
    /// The frame's beginning.
    pub frame: &'a [u8],
}

/// Keeps frames; one that is there already (same place, same repo) stays as it is.
pub async fn insert(client: &impl GenericClient, rejects: &[Reject<'_>]) -> Result<u64, Error> {
    const SQL: &str = "-- reject::insert
        INSERT INTO reject (source, epoch, seq, account, time, reason, frame)
        SELECT * FROM UNNEST($1::text[], $2::int8[], $3::int8[], $4::int4[], $5::int8[], $6::text[], $7::bytea[])
        ON CONFLICT DO NOTHING";
    let (sources, epochs, seqs) = (column(rejects, |r| r.source), column(rejects, |r| r.at.epoch), column(rejects, |r| r.at.seq));
    let (accounts, times) = (column(rejects, |r| r.account), column(rejects, |r| r.time));
    let (reasons, frames) = (column(rejects, |r| r.reason), column(rejects, |r| r.frame));
    execute(client, SQL, &[&sources, &epochs, &seqs, &accounts, &times, &reasons, &frames]).await
}
