//! Once a minute: replies that waited too long for a post that is not held wait no more, in small transactions that take turns with those
//! of the applier; and changes that every API process has seen are forgotten. Any process may do it, several do no harm.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::context::{Context, Part};
use crate::db::change::{self, Mark};
use crate::index::IndexError;

/// How often is looked; the time to live is hours.
const EVERY: Duration = Duration::from_mins(1);

/// Changes are kept for this many rounds at least: whoever looks more seldom has to forget everything that it remembers (`query::cache`).
const ROUNDS: usize = 3;

/// Runs until `shutdown`; a transaction that is cut off then leaves nothing.
pub async fn run(context: Arc<Context>) {
    let work = async {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut marks = VecDeque::new();
        loop {
            ticks.tick().await;
            let swept = async {
                sweep(&context).await?;
                forget_changes(&context, &mut marks).await
            };
            match swept.await {
                Ok(()) => context.works(Part::Sweep),
                Err(error) => context.trouble(Part::Sweep, &error),
            }
        }
    };
    let _ = context.shutdown.run_until_cancelled(work).await;
}

async fn sweep(context: &Context) -> Result<(), IndexError> {
    let mut client = context.client().await?;
    let mut replies = 0;
    loop {
        let expired = context.index.expire_pending(&mut client, context.settings.pending_ttl).await?;
        context.telemetry.metrics().worker.pending_expired.inc_by(expired.replies);
        replies += expired.replies;
        if expired.done {
            break;
        }
    }
    if replies > 0 {
        tracing::info!(replies, "replies whose posts did not come in time wait no more");
    }
    Ok(())
}

/// Removes the changes of `ROUNDS` rounds ago.
async fn forget_changes(context: &Context, marks: &mut VecDeque<Mark>) -> Result<(), IndexError> {
    let client = context.client().await?;
    marks.push_back(change::mark(&client).await?);
    if marks.len() > ROUNDS
        && let Some(mark) = marks.pop_front()
    {
        change::forget(&client, &mark).await?;
    }
    Ok(())
}
