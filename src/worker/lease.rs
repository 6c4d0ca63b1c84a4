//! Which partitions this process works on: a fair share among the live workers, taken, renewed and given up by rows of the table `lease`.
//!
//! Only for fairness: two processes that both believe to own a partition do no harm, since the compare on commit lets one of them win. The
//! database's clock alone decides what has run out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::context::{Context, Part};
use super::share::{self, Held, Plan};
use super::sources;
use crate::db::lease::{self, Lease};
use crate::db::{Client, heartbeat};
use crate::index::IndexError;

/// For how long a lease is taken, in seconds: what a killed process had rests for as long.
const LEASE: f64 = 10.0;
/// Leases are renewed so often that two attempts may fail.
const RENEW: Duration = Duration::from_secs(3);
/// How often the rows are looked at: what another process gives up rests for as long.
const LOOK: Duration = Duration::from_secs(1);
/// How often, while a batch of what is to be given up is under way.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// A worker that was silent for this long, in seconds, has no claim on a share: five heartbeats are missing. What it has it keeps for as long
/// as its leases run.
const ALIVE: f64 = 5.0;
/// A worker that the queue has not answered for this long works for nobody: as long as what a killed one had rests.
const AWAY: Duration = Duration::from_secs(10);
/// The role of those who take a share, as it stands in the heartbeat row.
const ROLE: &str = "worker";
/// A stop does not wait longer for a database that is away: then the leases run out.
const LEAVE: Duration = Duration::from_secs(2);

/// Runs until `shutdown`; [`leave`] gives up what is owned then.
pub async fn run(context: Arc<Context>) {
    let work = async {
        let mut renewed = None;
        loop {
            let pause = match round(&context, &mut renewed).await {
                Ok(pause) => {
                    context.works(Part::Leases);
                    pause
                }
                Err(error) => {
                    context.trouble(Part::Leases, &error);
                    LOOK
                }
            };
            tokio::time::sleep(pause).await;
        }
    };
    let _ = context.shutdown.run_until_cancelled(work).await;
}

/// One look at the rows and what follows from it; the pause until the next. `renewed`: when leases were last taken or renewed.
async fn round(context: &Context, renewed: &mut Option<Instant>) -> Result<Duration, IndexError> {
    let client = context.client().await?;
    let rows = lease::all(&client).await?;
    let workers = heartbeat::alive(&client, ROLE, ALIVE).await?;
    // Asked for all the time, also by a worker without partitions; the database answers, so that it is Redis that does not.
    let queue_away = context.is_troubled_for(Part::Sources, AWAY);
    context.telemetry.status().worker(|status| status.queue_away = queue_away);
    let plan = if queue_away && workers.iter().any(|worker| *worker != context.process) {
        share::leave(&held(&rows), &context.process)
    } else {
        share::plan(context.partitions, &held(&rows), &workers, &context.process)
    };
    let pause = give_up(context, &client, &plan.give_up).await?;
    let owned = context.board.owned();
    let is_due = renewed.is_none_or(|at| at.elapsed() >= RENEW) || plan.keep.iter().any(|part| !owned.contains(part));
    let kept = if is_due || !plan.claim.is_empty() {
        *renewed = Some(Instant::now());
        take(context, &client, &plan).await?
    } else {
        plan.keep.into_iter().collect()
    };
    for part in owned.difference(&kept) {
        tracing::warn!(part, "another worker has taken over a partition of this one");
        context.board.disown(*part);
        context.telemetry.metrics().worker.leases_lost.inc();
    }
    begin(context, kept.difference(&owned).copied().collect()).await?;
    show(context);
    Ok(pause)
}

fn held(rows: &[Lease]) -> Vec<Held<'_>> {
    rows.iter().filter_map(|row| Some(Held { part: u16::try_from(row.part).ok()?, owner: &row.owner, runs: row.runs })).collect()
}

/// Hands these out no more, and gives up those of them whose batch has ended.
async fn give_up(context: &Context, client: &Client, parts: &[u16]) -> Result<Duration, IndexError> {
    for part in parts {
        context.board.disown(*part);
    }
    let ended: Vec<i32> = parts.iter().filter(|part| !context.board.is_busy(**part)).map(|part| i32::from(*part)).collect();
    if !ended.is_empty() {
        let given_up = lease::give_up(client, &context.process, &ended).await?;
        context.telemetry.metrics().worker.leases_given_up.inc_by(given_up);
        tracing::info!(parts = ?ended, "partitions given up, so that another worker has its share");
    }
    Ok(if ended.len() < parts.len() { LOOK_AGAIN } else { LOOK })
}

/// Takes and renews; what this process owns now.
async fn take(context: &Context, client: &Client, plan: &Plan) -> Result<BTreeSet<u16>, IndexError> {
    let wanted: Vec<i32> = plan.keep.iter().chain(&plan.claim).map(|part| i32::from(*part)).collect();
    let taken = lease::take(client, &context.process, &wanted, LEASE).await?;
    Ok(taken.into_iter().filter_map(|part| u16::try_from(part).ok()).collect())
}

/// Begins to work on partitions that were just taken: somebody else may have moved their offsets until then.
async fn begin(context: &Context, parts: Vec<u16>) -> Result<(), IndexError> {
    if parts.is_empty() {
        return Ok(());
    }
    sources::reread(context).await?;
    tracing::info!(?parts, "partitions taken");
    context.telemetry.metrics().worker.leases_taken.inc_by(u64::try_from(parts.len()).unwrap_or(0));
    for part in parts {
        context.board.own(part);
    }
    Ok(())
}

fn show(context: &Context) {
    let owned = u16::try_from(context.board.owned().len()).unwrap_or(u16::MAX);
    context.telemetry.metrics().worker.partitions.set(owned.into());
    context.telemetry.status().worker(|status| status.partitions = owned);
}

/// Gives everything up at once, and the name with it, after the last batch has ended.
pub async fn leave(context: &Context) {
    let leave = async {
        let client = context.client().await?;
        heartbeat::remove(&client, &context.process).await?;
        let all: Vec<i32> = (0..i32::from(context.partitions)).chain([lease::IDENTITIES]).collect();
        Ok::<_, IndexError>(lease::give_up(&client, &context.process, &all).await?)
    };
    match tokio::time::timeout(LEAVE, leave).await {
        Ok(Ok(given_up)) => tracing::info!(given_up, "partitions given up"),
        Ok(Err(error)) => tracing::warn!(%error, "partitions could not be given up; their leases run out"),
        Err(_) => tracing::warn!("partitions could not be given up in time; their leases run out"),
    }
}
