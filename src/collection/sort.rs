//! sortAt, the time that posts and reposts are ordered by: min(createdAt, indexedAt), so that nobody stands above the newest by a lie.

use crate::atproto::{Tid, datetime};

/// A key whose time is no further from sortAt than this orders its record by itself.
const TOLERANCE_MICROS: i64 = 60_000_000;

/// sortAt as the value of a TID, where the record's key does not say it: always for keys that are no TID. `indexed_at`: microseconds; without
/// a `created_at` it is the time.
#[must_use]
pub fn sort_key(rkey: i64, created_at: Option<&str>, indexed_at: i64) -> Option<i64> {
    let created = created_at.and_then(datetime::parse_micros).unwrap_or(indexed_at);
    let sort_at = created.min(indexed_at).max(0);
    let told = Tid::from_value(rkey).is_some_and(|tid| (tid.micros() - sort_at).abs() <= TOLERANCE_MICROS);
    (!told).then(|| Tid::from_micros(sort_at, tie_breaker(rkey)).value())
}

/// The low ten bits, so that records with one createdAt (imports, clients that know seconds only) seldom share a sort key: the low bits of
/// the key's time and clock, which differ between keys made one after the other.
fn tie_breaker(rkey: i64) -> u16 {
    u16::try_from(((rkey >> 10) ^ rkey) & 0x3ff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000_000;

    fn sort_micros(rkey: i64, created_at: &str) -> Option<i64> {
        sort_key(rkey, Some(created_at), NOW).map(|value| Tid::from_value(value).unwrap().micros())
    }

    #[test]
    fn only_what_the_key_does_not_say_is_stored() {
        let key = Tid::from_micros(NOW, 3).value();
        assert_eq!(sort_micros(key, "2023-11-14T22:13:20.000Z"), None);
        assert_eq!(sort_micros(key, "2023-11-14T22:12:20.000Z"), None);
        assert_eq!(sort_micros(key, "2023-11-14T22:12:19.999Z"), Some(NOW - 60_001_000));
        assert_eq!(sort_micros(key, "2020-01-01T01:00:00+01:00"), Some(1_577_836_800_000_000));
    }

    #[test]
    fn a_future_record_sorts_where_it_was_indexed() {
        let future = Tid::from_micros(NOW + 3_600_000_000, 0).value();
        assert_eq!(sort_micros(future, "2030-01-01T00:00:00.000Z"), Some(NOW));
    }

    #[test]
    fn keys_that_are_no_tid_always_carry_it() {
        assert_eq!(sort_micros(-5, "2023-11-14T22:13:20.000Z"), Some(NOW));
        assert_eq!(sort_micros(-5, "no time"), Some(NOW));
        assert_eq!(sort_micros(-5, "1900-01-01T00:00:00.000Z"), Some(0));
    }
}
