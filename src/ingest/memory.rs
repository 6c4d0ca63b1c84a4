//! The watch on Redis' memory: above the high-water mark the relay is not read.

use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::context::Context;
use crate::queue::HighWater;

/// How often Redis is asked.
const EVERY: Duration = Duration::from_secs(1);

/// Says through `hold` whether to hold back. A Redis that does not answer changes nothing: its sessions end by themselves.
pub async fn watch(context: &Context, hold: watch::Sender<bool>) -> Infallible {
    let mut high_water = HighWater::new(context.config.queue.high_water);
    let metrics = context.telemetry.metrics();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Ok(memory) = context.queue.memory().await else { continue };
        metrics.queue.memory_bytes.set(i64::try_from(memory.used).unwrap_or(i64::MAX));
        let above = high_water.update(memory);
        let changed = hold.send_if_modified(|held| std::mem::replace(held, above) != above);
        if changed && above {
            tracing::warn!(used = memory.used, "the queue is above its high-water mark; the relay is not read until workers catch up");
        } else if changed {
            tracing::info!(used = memory.used, "the queue is below its high-water mark again");
        }
        metrics.ingest.held_back.set(i64::from(above));
        if above {
            metrics.ingest.held_back_seconds.inc_by(EVERY.as_secs());
        }
    }
}
