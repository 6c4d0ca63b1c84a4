//! Manners towards the hosts that are asked: few requests at once to one site, and pauses for a host that does not answer.
//!
//! Bounded: a host that nobody asks and that has no pause is forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::net::{FetchError, Fetched};

/// Sites and hosts that are remembered before those that need not be are forgotten.
const CLEAN_AT: usize = 4096;
/// Most of each that are remembered in any case: beyond, the pauses of all are forgotten, and everybody is asked again.
const MOST: usize = 65_536;

/// How a kind of hosts is treated.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// Requests at once to a site.
    pub at_once: usize,
    /// First pause of a host that failed; it doubles.
    pub first_pause: Duration,
    pub longest_pause: Duration,
}

/// The hosts of one kind.
#[derive(Debug)]
pub struct Hosts {
    manners: Manners,
    sites: Mutex<HashMap<Box<str>, Arc<Semaphore>>>,
    resting: Mutex<HashMap<Box<str>, Rest>>,
}

#[derive(Debug, Clone, Copy)]
struct Rest {
    until: Instant,
    pause: Duration,
}

impl Hosts {
    pub fn new(manners: Manners) -> Self {
        Self { manners, sites: Mutex::default(), resting: Mutex::default() }
    }

    /// Has `ask` ask `host`, when it is its turn. `None`: the host rests, or is shut down.
    pub async fn visit(&self, host: &str, ask: impl Future<Output = Result<Fetched, FetchError>>) -> Option<Result<Fetched, FetchError>> {
        if self.rests(host) {
            return None;
        }
        let slots = self.slots(site(host));
        let _slot = slots.acquire().await.ok()?;
        if self.rests(host) {
            return None;
        }
        let answer = ask.await;
        self.tell(host, is_well(&answer));
        Some(answer)
    }

    fn rests(&self, host: &str) -> bool {
        lock(&self.resting).get(host).is_some_and(|rest| rest.until > Instant::now())
    }

    fn tell(&self, host: &str, well: bool) {
        let mut resting = lock(&self.resting);
        let before = resting.remove(host);
        if well {
            return;
        }
        let pause = before.map_or(self.manners.first_pause, |rest| (rest.pause * 2).min(self.manners.longest_pause));
        if resting.len() >= CLEAN_AT {
            let now = Instant::now();
            resting.retain(|_, rest| rest.until > now);
            if resting.len() >= MOST {
                resting.clear();
            }
        }
        resting.insert(host.into(), Rest { until: Instant::now() + pause.mul_f64(0.5 + fastrand::f64() / 2.0), pause });
    }

    fn slots(&self, site: &str) -> Arc<Semaphore> {
        let mut sites = lock(&self.sites);
        if let Some(slots) = sites.get(site) {
            return Arc::clone(slots);
        }
        if sites.len() >= CLEAN_AT {
            sites.retain(|_, slots| Arc::strong_count(slots) > 1);
        }
        let slots = Arc::new(Semaphore::new(self.manners.at_once));
        sites.insert(site.into(), Arc::clone(&slots));
        slots
    }
}

/// What hosts of one owner have in common, near enough: the last two labels. Handles under one name mostly lead to one server.
fn site(host: &str) -> &str {
    let mut dots = host.rmatch_indices('.').skip(1);
    dots.next().and_then(|(at, _)| host.get(at + 1..)).unwrap_or(host)
}

/// An answer that says "no" is well; no answer, a fault and "too many" are not.
fn is_well(answer: &Result<Fetched, FetchError>) -> bool {
    match answer {
        Ok(fetched) => !fetched.status.is_server_error() && fetched.status.as_u16() != 429,
        Err(FetchError::Url(_) | FetchError::TooLong(_) | FetchError::Redirect(_)) => true,
        Err(FetchError::Private(_) | FetchError::Connect(_) | FetchError::Http(_) | FetchError::Timeout(_)) => false,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANNERS: Manners = Manners { at_once: 2, first_pause: Duration::from_mins(1), longest_pause: Duration::from_mins(2) };

    fn down() -> impl Future<Output = Result<Fetched, FetchError>> {
        std::future::ready(Err(FetchError::Timeout(Duration::ZERO)))
    }

    #[test]
    fn a_site_is_the_last_two_labels() {
        for (host, of) in [("a.b.bsky.social", "bsky.social"), ("bsky.social", "bsky.social"), ("localhost", "localhost")] {
            assert_eq!(site(host), of);
        }
    }

    #[tokio::test]
    async fn a_host_that_does_not_answer_rests_and_its_neighbours_do_not() {
        let hosts = Hosts::new(MANNERS);
        assert!(hosts.visit("a.example", down()).await.is_some());
        assert!(hosts.visit("a.example", down()).await.is_none());
        assert!(hosts.visit("b.example", down()).await.is_some());
    }

    #[tokio::test]
    async fn a_site_has_few_requests_at_once() {
        let hosts = Hosts::new(MANNERS);
        let (a, b) = (hosts.visit("a.x.example", std::future::pending()), hosts.visit("b.x.example", std::future::pending()));
        let held = async { tokio::join!(a, b) };
        let third = tokio::time::timeout(Duration::from_millis(20), hosts.visit("c.x.example", down()));
        tokio::select! {
            // Those that are held ask first.
            biased;
            _ = held => panic!("pending requests ended"),
            waited = third => assert!(waited.is_err(), "a third request was sent at once"),
        }
        assert!(hosts.visit("d.other.test", down()).await.is_some());
    }
}
