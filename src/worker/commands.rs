//! Commands: read from the head of their stream, applied as one transaction, then taken off it. While one waits, events give way.
//!
//! Every worker process looks; the owner of partition 0 goes first and the others step in where one still waits a moment later, so that nobody
//! does work twice without need. That each command is applied once never depends on it: it is known by its id.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::context::{Context, Part};
use crate::index::{Commanded, IndexError};
use crate::net::Backoff;
use crate::queue::{CommandEntry, Commands, QueueError};
use crate::telemetry::failpoint;

/// Commands that are applied together.
const TOGETHER: usize = 100;
/// How long a process that does not go first waits for the one that does.
const POLITE: Duration = Duration::from_millis(500);
/// Whose owner goes first.
const FIRST: u16 = 0;
/// How often outcomes are looked for that nobody will ask for any more.
const FORGET: Duration = Duration::from_mins(1);

/// Why commands were not applied now.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// Runs until `shutdown`; a transaction that is cut off then leaves nothing, and its commands wait for the next worker.
pub async fn run(context: Arc<Context>) {
    let mut stream = context.queue.commands();
    let mut forgot = None;
    let work = async {
        let mut backoff = Backoff::of_store();
        loop {
            match step(&context, &mut stream, &mut forgot).await {
                Ok(()) => {
                    context.works(Part::Commands);
                    backoff.reset();
                }
                // A key's id is gone: names are given numbers anew.
                Err(Trouble::Index(IndexError::Stale)) => {
                    context.telemetry.metrics().worker.stale.inc();
                }
                Err(error) => {
                    context.trouble(Part::Commands, &error);
                    backoff.pause().await;
                }
            }
        }
    };
    let _ = context.shutdown.run_until_cancelled(work).await;
}

/// Waits for commands and applies those that are there.
async fn step(context: &Context, stream: &mut Commands, forgot: &mut Option<Instant>) -> Result<(), Trouble> {
    let entries = stream.head(TOGETHER).await?;
    context.telemetry.metrics().queue.commands.set(i64::try_from(entries.len()).unwrap_or(i64::MAX));
    context.command_waits.store(!entries.is_empty(), Ordering::Release);
    if !entries.is_empty() && (context.board.owns(FIRST) || is_left_over(context, stream, &entries).await?) {
        apply(context, &entries).await?;
        context.command_waits.store(false, Ordering::Release);
    }
    if forgot.is_none_or(|at| at.elapsed() >= FORGET) {
        let client = context.client().await?;
        while context.index.forget_commands(&client).await? > 0 {}
        *forgot = Some(Instant::now());
    }
    Ok(())
}

/// Whether the first of `entries` still waits a moment later.
async fn is_left_over(context: &Context, stream: &mut Commands, entries: &[CommandEntry]) -> Result<bool, QueueError> {
    tokio::time::sleep(POLITE).await;
    let now = stream.head(1).await?;
    context.command_waits.store(!now.is_empty(), Ordering::Release);
    Ok(now.first().map(|entry| &entry.at) == entries.first().map(|entry| &entry.at))
}

async fn apply(context: &Context, entries: &[CommandEntry]) -> Result<(), Trouble> {
    let started = Instant::now();
    let mut client = context.client().await?;
    let commanded = context.index.command(&mut client, entries).await?;
    drop(client);
    tell(context, entries, commanded, started);
    failpoint::hit("command.before_delete");
    let done: Vec<&str> = entries.iter().map(|entry| entry.at.as_str()).collect();
    context.queue.delete_commands(&done).await?;
    Ok(())
}

fn tell(context: &Context, entries: &[CommandEntry], commanded: Commanded, started: Instant) {
    let metrics = &context.telemetry.metrics().worker;
    metrics.command_seconds.observe(started.elapsed().as_secs_f64());
    for entry in entries.iter().filter(|entry| entry.id.is_none()) {
        tracing::error!(entry = entry.at, "an entry of the commands names no command; it is taken off");
        metrics.commands.inc("unreadable");
    }
    for (outcome, n) in [("done", commanded.done), ("refused", commanded.refused), ("known", commanded.known)] {
        if n > 0 {
            metrics.commands.add(outcome, n);
        }
    }
}
