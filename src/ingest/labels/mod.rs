//! Labels: each configured labeler's `com.atproto.label.subscribeLabels`, into a stream of the queue of its own. Knows Redis only, as all of
//! ingest.
//!
//! A session is one connection and one position, which Redis says; whatever breaks, both are made anew (`session`). What is sent is checked
//! label by label, signatures included, off the I/O threads (`judge`). No labeler waits for another, and events for none of them.

pub mod judge;
mod session;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use self::session::End;
use crate::atproto::Did;
use crate::config::Config;
use crate::identity::Identities;
use crate::net::Backoff;
use crate::queue::Queue;
use crate::telemetry::Telemetry;

/// Pause before a worker is looked for again, who has to say where the labeler stands.
const WORKER_PAUSE: Duration = Duration::from_millis(500);

/// What sessions stand on.
#[derive(Debug)]
pub(super) struct Context {
    pub queue: Queue,
    pub identities: Arc<Identities>,
    pub telemetry: Telemetry,
    pub allow_unsigned: bool,
    /// Labelers' own documents may lead to private addresses.
    pub allow_private: bool,
}

/// Whom one task listens to.
#[derive(Debug)]
pub(super) struct Labeler {
    pub did: Did,
    /// Where, in place of what its document says.
    pub endpoint: Option<String>,
}

/// Listens to all configured labelers until `shutdown`. What breaks is tried again.
///
/// # Errors
/// A task that panicked.
pub async fn run(
    config: Arc<Config>,
    queue: Queue,
    identities: Arc<Identities>,
    telemetry: Telemetry,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (allow_unsigned, allow_private) = (config.labels.allow_unsigned, config.net.disable_ssrf_protection);
    let context = Arc::new(Context { queue, identities, telemetry, allow_unsigned, allow_private });
    let mut tasks = JoinSet::new();
    for (did, endpoint) in config.labels.labelers() {
        let (context, shutdown) = (Arc::clone(&context), shutdown.clone());
        let listen = async move {
            let labeler = Labeler { did, endpoint };
            // A session that is cut off leaves nothing that the next one does not find out by itself.
            let _ = Box::pin(shutdown.run_until_cancelled(sessions(&context, &labeler))).await;
        };
        tasks.spawn(listen.in_current_span());
    }
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    shutdown.cancelled().await;
    Ok(())
}

/// One session after the other, with pauses that grow while nothing is achieved.
async fn sessions(context: &Context, labeler: &Labeler) {
    let metrics = &context.telemetry.metrics().labels;
    let mut backoff = Backoff::of_relay();
    loop {
        let (end, progress) = session::run(context, labeler).await;
        metrics.sessions_ended.inc(end.reason());
        if progress {
            backoff.reset();
        }
        let pause = match &end {
            End::Again => Duration::ZERO,
            End::Wait => WORKER_PAUSE,
            End::Renumbered => {
                tracing::warn!(labeler = %labeler.did, "the labeler has begun its numbers anew; reading all it has");
                metrics.renumbered.inc();
                backoff.step()
            }
            End::Broken { reason, error } => {
                let pause = backoff.step();
                let again_in_ms = pause.as_millis();
                tracing::warn!(labeler = %labeler.did, reason, error = %format!("{error:#}"), again_in_ms, "labels: session ended");
                pause
            }
        };
        tokio::time::sleep(pause).await;
    }
}
