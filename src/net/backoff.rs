//! How long to wait before the next attempt, for whoever repeats one.

use std::time::Duration;

/// Pauses that double, each with jitter, so that many who wait for one server do not come back in step.
#[derive(Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// For a server of somebody else: asked again at once, or nearly, and every half minute in the end.
    #[must_use]
    pub fn of_relay() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(30))
    }

    /// For a store of our own: one that comes back is noticed within two seconds.
    #[must_use]
    pub fn of_store() -> Self {
        Self::new(Duration::from_millis(50), Duration::from_secs(2))
    }

    fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// The attempt before was worth something: begin with the shortest pause again.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// The pause to make now: between half and the whole of the step.
    pub fn step(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.longest);
        step.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Makes the pause.
    pub async fn pause(&mut self) {
        tokio::time::sleep(self.step()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_asked_four_times_within_the_first_second_or_so_and_pauses_stay_bounded() {
        let mut backoff = Backoff::of_relay();
        let first: Duration = (0..3).map(|_| backoff.step()).sum();
        assert!(first <= Duration::from_millis(700), "{first:?}");
        let later: Vec<_> = (0..100).map(|_| backoff.step()).collect();
        assert!(later.iter().all(|pause| *pause <= backoff.longest));
        assert!(later.last().is_some_and(|pause| *pause >= backoff.longest / 2));
        backoff.reset();
        assert!(backoff.step() <= backoff.first);
    }
}
