//! The network's own time: it moves by chance, but the same way every time. Never reads the machine's clock.

use crate::atproto::Tid;

/// When a network begins if nothing else is said: 2026-01-01T00:00:00Z, in microseconds since 1970.
pub const BEGINNING: i64 = 1_767_225_600_000_000;

/// Microseconds since 1970, and TIDs that never repeat.
#[derive(Debug)]
pub(super) struct Clock {
    micros: i64,
    last_tid: i64,
}

impl Clock {
    pub(super) fn new(micros: i64) -> Self {
        Self { micros, last_tid: 0 }
    }

    pub(super) fn advance(&mut self, micros: i64) {
        self.micros += micros;
    }

    pub(super) fn micros(&self) -> i64 {
        self.micros
    }

    /// A TID of now, larger than every one before it.
    pub(super) fn tid(&mut self, clock_id: u16) -> Tid {
        self.last_tid = self.micros.max(self.last_tid + 1);
        Tid::from_micros(self.last_tid, clock_id)
    }
}

/// A datetime as AT Protocol writes it: UTC with milliseconds.
#[must_use]
pub fn datetime(micros: i64) -> String {
    let (days, in_day) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    let (year, month, day) = civil(days);
    let (secs, millis) = (in_day / 1_000_000, in_day / 1000 % 1000);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{millis:03}Z", secs / 3600, secs / 60 % 60, secs % 60)
}

/// Year, month and day of a day counted from 1970-01-01: the proleptic Gregorian calendar by eras of 400 years that begin in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_year - (153 * from_march + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datetimes_are_those_of_the_calendar() {
        assert_eq!(datetime(BEGINNING), "2026-01-01T00:00:00.000Z");
        assert_eq!(datetime(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(datetime(951_827_696_789_000), "2000-02-29T12:34:56.789Z");
    }

    #[test]
    fn tids_never_repeat() {
        let mut clock = Clock::new(BEGINNING);
        let (a, b) = (clock.tid(1), clock.tid(1));
        assert!(a < b && a.micros() == BEGINNING);
    }
}
