//! Once a second: the heartbeat row, and the queue trimmed behind what is durable.
//!
//! Never trims by an offset that was only read: the transaction that reads the offsets writes a row and commits synchronously, so that
//! when it has answered, all that they tell of is on disk.

use std::sync::Arc;
use std::time::Duration;

use super::context::{Context, Part};
use super::sources;
use crate::db::offset::{self, Offset};
use crate::db::{dead_letter, heartbeat, lock};
use crate::index::IndexError;
use crate::queue::QueueError;
use crate::telemetry::failpoint;

const EVERY: Duration = Duration::from_secs(1);
/// Dead letters are counted, and dead processes forgotten, every so many seconds.
const RARELY: u32 = 10;
/// A process that was silent for this long is gone, in seconds.
const GONE: f64 = 3600.0;

/// Runs until `shutdown`, under the name `process`.
pub async fn run(context: Arc<Context>, process: String) {
    let work = async {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut rounds = 0_u32;
        loop {
            ticks.tick().await;
            if let Err(error) = round(&context, &process, rounds.is_multiple_of(RARELY)).await {
                context.trouble(Part::Upkeep, &*error);
            } else {
                context.works(Part::Upkeep);
            }
            rounds = rounds.wrapping_add(1);
        }
    };
    let _ = context.shutdown.run_until_cancelled(work).await;
}

async fn round(context: &Context, process: &str, rarely: bool) -> anyhow::Result<()> {
    let before = context.board.offsets();
    let durable = durable_offsets(context, process, rarely).await?;
    let row = |source: &str, part: u16| durable.iter().find(|row| row.source == source && row.part == i32::from(part));
    // An idle partition would not notice that the database went back, or that another worker went on.
    let elsewhere = before.iter().any(|(place, stream, offset)| {
        row(&stream.source, stream.part).is_none_or(|row| row.at != *offset) && context.board.offset(*place) == Some(*offset)
    });
    if elsewhere {
        sources::reread(context).await?;
    }
    failpoint::hit("worker.before_trim");
    trim(context, &durable).await?;
    failpoint::hit("worker.after_trim");
    Ok(())
}

async fn durable_offsets(context: &Context, process: &str, rarely: bool) -> Result<Vec<Offset>, IndexError> {
    let mut client = context.client().await?;
    if rarely {
        heartbeat::forget(&client, GONE).await?;
        let letters = dead_letter::count(&client).await?;
        context.telemetry.status().worker(|status| status.dead_letters = u64::try_from(letters).unwrap_or(0));
    }
    let status = context.telemetry.status().get();
    let json = serde_json::to_string(&status).map_err(|error| IndexError::Other(error.to_string()))?;
    let transaction = client.transaction().await?;
    lock::commit_durably(&transaction).await?;
    let offsets = offset::all(&transaction).await?;
    heartbeat::write(&transaction, process, &status.roles.join(","), &json).await?;
    transaction.commit().await?;
    Ok(offsets)
}

async fn trim(context: &Context, durable: &[Offset]) -> Result<(), QueueError> {
    for (_, stream, _) in context.board.offsets() {
        let Some(row) = durable.iter().find(|row| row.source == *stream.source && row.part == i32::from(stream.part)) else { continue };
        if context.queue.trim(&stream, row.at).await? > 0 {
            context.telemetry.metrics().worker.trims.inc();
        }
    }
    Ok(())
}
