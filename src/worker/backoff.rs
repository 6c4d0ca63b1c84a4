//! Pauses between attempts.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
/// A server that comes back is noticed within this time.
const LONGEST: Duration = Duration::from_secs(2);

/// Pauses that double, each with jitter, so that workers of a restarted server do not come back in step.
#[derive(Debug)]
pub struct Backoff(Duration);

impl Backoff {
    pub fn new() -> Self {
        Self(FIRST)
    }

    pub fn reset(&mut self) {
        self.0 = FIRST;
    }

    /// Makes the next pause: between half and the whole of the step.
    pub async fn pause(&mut self) {
        let step = self.0;
        self.0 = (step * 2).min(LONGEST);
        tokio::time::sleep(step.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
    }
}
