//! How long to wait before the next attempt.

use std::time::Duration;

/// First pause: a relay that dropped a connection is asked again at once, or nearly.
const FIRST: Duration = Duration::from_millis(100);
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(30);

/// Pauses that double, each with jitter, so that many clients of one relay do not come back together.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
}

impl Backoff {
    #[must_use]
    pub fn new() -> Self {
        Self { next: FIRST }
    }

    /// The attempt before was worth something: begin with the shortest pause again.
    pub fn reset(&mut self) {
        self.next = FIRST;
    }

    /// The pause to make now: between half and the whole of the step.
    pub fn pause(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(LONGEST);
        step.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_attempts_are_made_within_the_first_second_or_so_and_pauses_stay_bounded() {
        let mut backoff = Backoff::new();
        let first: Duration = (0..3).map(|_| backoff.pause()).sum();
        assert!(first <= Duration::from_millis(700), "{first:?}");
        let later: Vec<_> = (0..100).map(|_| backoff.pause()).collect();
        assert!(later.iter().all(|pause| *pause <= LONGEST));
        assert!(later.last().is_some_and(|pause| *pause >= LONGEST / 2));
        backoff.reset();
        assert!(backoff.pause() <= FIRST);
    }
}
