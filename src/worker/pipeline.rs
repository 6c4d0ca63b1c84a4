//! A pipeline: takes a partition whose turn it is, reads it and prepares its batch for the applier. Several run in parallel.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::applier::BESIDE_COMMANDS;
use super::board::{Place, Turn};
use super::context::{Context, Part};
use super::read::{self, Found, ReadError, Work};
use super::sources;
use crate::index::{Batch, IndexError, Prepared};
use crate::net::Backoff;
use crate::queue::Position;

/// A prepared batch on its way to the applier.
#[derive(Debug)]
pub struct Ready {
    pub place: Place,
    pub prepared: Prepared,
    pub events: usize,
    /// Events up to its end since the partition was begun.
    pub applied: u64,
}

impl Ready {
    pub fn old(&self) -> Position {
        self.prepared.old()
    }
}

/// A quarter of a transaction: while one is applied, several partitions' batches for the next are prepared side by side. Never more than
/// may be applied while a command waits.
fn share(batch_size: usize) -> usize {
    (batch_size / 4).clamp(1, BESIDE_COMMANDS)
}

/// Runs until `shutdown`.
pub async fn run(context: Arc<Context>, applier: mpsc::Sender<Ready>) {
    let steps = async {
        let mut backoff = Backoff::of_store();
        loop {
            let turn = context.board.take().await;
            match read::read(&context.queue, &turn, share(context.settings.batch_size)).await {
                Ok(Found::Nothing { read_to, appended }) => context.board.idle(turn.place, read_to, appended),
                Ok(Found::Begun) => begun(&context, &turn, "absent"),
                Ok(Found::Ahead) => {
                    if let Err(error) = go_back(&context, &turn).await {
                        context.trouble(Part::Read, &*error);
                        context.board.again(turn.place);
                        backoff.pause().await;
                        continue;
                    }
                }
                Ok(Found::Work(work)) => {
                    context.board.seen(turn.place, work.read_to, work.appended);
                    let Some(ready) = prepare(&context, turn.place, work).await else {
                        context.board.again(turn.place);
                        backoff.pause().await;
                        continue;
                    };
                    if applier.send(ready).await.is_err() {
                        return;
                    }
                }
                Err(error) => {
                    complain(&context, &error);
                    context.board.again(turn.place);
                    backoff.pause().await;
                    continue;
                }
            }
            context.works(Part::Read);
            backoff.reset();
        }
    };
    let _ = context.shutdown.run_until_cancelled(steps).await;
}

fn begun(context: &Context, turn: &Turn, reason: &'static str) {
    tracing::info!(source = %turn.stream.source, part = turn.stream.part, at = %turn.offset, reason, "stream begun");
    context.telemetry.metrics().queue.begun.inc(reason);
    context.board.idle(turn.place, turn.offset, 0);
}

/// The queue was trimmed beyond the offset. Where PostgreSQL really stands there, what it lacks is sent again; a process that was frozen
/// while another worker went on only learns where it stands now.
async fn go_back(context: &Context, turn: &Turn) -> anyhow::Result<()> {
    sources::reread(context).await?;
    if context.board.offset(turn.place) == Some(turn.offset) {
        read::begin(&context.queue, turn, false).await?;
        begun(context, turn, "ahead");
    } else {
        context.board.again(turn.place);
    }
    Ok(())
}

fn complain(context: &Context, error: &ReadError) {
    if let ReadError::Entry { .. } = error {
        tracing::error!(%error, "an entry cannot be read; its partition waits");
    }
    context.trouble(Part::Read, error);
}

/// Prepares the batch. `None`: the database is in trouble; the batch is used up then, and its partition to be read again. (To keep it would
/// be to copy every event each time.)
async fn prepare(context: &Context, place: Place, work: Work) -> Option<Ready> {
    let (events, started) = (work.batch.events.len(), Instant::now());
    match attempt(context, work.batch).await {
        Ok(prepared) => {
            context.telemetry.metrics().worker.prepare_seconds.observe(started.elapsed().as_secs_f64());
            Some(Ready { place, prepared, events, applied: work.applied })
        }
        Err(error) => {
            context.trouble(Part::Prepare, &error);
            None
        }
    }
}

async fn attempt(context: &Context, batch: Batch) -> Result<Prepared, IndexError> {
    let mut client = context.client().await?;
    let prepared = context.index.prepare(&mut client, batch).await?;
    context.works(Part::Prepare);
    Ok(prepared)
}
