//! What was asked before: answers by name, bounded in number, and never two requests for one name at once. Says nothing about how long an
//! answer holds; who asks does.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use quick_cache::sync::Cache;

/// Names that are being asked for before those that nobody waits for any more are dropped from the list: it is cleaned now and then.
const CLEAN_AT: usize = 1024;

/// Answers of one kind.
pub struct Flights<V> {
    known: Cache<Box<str>, Known<V>>,
    flying: Mutex<HashMap<Box<str>, Weak<tokio::sync::Mutex<()>>>>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Known<V> {
    pub value: V,
    /// When it was asked for: what changed later is not in it.
    pub began: Instant,
    /// When `value` was last confirmed: before `began` where the last attempt found nobody to ask.
    pub confirmed: Instant,
    /// It was asked for although there was an answer.
    pub forced: bool,
}

impl<V: Clone> Flights<V> {
    /// Remembers up to `capacity` answers.
    pub fn new(capacity: usize) -> Self {
        Self { known: Cache::new(capacity), flying: Mutex::default() }
    }

    /// The answer for `name` that is there and `fits`, or the one that `ask` gives. Of many who want one at once a single one asks, and the
    /// others take its answer where it fits them. `ask` is given the answer that did not fit.
    pub async fn get(
        &self,
        name: &str,
        fits: impl Fn(&Known<V>) -> bool,
        ask: impl AsyncFnOnce(Option<Known<V>>, Instant) -> Known<V>,
    ) -> V {
        if let Some(known) = self.known.get(name).filter(&fits) {
            return known.value;
        }
        let flight = self.flight(name);
        let value = {
            let _landing = flight.lock().await;
            self.land(name, fits, ask).await
        };
        self.leave(name, &flight);
        value
    }

    /// Whoever has the turn of a name takes the answer that came while it waited, or asks.
    async fn land(&self, name: &str, fits: impl Fn(&Known<V>) -> bool, ask: impl AsyncFnOnce(Option<Known<V>>, Instant) -> Known<V>) -> V {
        let before = self.known.get(name);
        if let Some(known) = before.as_ref().filter(|known| fits(known)) {
            return known.value.clone();
        }
        let known = ask(before, Instant::now()).await;
        self.known.insert(name.into(), known.clone());
        known.value
    }

    /// Takes in an answer from elsewhere.
    pub fn learn(&self, name: &str, known: Known<V>) {
        self.known.insert(name.into(), known);
    }

    fn flight(&self, name: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut flying = self.flying();
        if let Some(flight) = flying.get(name).and_then(Weak::upgrade) {
            return flight;
        }
        if flying.len() >= CLEAN_AT {
            flying.retain(|_, flight| flight.strong_count() > 0);
        }
        let flight = Arc::default();
        flying.insert(name.into(), Arc::downgrade(&flight));
        flight
    }

    /// The last one out takes the name off the list.
    fn leave(&self, name: &str, flight: &Arc<tokio::sync::Mutex<()>>) {
        let mut flying = self.flying();
        if Arc::strong_count(flight) == 1 {
            flying.remove(name);
        }
    }

    fn flying(&self) -> MutexGuard<'_, HashMap<Box<str>, Weak<tokio::sync::Mutex<()>>>> {
        self.flying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> fmt::Debug for Flights<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn known(value: u32, began: Instant) -> Known<u32> {
        Known { value, began, confirmed: began, forced: false }
    }

    #[tokio::test]
    async fn many_who_ask_at_once_are_answered_by_one_request() {
        let (flights, asked) = (Flights::new(10), AtomicU32::new(0));
        let one = || {
            flights.get(
                "name",
                |_| true,
                async |_, began| {
                    tokio::task::yield_now().await;
                    known(asked.fetch_add(1, Ordering::SeqCst), began)
                },
            )
        };
        let (a, b, c) = tokio::join!(one(), one(), one());
        assert_eq!((a, b, c, asked.load(Ordering::SeqCst)), (0, 0, 0, 1));
        assert!(flights.flying().is_empty());
    }

    #[tokio::test]
    async fn an_answer_that_was_begun_before_does_not_fit_who_wants_a_newer_one() {
        let (flights, asked) = (Flights::new(10), AtomicU32::new(0));
        let newer = || {
            let arrived = Instant::now();
            flights.get("name", move |known| known.began >= arrived, async |_, began| known(asked.fetch_add(1, Ordering::SeqCst), began))
        };
        assert_eq!((newer().await, newer().await), (0, 1));
    }

    #[tokio::test]
    async fn who_asks_and_gives_up_leaves_the_others_to_ask() {
        let flights = Flights::new(10);
        let stuck = flights.get("name", |_| true, async |_, _| std::future::pending().await);
        let stuck = tokio::time::timeout(std::time::Duration::from_millis(10), stuck);
        let next = flights.get("name", |_| true, async |_, began| known(7, began));
        let (gave_up, answered) = tokio::join!(stuck, next);
        assert!(gave_up.is_err());
        assert_eq!(answered, 7);
    }
}
