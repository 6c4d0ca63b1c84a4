//! Removes the rows of deleted accounts, in small transactions that take turns with those of the applier. What a partition waits for comes
//! first. Never decides what is to be removed: the database says so, and any process may go on where another ended.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::board::Place;
use super::context::{Context, Part};
use crate::db::purge;
use crate::index::{IndexError, Purged};
use crate::net::Backoff;
use crate::telemetry::failpoint;

/// How often deleted accounts are looked for.
const LOOK: Duration = Duration::from_secs(1);

/// A partition that stands still, taken, until the account's earlier rows are removed.
#[derive(Debug, Clone, Copy)]
pub struct Waiter {
    pub account: i32,
    pub place: Place,
}

/// The purge that is under way, as far as this process sees it.
#[derive(Debug)]
struct Running {
    account: i32,
    began: Instant,
    rows: u64,
}

/// Runs until `shutdown`; a transaction that is cut off then leaves nothing.
pub async fn run(context: Arc<Context>, mut waiters: mpsc::Receiver<Waiter>) {
    let work = async {
        let mut backoff = Backoff::of_store();
        let (mut waiting, mut running, mut counted) = (VecDeque::new(), None, None);
        loop {
            while let Ok(waiter) = waiters.try_recv() {
                waiting.push_back(waiter);
            }
            let step = step(&context, &mut waiting, &mut running, &mut counted).await;
            match step {
                Ok(more) => {
                    context.works(Part::Purge);
                    backoff.reset();
                    if !more {
                        waiting.extend(tokio::time::timeout(LOOK, waiters.recv()).await.ok().flatten());
                    }
                }
                Err(error) => {
                    context.trouble(Part::Purge, &error);
                    backoff.pause().await;
                }
            }
        }
    };
    let _ = context.shutdown.run_until_cancelled(work).await;
}

/// One transaction's worth; whether there may be more.
async fn step(
    context: &Context,
    waiting: &mut VecDeque<Waiter>,
    running: &mut Option<Running>,
    counted: &mut Option<Instant>,
) -> Result<bool, IndexError> {
    let mut client = context.client().await?;
    if counted.is_none_or(|at| at.elapsed() >= LOOK) {
        show(context, purge::count(&client).await?);
        *counted = Some(Instant::now());
    }
    let began = Instant::now();
    let Some(waiter) = waiting.front().copied() else {
        let purged = context.index.purge_some(&mut client).await?;
        if let Some(purged) = &purged {
            tell(context, purged, began, running);
        }
        return Ok(purged.is_some());
    };
    let purged = context.index.purge(&mut client, waiter.account).await?;
    if let Some(purged) = &purged {
        tell(context, purged, began, running);
    }
    if purged.is_none_or(|purged| purged.done) {
        waiting.pop_front();
        context.board.again(waiter.place);
    }
    Ok(true)
}

fn show(context: &Context, accounts: i64) {
    context.telemetry.metrics().worker.purges_waiting.set(accounts);
    context.telemetry.status().worker(|status| status.purges = u64::try_from(accounts).unwrap_or(0));
}

/// Counts the rows, and logs a purge where it is over, and where it is not over with its first transaction.
fn tell(context: &Context, purged: &Purged, began: Instant, running: &mut Option<Running>) {
    let Purged { account, did, rows, done } = purged;
    let metrics = &context.telemetry.metrics().worker;
    metrics.purged_rows.inc_by(*rows);
    let earlier = running.take().filter(|running| running.account == *account);
    if earlier.is_none() && !done {
        tracing::info!(did, "removing the rows of a deleted account");
    }
    let (began, rows) = earlier.map_or((began, *rows), |earlier| (earlier.began, earlier.rows + rows));
    if *done {
        metrics.purges.inc();
        let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(did, rows, duration_ms, "removed the rows of a deleted account");
    } else {
        *running = Some(Running { account: *account, began, rows });
    }
    failpoint::hit("worker.after_purge_batch");
}
