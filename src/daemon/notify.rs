//! What the service manager is told (systemd's `sd_notify`): ready, stopping, and that the runtime still turns.

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

/// Asks systemd for this much more time to start, in microseconds; repeated while a server recovers.
const MORE_TIME_USEC: u32 = 60_000_000;

/// The process does its work.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The process stops, as asked.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// The start takes longer than usual, and why.
pub fn starting(what: &str) {
    tell(&[NotifyState::ExtendTimeoutUsec(MORE_TIME_USEC), NotifyState::Status(what)]);
}

/// Tells the watchdog twice a period that tasks are still being run; ends with `stop`, or at once where nobody watches.
pub async fn watchdog(stop: CancellationToken) {
    let Some(period) = sd_notify::watchdog_enabled() else {
        return stop.cancelled().await;
    };
    let mut ticks = tokio::time::interval(period / 2);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}
