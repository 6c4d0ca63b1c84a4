//! Has partitions read when something arrives: at once where it is an entry, within a quarter of a second where a position moved.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::board::Place;
use super::context::Context;
use crate::net::Backoff;
use crate::queue::{Position, QueueError, Stream, Waker};

/// Positions move without entries too, and a store may go back: then nothing wakes.
const POLL: Duration = Duration::from_millis(250);
/// Between two wake-ups: what arrives meanwhile is read in one go.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks at every partition now and then.
pub async fn poll(context: Arc<Context>) {
    let mut ticks = tokio::time::interval(POLL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while context.shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        context.board.wake_all();
    }
}

/// Waits for entries.
pub async fn run(context: Arc<Context>) {
    let mut waker = context.queue.waker();
    let mut told = HashMap::new();
    let mut backoff = Backoff::of_store();
    let wait = async {
        loop {
            match wait(&context, &mut waker, &mut told).await {
                Ok(()) => {
                    backoff.reset();
                    tokio::time::sleep(PAUSE).await;
                }
                // The pipelines meet the same trouble and tell of it.
                Err(_) => backoff.pause().await,
            }
        }
    };
    let _ = context.shutdown.run_until_cancelled(wait).await;
}

/// For each partition, up to where it had been read and the entry that was told of then: one is told of once.
type Told = HashMap<Place, (Position, Position)>;

async fn wait(context: &Context, waker: &mut Waker, told: &mut Told) -> Result<(), QueueError> {
    let read = context.board.read_to();
    let after: Vec<(Arc<Stream>, Position)> = read
        .iter()
        .map(|(place, stream, read_to)| {
            let from = told.get(place).filter(|(then, _)| then == read_to).map_or(*read_to, |(_, entry)| *entry);
            (Arc::clone(stream), from)
        })
        .collect();
    if after.is_empty() {
        tokio::time::sleep(POLL).await;
        return Ok(());
    }
    for (index, entry) in waker.wait(&after).await? {
        if let Some((place, _, read_to)) = read.get(index) {
            told.insert(*place, (*read_to, entry));
            context.board.wake(*place);
        }
    }
    Ok(())
}
