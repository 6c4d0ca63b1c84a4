//! The network's own time: it moves by chance, but the same way every time. Never reads the machine's clock.

use crate::atproto::{Tid, datetime};

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

    /// Now, as frames tell it.
    pub(super) fn time(&self) -> String {
        datetime::format_micros(self.micros)
    }

    /// A TID of now, larger than every one before it.
    pub(super) fn tid(&mut self, clock_id: u16) -> Tid {
        self.last_tid = self.micros.max(self.last_tid + 1);
        Tid::from_micros(self.last_tid, clock_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tids_never_repeat() {
        let mut clock = Clock::new(BEGINNING);
        let (a, b) = (clock.tid(1), clock.tid(1));
        assert!(a < b && a.micros() == BEGINNING);
    }
}
