//! The applier: takes all batches that are ready into one transaction. One a process; the lock inside makes it one over all processes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::sync::mpsc;

use super::board::Place;
use super::context::{Context, Part};
use super::pipeline::Ready;
use super::purge::Waiter;
use super::{report, sources};
use crate::index::{Applied, IndexError, Prepared, Purging, Waiting};
use crate::net::Backoff;
use crate::telemetry::failpoint;

/// Events that one transaction applies while a command waits: some 30 ms.
pub const BESIDE_COMMANDS: usize = 500;

/// Runs until `shutdown`; a transaction that has begun is brought to its end.
pub async fn run(context: Arc<Context>, mut ready: mpsc::Receiver<Ready>, waiters: mpsc::Sender<Waiter>) {
    let mut left = None;
    loop {
        let first = match left.take() {
            Some(first) => Some(first),
            None => context.shutdown.run_until_cancelled(ready.recv()).await.flatten(),
        };
        let Some(first) = first.filter(|_| !context.shutdown.is_cancelled()) else { return };
        let (batches, next) = gather(first, &mut ready, size(&context));
        left = next;
        let (batches, outdated): (Vec<_>, Vec<_>) =
            batches.into_iter().partition(|batch| context.board.offset(batch.place) == Some(batch.old()));
        for batch in &outdated {
            context.board.again(batch.place);
        }
        if !batches.is_empty() {
            apply(&context, batches, &waiters).await;
        }
    }
}

/// Events in the next transaction at most: few while a command waits for its turn.
fn size(context: &Context) -> usize {
    let most = context.settings.batch_size;
    if context.command_waits.load(Ordering::Acquire) { most.min(BESIDE_COMMANDS) } else { most }
}

/// All that is ready, up to `size` events; and the one that was too much.
fn gather(first: Ready, ready: &mut mpsc::Receiver<Ready>, size: usize) -> (Vec<Ready>, Option<Ready>) {
    let mut events = first.events;
    let mut batches = vec![first];
    while let Ok(next) = ready.try_recv() {
        events += next.events;
        if events > size {
            return (batches, Some(next));
        }
        batches.push(next);
    }
    (batches, None)
}

/// Applies the batches, or gives them up where their offsets are not what they were made for. Tries again while the database is away.
async fn apply(context: &Context, batches: Vec<Ready>, waiters: &mpsc::Sender<Waiter>) {
    let mut backoff = Backoff::of_store();
    let (prepared, places): (Vec<Prepared>, Vec<_>) = batches.into_iter().map(|b| (b.prepared, (b.place, b.applied))).unzip();
    let metrics = &context.telemetry.metrics().worker;
    loop {
        let started = Instant::now();
        match attempt(context, &prepared).await {
            Ok(applied) => {
                metrics.apply_seconds.observe(started.elapsed().as_secs_f64());
                report::applied(metrics, &applied);
                context.pending.more(&context.telemetry, applied.identities);
                for (batch, (place, events)) in prepared.iter().zip(&places) {
                    context.board.applied(*place, batch.reached(), *events);
                }
                context.works(Part::Apply);
                context.show_progress();
                return;
            }
            Err(IndexError::Purging(purging)) => {
                report::applied(metrics, &purging.applied);
                context.pending.more(&context.telemetry, purging.applied.identities);
                hold(context, &purging, &prepared, &places, waiters).await;
                context.works(Part::Apply);
                return;
            }
            Err(IndexError::Lost) => {
                metrics.lost.inc_by(u64::try_from(prepared.len()).unwrap_or(0));
                if let Err(error) = sources::reread(context).await {
                    context.trouble(Part::Apply, &error);
                }
                break;
            }
            Err(IndexError::Stale) => {
                metrics.stale.inc();
                break;
            }
            Err(error) => context.trouble(Part::Apply, &error),
        }
        if context.shutdown.run_until_cancelled(backoff.pause()).await.is_none() {
            break;
        }
    }
    for (place, _) in &places {
        context.board.again(*place);
    }
}

/// Gives back the partitions that were applied to the end; those that wait stay taken until the purge that they wait for is over.
async fn hold(context: &Context, purging: &Purging, prepared: &[Prepared], places: &[(Place, u64)], waiters: &mpsc::Sender<Waiter>) {
    for (batch, (place, events)) in prepared.iter().zip(places) {
        let waits = |waiting: &&Waiting| (&waiting.source, waiting.part) == (batch.source(), batch.part());
        let Some(waiting) = purging.waiting.iter().find(waits) else {
            context.board.applied(*place, batch.reached(), *events);
            continue;
        };
        context.board.correct(*place, batch.old(), waiting.reached);
        if waiters.send(Waiter { account: waiting.account, place: *place }).await.is_err() {
            context.board.again(*place);
        }
    }
}

async fn attempt(context: &Context, prepared: &[Prepared]) -> Result<Applied, IndexError> {
    let mut client = context.client().await?;
    failpoint::hit("worker.before_commit");
    let applied = context.index.apply(&mut client, prepared).await?;
    failpoint::hit("worker.after_commit");
    Ok(applied)
}
