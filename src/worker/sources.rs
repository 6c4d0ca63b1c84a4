//! Whose events there are, and where each partition stands in PostgreSQL.

use std::sync::Arc;
use std::time::Duration;

use super::board::Place;
use super::context::{Context, Part};
use crate::db::offset::{self, Offset};
use crate::index::IndexError;
use crate::net::Backoff;
use crate::queue::{Position, QueueError, Stream};

/// How often sources are looked for. An ingest that starts for the first time waits for its positions.
const LOOK: Duration = Duration::from_millis(250);

/// Puts the partitions of every source on the board, as they become known.
pub async fn run(context: Arc<Context>) {
    let mut backoff = Backoff::of_store();
    let look = async {
        loop {
            match find(&context).await {
                Ok(()) => {
                    context.works(Part::Sources);
                    backoff.reset();
                    tokio::time::sleep(LOOK).await;
                }
                Err(error) => {
                    context.trouble(Part::Sources, &*error);
                    backoff.pause().await;
                }
            }
        }
    };
    let _ = context.shutdown.run_until_cancelled(look).await;
}

async fn find(context: &Context) -> anyhow::Result<()> {
    let mut sources = context.queue.sources().await?;
    if !context.board.is_empty() && sources.iter().all(|source| context.board.has(source)) {
        return Ok(());
    }
    let client = context.client().await?;
    let stored = offset::all(&client).await?;
    let start = if stored.is_empty() { first_position(context).await? } else { start(context.cursor, None) };
    sources.extend(stored.iter().map(|row| row.source.clone()));
    sources.sort();
    sources.dedup();
    for source in sources.into_iter().filter(|source| !context.board.has(source)) {
        offset::insert_missing(&client, &source, i32::from(context.partitions), start).await?;
        add(context, &offset::read(&client, &[&source]).await?);
    }
    context.pending.count(&context.telemetry, &client).await?;
    context.show_progress();
    Ok(())
}

fn add(context: &Context, rows: &[Offset]) {
    for row in rows {
        if let Ok(part) = u16::try_from(row.part) {
            tracing::debug!(source = row.source, part, at = %row.at, "partition found");
            context.board.add(context.queue.stream(&row.source.as_str().into(), part), row.at);
        }
    }
}

/// Where the first source of an empty database starts; the old system's cursor is taken here, once.
async fn first_position(context: &Context) -> Result<Position, QueueError> {
    let old = if context.cursor.is_none() { context.queue.old_cursor().await? } else { None };
    if let Some(seq) = old {
        tracing::info!(seq, "starting where the old system stood");
    }
    Ok(start(context.cursor, old))
}

fn start(cursor: Option<i64>, old: Option<i64>) -> Position {
    cursor.or(old).map_or(Position::LIVE, |seq| Position::new(0, seq.max(0)))
}

/// Reads the offsets again, after one of them was not what this process believed; rows that are gone are written anew.
pub async fn reread(context: &Context) -> Result<(), IndexError> {
    let client = context.client().await?;
    let known = context.board.offsets();
    let mut sources: Vec<&str> = known.iter().map(|(_, stream, _)| &*stream.source).collect();
    sources.dedup();
    for source in &sources {
        offset::insert_missing(&client, source, i32::from(context.partitions), start(context.cursor, None)).await?;
    }
    let rows = offset::read(&client, &sources).await?;
    context.pending.count(&context.telemetry, &client).await?;
    correct(context, &known, &rows);
    Ok(())
}

/// Takes over the stored offsets where they are not those `known` before they were read; whether a row is missing.
pub fn correct(context: &Context, known: &[(Place, Arc<Stream>, Position)], rows: &[Offset]) -> bool {
    let mut lacks = false;
    for (place, stream, believed) in known {
        match rows.iter().find(|row| row.source == *stream.source && row.part == i32::from(stream.part)) {
            Some(row) => context.board.correct(*place, *believed, row.at),
            None => lacks = true,
        }
    }
    lacks
}
