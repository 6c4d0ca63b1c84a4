//! The worker role: from the queue into PostgreSQL through index/.
//!
//! Pipelines take partitions off the board, read and prepare their batches in parallel; one applier takes what is ready into one
//! transaction. Several worker processes share the partitions by leases; that each event is applied once never depends on them: the compare
//! on commit lets one process win, and the other reads the offsets again.

mod applier;
mod board;
mod commands;
mod context;
mod identity;
mod labels;
mod lag;
mod lease;
mod namesake;
mod pipeline;
mod purge;
mod read;
mod report;
mod share;
mod sources;
mod sweep;
mod upkeep;
mod wake;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use deadpool_postgres::Pool;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use self::board::Board;
use self::context::{Context, Part, Troubles};
use crate::config::Config;
use crate::db::meta;
use crate::identity::Identities;
use crate::index::{Index, IndexError};
use crate::net::{Backoff, Endpoint};
use crate::queue::{HASH_NAME, Queue, QueueError};
use crate::telemetry::Telemetry;

/// Applies the queue until `shutdown`; what is being applied then is brought to its end. `pool` = connections for writing to a migrated
/// database; `worker.consumer_id` is set. What is found out of accounts is told to `identities`, so that the api of this process knows it.
///
/// # Errors
/// A queue or database that was made for other settings, a Redis that must not be used as it is, another worker of this name. Everything else is retried.
pub async fn run(
    config: Arc<Config>,
    queue: Queue,
    pool: Pool,
    identities: Arc<Identities>,
    telemetry: Telemetry,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let current: Option<Endpoint> = config.relay.url.parse().ok();
    let context = Arc::new(Context {
        settings: config.worker.clone(),
        process: config.worker.consumer_id.clone().context("this process has no name")?,
        partitions: config.queue.partitions,
        cursor: config.relay.cursor,
        queue,
        pool,
        index: Index::new(config.index.clone()),
        board: Board::new(current.map(|endpoint| endpoint.authority().into())),
        telemetry,
        shutdown,
        pending: identity::Pending::default(),
        troubles: Mutex::new(Troubles::new()),
        command_waits: AtomicBool::new(false),
    });
    if !settle(&context, config.redis.allow_lossy).await? {
        return Ok(());
    }
    let pipelines = config.worker.pipelines.max(1);
    tracing::info!(pipelines, batch_size = config.worker.batch_size, "starting {pipelines} pipelines");
    context.telemetry.status().worker(|status| status.problem = None);
    context.works(Part::Sources);
    let (sender, receiver) = mpsc::channel(usize::from(config.queue.partitions).max(1));
    let mut parts = JoinSet::new();
    for _ in 0..pipelines {
        parts.spawn(part(pipeline::run(Arc::clone(&context), sender.clone())));
    }
    drop(sender);
    let (waiters, waiting) = mpsc::channel(usize::from(config.queue.partitions).max(1));
    parts.spawn(part(applier::run(Arc::clone(&context), receiver, waiters)));
    parts.spawn(part(commands::run(Arc::clone(&context))));
    let labelers = config.labels.labelers().into_iter().map(|(did, _)| did).collect();
    parts.spawn(part(labels::run(Arc::clone(&context), labelers)));
    parts.spawn(part(purge::run(Arc::clone(&context), waiting)));
    parts.spawn(part(sources::run(Arc::clone(&context))));
    parts.spawn(part(lease::run(Arc::clone(&context))));
    parts.spawn(part(wake::poll(Arc::clone(&context))));
    parts.spawn(part(wake::run(Arc::clone(&context))));
    parts.spawn(part(sweep::run(Arc::clone(&context))));
    parts.spawn(part(lag::run(Arc::clone(&context))));
    parts.spawn(part(identity::run(Arc::clone(&context), identities, config.identity.concurrency)));
    parts.spawn(upkeep::run(Arc::clone(&context)).in_current_span());
    // None ends before the shutdown, unless it panicked or must not go on: then the role ends, and with it the others.
    while let Some(ended) = parts.join_next().await {
        ended.context("a part of the worker failed")??;
    }
    lease::leave(&context).await;
    Ok(())
}

/// A part of the worker that cannot fail.
fn part(run: impl Future<Output = ()> + Send) -> impl Future<Output = anyhow::Result<()>> + Send {
    async {
        run.await;
        Ok(())
    }
    .in_current_span()
}

/// Holds both stores against the settings, waiting for them where they are away; `false` where a stop was asked for meanwhile.
async fn settle(context: &Context, allow_lossy: bool) -> anyhow::Result<bool> {
    let mut backoff = Backoff::of_store();
    let settled = async {
        loop {
            match check_queue(context, allow_lossy).await {
                Err(error) if error.is_fatal() => anyhow::bail!("{error}"),
                Err(error) => context.trouble(Part::Sources, &error),
                Ok(()) => match check_database(context).await? {
                    Ok(()) => return Ok(()),
                    Err(error) => context.trouble(Part::Sources, &error),
                },
            }
            backoff.pause().await;
        }
    };
    context.shutdown.run_until_cancelled(settled).await.transpose().map(|settled| settled.is_some())
}

async fn check_queue(context: &Context, allow_lossy: bool) -> Result<(), QueueError> {
    context.queue.check_server(allow_lossy).await?;
    context.queue.check_meta(context.partitions).await
}

/// The outer error is for a person, the inner one passes.
async fn check_database(context: &Context) -> anyhow::Result<Result<(), IndexError>> {
    let client = match context.client().await {
        Ok(client) => client,
        Err(error) => return Ok(Err(error)),
    };
    for (key, wanted) in [("partitions", context.partitions.to_string()), ("hash", HASH_NAME.to_owned())] {
        match meta::insert_or_get(&client, key, &wanted).await {
            Ok(found) => {
                anyhow::ensure!(
                    found == wanted,
                    "this database was filled from a queue with {key} = {found}, configured is {wanted}: set it back"
                );
            }
            Err(error) => return Ok(Err(error.into())),
        }
    }
    Ok(Ok(()))
}
