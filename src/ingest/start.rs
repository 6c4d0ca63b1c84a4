//! Where a session begins to read, from what Redis knows. Pure.

use crate::queue::{Position, Seen};

/// A session resumes this many numbers before the last frame seen, so that the relay shows frames that are known before any that are new.
pub const EARLY: i64 = 8;

/// What is known when a session begins.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    pub positions: &'a [Option<Position>],
    pub seen: Option<Seen>,
    /// The record that the session before has found confirmed by the relay.
    pub confirmed: Option<Seen>,
    /// The epoch in which the relay was found to be by this process.
    pub at_least: i64,
    /// Where the operator wants a first start: a sequence number, 0 = the beginning of the relay's window.
    pub first: Option<i64>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// A worker has not said yet where each partition stands.
    Wait,
    /// Partitions at which nothing was ever stored are moved to this position; then plan again.
    Settle(Position),
    /// Connect to the relay.
    Open(Opening),
}

/// How to read the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    pub epoch: i64,
    /// The relay sends what comes after it; `None` = what happens from now on.
    pub cursor: Option<i64>,
    /// Nothing was ever stored: the first frame says where each partition begins.
    pub first: bool,
    /// A frame by which the relay must show that its numbers are still the same.
    pub check: Option<Seen>,
    /// The connection serves that check only: what is missing lies further back.
    pub only_check: bool,
}

/// Decides.
#[must_use]
pub fn plan(known: &Known<'_>) -> Plan {
    let Some(positions) = known.positions.iter().copied().collect::<Option<Vec<_>>>() else { return Plan::Wait };
    let seen_epoch = known.seen.as_ref().map_or(0, |seen| seen.epoch);
    let highest = positions.iter().map(|at| at.epoch).max().unwrap_or(0);
    let epoch = seen_epoch.max(highest).max(known.at_least);
    let stored = positions.iter().copied().filter(|at| !at.is_live()).min();
    match stored {
        None => first_start(epoch, known.first),
        Some(smallest) if positions.iter().any(|at| at.is_live()) => Plan::Settle(smallest),
        Some(smallest) => Plan::Open(resume(known, epoch, smallest)),
    }
}

fn first_start(epoch: i64, first: Option<i64>) -> Plan {
    match first {
        Some(cursor) if cursor > 0 => Plan::Settle(Position::new(epoch, cursor)),
        cursor => Plan::Open(Opening { epoch, cursor: cursor.map(|_| 0), first: true, check: None, only_check: false }),
    }
}

fn resume(known: &Known<'_>, epoch: i64, smallest: Position) -> Opening {
    let wanted = if smallest.epoch < epoch { 0 } else { smallest.seq.max(0) };
    let check = known.seen.clone().filter(|seen| seen.epoch == epoch && known.confirmed.as_ref() != Some(seen));
    let Some(seen) = check else {
        return Opening { epoch, cursor: Some(wanted), first: false, check: None, only_check: false };
    };
    // A cursor of 0 asks for all there is, which no relay calls outdated: an absence would then look like other numbers.
    let early = seen.seq.saturating_sub(EARLY).max(1).min(seen.seq - 1);
    Opening { epoch, cursor: Some(early), first: false, only_check: smallest.epoch < epoch || wanted < early, check: Some(seen) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stand<const N: usize>(at: [(i64, i64); N]) -> [Option<Position>; N] {
        at.map(|(epoch, seq)| Some(Position::new(epoch, seq)))
    }

    fn seen(epoch: i64, seq: i64) -> Seen {
        Seen { epoch, seq, time: 0, digest: [7; 32] }
    }

    fn known(positions: &[Option<Position>]) -> Known<'_> {
        Known { positions, seen: None, confirmed: None, at_least: 0, first: None }
    }

    fn open(epoch: i64, cursor: Option<i64>) -> Opening {
        Opening { epoch, cursor, first: false, check: None, only_check: false }
    }

    const LIVE: Option<Position> = Some(Position::LIVE);

    #[test]
    fn a_position_that_is_missing_is_waited_for() {
        assert_eq!(plan(&known(&[LIVE, None])), Plan::Wait);
    }

    #[test]
    fn first_starts() {
        let positions = [LIVE, LIVE];
        let first = |first| plan(&Known { first, ..known(&positions) });
        assert_eq!(first(None), Plan::Open(Opening { first: true, ..open(0, None) }));
        assert_eq!(first(Some(0)), Plan::Open(Opening { first: true, ..open(0, Some(0)) }));
        assert_eq!(first(Some(77)), Plan::Settle(Position::new(0, 77)));
        assert_eq!(plan(&known(&stand([(0, -1), (0, 9), (0, 4)]))), Plan::Settle(Position::new(0, 4)));
    }

    #[test]
    fn resumes_from_the_smallest_position_and_ignores_where_a_first_start_was_wanted() {
        let positions = stand([(0, 50), (0, 40)]);
        assert_eq!(plan(&Known { first: Some(3), ..known(&positions) }), Plan::Open(open(0, Some(40))));
    }

    #[test]
    fn the_relay_must_show_the_last_frame_again() {
        let positions = stand([(0, 98), (0, 100)]);
        let check = Some(seen(0, 100));
        let with = Known { seen: check.clone(), ..known(&positions) };
        assert_eq!(plan(&with), Plan::Open(Opening { check: check.clone(), ..open(0, Some(92)) }));
        let confirmed = Known { confirmed: check, ..with };
        assert_eq!(plan(&confirmed), Plan::Open(open(0, Some(98))));
    }

    #[test]
    fn what_lies_far_back_is_read_after_the_check() {
        let positions = stand([(0, 10), (0, 100)]);
        let check = Some(seen(0, 100));
        let with = Known { seen: check.clone(), ..known(&positions) };
        assert_eq!(plan(&with), Plan::Open(Opening { check: check.clone(), only_check: true, ..open(0, Some(92)) }));
        assert_eq!(plan(&Known { confirmed: check, ..with }), Plan::Open(open(0, Some(10))));
    }

    #[test]
    fn a_new_epoch_is_read_from_the_beginning() {
        let positions = stand([(0, 100), (0, 90)]);
        assert_eq!(plan(&Known { seen: Some(seen(0, 100)), at_least: 1, ..known(&positions) }), Plan::Open(open(1, Some(0))));
        // Half of the partitions have entered it when the process died.
        assert_eq!(plan(&Known { seen: Some(seen(0, 100)), ..known(&stand([(0, 100), (1, 30)])) }), Plan::Open(open(1, Some(0))));
        // All have.
        assert_eq!(plan(&known(&stand([(1, 20), (1, 30)]))), Plan::Open(open(1, Some(20))));
        // The record of the new epoch is there, and PostgreSQL went back before it.
        let check = Some(seen(1, 50));
        let positions = stand([(0, 100), (1, 50)]);
        let with = Known { seen: check.clone(), ..known(&positions) };
        let Plan::Open(opening) = plan(&with) else { panic!() };
        assert!(opening.only_check && opening.cursor == Some(42));
        assert_eq!(plan(&Known { confirmed: check, ..with }), Plan::Open(open(1, Some(0))));
    }
}
