//! How far each partition of each source is applied; moved only by compare-and-set, in the transaction that holds the data.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{column, execute, query, read as rows};
use crate::atproto::Position;

/// One partition's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offset {
    /// The relay's host.
    pub source: String,
    pub part: i32,
    pub at: Position,
}

/// A move of one partition.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    pub source: &'a str,
    pub part: i32,
    pub old: Position,
    pub new: Position,
}

/// All offsets, by source and partition.
pub async fn all(client: &impl GenericClient) -> Result<Vec<Offset>, Error> {
    const SQL: &str = "-- offset::all
        SELECT source, part, epoch, seq FROM stream_offset ORDER BY source, part";
    rows(&query(client, SQL, &[]).await?, offset)
}

/// The offsets of these sources, by source and partition.
pub async fn read(client: &impl GenericClient, sources: &[&str]) -> Result<Vec<Offset>, Error> {
    const SQL: &str = "-- offset::read
        SELECT source, part, epoch, seq FROM stream_offset WHERE source = ANY($1) ORDER BY source, part";
    rows(&query(client, SQL, &[&sources]).await?, offset)
}

fn offset(row: &Row) -> Result<Offset, Error> {
    Ok(Offset { source: row.try_get(0)?, part: row.try_get(1)?, at: Position::new(row.try_get(2)?, row.try_get(3)?) })
}

/// Writes `at` for those of the partitions `0..parts` that have no row yet; how many had none.
pub async fn insert_missing(client: &impl GenericClient, source: &str, parts: i32, at: Position) -> Result<u64, Error> {
    const SQL: &str = "-- offset::insert_missing
        INSERT INTO stream_offset (source, part, epoch, seq)
        SELECT $1, p, $3, $4 FROM generate_series(0, $2::int4 - 1) p
        ON CONFLICT DO NOTHING";
    execute(client, SQL, &[&source, &parts, &at.epoch, &at.seq]).await
}

/// Moves every partition that stands at its `old`; how many did. The caller rolls back where that is fewer than it sent.
pub async fn compare_and_set(client: &impl GenericClient, moves: &[Move<'_>]) -> Result<u64, Error> {
    const SQL: &str = "-- offset::compare_and_set
        UPDATE stream_offset o SET epoch = m.new_epoch, seq = m.new_seq
        FROM UNNEST($1::text[], $2::int4[], $3::int8[], $4::int8[], $5::int8[], $6::int8[])
          AS m (source, part, old_epoch, old_seq, new_epoch, new_seq)
        WHERE o.source = m.source AND o.part = m.part AND o.epoch = m.old_epoch AND o.seq = m.old_seq";
    let (sources, parts) = (column(moves, |m| m.source), column(moves, |m| m.part));
    let (old_epochs, old_seqs) = (column(moves, |m| m.old.epoch), column(moves, |m| m.old.seq));
    let (new_epochs, new_seqs) = (column(moves, |m| m.new.epoch), column(moves, |m| m.new.seq));
    execute(client, SQL, &[&sources, &parts, &old_epochs, &old_seqs, &new_epochs, &new_seqs]).await
}
