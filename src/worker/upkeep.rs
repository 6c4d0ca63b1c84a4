//! Once a second: the heartbeat row, where other processes' partitions stand, and the queue trimmed behind what is durable.
//!
//! Never trims by an offset that was only read: the transaction that reads the offsets writes a row and commits synchronously, so that
//! when it has answered, all that they tell of is on disk.

use std::sync::Arc;
use std::time::Duration;

use super::context::{Context, Part};
use super::namesake::Namesake;
use super::sources;
use crate::db::heartbeat::{self, Before};
use crate::db::offset::{self, Offset};
use crate::db::{dead_letter, lock, pending};
use crate::index::IndexError;
use crate::queue::QueueError;
use crate::telemetry::failpoint;

const EVERY: Duration = Duration::from_secs(1);
/// Dead letters and waiting replies are counted, and dead processes forgotten, every so many seconds.
const RARELY: u32 = 10;
/// A process that was silent for this long is gone, in seconds.
const GONE: f64 = 3600.0;

/// Runs until `shutdown`.
///
/// # Errors
/// Another worker has this name.
pub async fn run(context: Arc<Context>) -> anyhow::Result<()> {
    let work = async {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut rounds = 0_u32;
        let mut namesake = Namesake::new(context.telemetry.status().get().instance);
        loop {
            ticks.tick().await;
            match round(&context, rounds.is_multiple_of(RARELY)).await {
                Ok(before) => {
                    context.works(Part::Upkeep);
                    namesake.look(&context.process, before)?;
                }
                Err(error) => context.trouble(Part::Upkeep, &*error),
            }
            rounds = rounds.wrapping_add(1);
        }
    };
    context.shutdown.run_until_cancelled(work).await.unwrap_or(Ok(()))
}

/// One round; whose the heartbeat row was before.
async fn round(context: &Context, rarely: bool) -> anyhow::Result<Option<Before>> {
    let known = context.board.offsets();
    let (durable, before) = durable_offsets(context, rarely).await?;
    // Partitions of others move there; one's own would not notice, while it is idle, that the database went back.
    if sources::correct(context, &known, &durable) {
        sources::reread(context).await?;
    }
    context.show_progress();
    failpoint::hit("worker.before_trim");
    trim(context, &durable).await?;
    failpoint::hit("worker.after_trim");
    Ok(before)
}

async fn durable_offsets(context: &Context, rarely: bool) -> Result<(Vec<Offset>, Option<Before>), IndexError> {
    let mut client = context.client().await?;
    if rarely {
        heartbeat::forget(&client, GONE).await?;
        let letters = dead_letter::count(&client).await?;
        let waiting = pending::count(&client).await?;
        context.telemetry.metrics().worker.pending.set(waiting);
        context.telemetry.status().worker(|status| {
            status.dead_letters = u64::try_from(letters).unwrap_or(0);
            status.pending_ops = u64::try_from(waiting).unwrap_or(0);
        });
    }
    let status = context.telemetry.status().get();
    let json = serde_json::to_string(&status).map_err(|error| IndexError::Other(error.to_string()))?;
    let transaction = client.transaction().await?;
    lock::commit_durably(&transaction).await?;
    let offsets = offset::all(&transaction).await?;
    // Before the offsets are shown: what they cover is counted.
    context.pending.count(&context.telemetry, &transaction).await?;
    let before = heartbeat::write(&transaction, &context.process, &status.roles.join(","), &json).await?;
    transaction.commit().await?;
    Ok((offsets, before))
}

/// Only this process's partitions: each is trimmed once a second, however many workers there are, and one without an owner waits for its next.
async fn trim(context: &Context, durable: &[Offset]) -> Result<(), QueueError> {
    for (_, stream, _) in context.board.offsets().into_iter().filter(|(_, stream, _)| context.board.owns(stream.part)) {
        let Some(row) = durable.iter().find(|row| row.source == *stream.source && row.part == i32::from(stream.part)) else { continue };
        if context.queue.trim(&stream, row.at).await? > 0 {
            context.telemetry.metrics().worker.trims.inc();
        }
    }
    Ok(())
}
