//! Requests a second and address: a bucket of tokens each, in a table that cannot grow. An address that is pushed out of the table starts
//! again with a full bucket, so a flood of addresses makes the limit milder, never the process bigger.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use quick_cache::sync::Cache;

use super::address::block;

/// Addresses that are remembered; about 100 bytes each.
const ADDRESSES: usize = 65_536;
/// A bucket holds this many seconds' worth of requests, so that a page that loads at once is no flood.
const BURST_SECONDS: f64 = 4.0;

/// The limit of one server.
#[derive(Debug)]
pub struct Throttle {
    per_second: f64,
    buckets: Cache<IpAddr, Arc<Mutex<Bucket>>>,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Throttle {
    /// `None` where `per_second` is 0: no limit.
    #[must_use]
    pub fn new(per_second: u32) -> Option<Self> {
        (per_second > 0).then(|| Self { per_second: f64::from(per_second), buckets: Cache::new(ADDRESSES) })
    }

    /// Whether a request of `address` may pass at `now`; takes its token if so.
    pub fn admit(&self, address: IpAddr, now: Instant) -> bool {
        let full = self.per_second * BURST_SECONDS;
        let fresh = || Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(Bucket { tokens: full, at: now })));
        let Ok(bucket) = self.buckets.get_or_insert_with(&block(address), fresh);
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + waited * self.per_second).min(full);
        bucket.at = now;
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_flood_is_cut_to_the_rate_and_others_pass() {
        let throttle = Throttle::new(10).unwrap();
        let (loud, quiet) = ("1.2.3.4".parse().unwrap(), "1.2.3.5".parse().unwrap());
        let start = Instant::now();
        assert_eq!((0..100).filter(|_| throttle.admit(loud, start)).count(), 40);
        assert!(throttle.admit(quiet, start));
        let later = start + Duration::from_secs(1);
        assert_eq!((0..100).filter(|_| throttle.admit(loud, later)).count(), 10);
    }
}
