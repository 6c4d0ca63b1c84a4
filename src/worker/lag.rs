//! Once a second: how many events wait, asked of the queue itself, so that the lag is true also while nothing can be applied.

use std::sync::Arc;
use std::time::Duration;

use super::context::Context;
use crate::queue::QueueError;

const EVERY: Duration = Duration::from_secs(1);

/// Runs until `shutdown`.
pub async fn run(context: Arc<Context>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let work = async {
        loop {
            ticks.tick().await;
            // The pipelines meet the same trouble and tell of it; meanwhile the last numbers stand.
            let _ = ask(&context).await;
            context.show_progress();
        }
    };
    let _ = context.shutdown.run_until_cancelled(work).await;
}

async fn ask(context: &Context) -> Result<(), QueueError> {
    for (place, stream, offset) in context.board.offsets() {
        if let Some(snapshot) = context.queue.snapshot(&stream, offset, 0, 0).await? {
            context.board.set_appended(place, snapshot.events);
        }
    }
    Ok(())
}
