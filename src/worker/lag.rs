//! Once a second: how many events wait, asked of the queue itself, so that the lag is true also while nothing can be applied.

use std::sync::Arc;
use std::time::Duration;

use super::board::Turn;
use super::context::Context;
use super::read::{self, ReadError};
use crate::queue::Most;

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

/// Of every partition, whoever owns it: all that waits is one entry that the offset may lie in, and those behind it.
async fn ask(context: &Context) -> Result<(), ReadError> {
    for (place, stream, offset) in context.board.offsets() {
        if let Some(snapshot) = context.queue.snapshot(&stream, offset, Most::entries(1)).await? {
            let turn = Turn { place, stream, offset };
            context.board.counted(place, offset, snapshot.events, read::applied(&turn, &snapshot)?);
        }
    }
    Ok(())
}
