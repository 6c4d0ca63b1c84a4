//! The ingest role: a relay's stream into the queue. Knows Redis only, never PostgreSQL.
//!
//! A session is one relay connection and one set of positions; whatever breaks, both are made anew (`session`). What comes from the relay is
//! judged off the I/O threads (`pipeline`, `judge`), spread over the partitions (`intake`), packed and sent (`lane`, `session`).

mod context;
mod intake;
pub mod judge;
pub mod labels;
mod lane;
mod memory;
mod numbering;
mod open;
mod pipeline;
mod session;
mod start;
mod suspects;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::net::Backoff;
use crate::net::Endpoint;
use crate::queue::{Queue, QueueError};
use crate::telemetry::Telemetry;
use context::{Context, End, Recollection};

/// Pause before a worker is looked for again, who has to say where each partition stands.
const WORKER_PAUSE: Duration = Duration::from_millis(200);

/// Runs the role until `shutdown`, then sends what was read and returns.
///
/// # Errors
/// A relay address that is none, or a Redis that must not be used as it is. Everything else is retried.
pub async fn run(config: Arc<Config>, queue: Queue, telemetry: Telemetry, shutdown: CancellationToken) -> anyhow::Result<()> {
    let endpoint: Endpoint = config.relay.url.parse().context("relay.url")?;
    let source: Arc<str> = endpoint.authority().into();
    telemetry.status().ingest(|status| source.as_ref().clone_into(&mut status.source));
    let (hold, held_back) = watch::channel(false);
    let context = Context { config, queue, telemetry, shutdown, endpoint, source, held_back };
    tokio::select! {
        never = memory::watch(&context, hold) => match never {},
        result = sessions(&context) => result,
    }
}

/// One session after the other, with pauses that grow while nothing is achieved.
async fn sessions(context: &Context) -> anyhow::Result<()> {
    let mut backoff = Backoff::of_relay();
    let mut recollection = Recollection::default();
    loop {
        let outcome = Box::pin(session::run(context, &mut recollection)).await;
        context.show_disconnected(&outcome.end);
        if outcome.progress {
            backoff.reset();
        }
        let pause = match outcome.end {
            End::Shutdown => return Ok(()),
            End::Again => Duration::ZERO,
            End::Wait => WORKER_PAUSE,
            End::Renumbered { epoch } => {
                tracing::warn!(source = %context.source, epoch, "the relay has begun its numbers anew; reading all it has");
                recollection.at_least = recollection.at_least.max(epoch);
                backoff.step()
            }
            End::Broken { reason, error } => {
                if let Some(fatal) = error.downcast_ref::<QueueError>().filter(|error| is_fatal(error)) {
                    anyhow::bail!("{fatal}");
                }
                let pause = backoff.step();
                let again_in_ms = pause.as_millis();
                tracing::warn!(source = %context.source, reason, error = %format!("{error:#}"), again_in_ms, "session ended");
                pause
            }
        };
        tokio::select! {
            () = context.shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Errors that a person has to mend.
fn is_fatal(error: &QueueError) -> bool {
    matches!(error, QueueError::Meta { .. } | QueueError::Lossy(_) | QueueError::Version(_) | QueueError::Url(_))
}
