//! What was told to be changed, and when: a row that was read before such a look must not be remembered after it. Without this, who read a
//! row just before it changed would put it back just after it was forgotten.

use std::collections::VecDeque;

use super::Stamp;
use super::entry::Entry;
use crate::query::maps::Map;

/// Changes that are kept in mind. What is older is taken to have changed: who read before it remembers nothing.
const KEPT: usize = 65_536;

/// The last changes.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The last look.
    now: Stamp,
    /// By what was changed, the last look that told of it.
    told: Map<Entry, Stamp>,
    order: VecDeque<(Entry, Stamp)>,
    /// All looks before this one have been let go of.
    since: Stamp,
}

impl Ledger {
    /// Another look, which told of these.
    pub fn turn(&mut self, changed: impl Iterator<Item = Entry>) -> Stamp {
        self.now = Stamp(self.now.0 + 1);
        for one in changed {
            self.told.insert(one, self.now);
            self.order.push_back((one, self.now));
        }
        while self.order.len() > KEPT
            && let Some((one, at)) = self.order.pop_front()
        {
            self.since = at;
            if self.told.get(&one) == Some(&at) {
                self.told.remove(&one);
            }
        }
        self.now
    }

    /// A look that could tell nothing: everything may have changed.
    pub fn lose(&mut self) -> Stamp {
        self.now = Stamp(self.now.0 + 1);
        self.since = self.now;
        self.told.clear();
        self.order.clear();
        self.now
    }

    /// Whether it is known what was changed since the look `read`.
    pub fn reaches(&self, read: Stamp) -> bool {
        read >= self.since
    }

    /// Whether a row that was read after the look `read` may be remembered now.
    pub fn holds(&self, what: Entry, read: Stamp) -> bool {
        self.reaches(read) && self.told.get(&what).is_none_or(|told| *told <= read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Entry = Entry::Actor(1);
    const B: Entry = Entry::Counts(1);

    #[test]
    fn what_was_read_before_it_was_told_to_be_changed_is_not_remembered() {
        let mut ledger = Ledger::default();
        let first = ledger.turn([].into_iter());
        assert!(ledger.holds(A, first));
        let second = ledger.turn([A].into_iter());
        assert!(!ledger.holds(A, first) && ledger.holds(B, first));
        assert!(ledger.holds(A, second), "it was read after it was changed");
    }

    #[test]
    fn what_lies_too_far_back_counts_as_changed() {
        let mut ledger = Ledger::default();
        let first = ledger.turn([].into_iter());
        let second = ledger.turn((0..70_000).map(Entry::Counts));
        assert!(!ledger.holds(A, first), "nobody knows any more");
        assert!(ledger.holds(A, second));
        assert!(ledger.told.len() <= KEPT && ledger.order.len() <= KEPT);
        let third = ledger.lose();
        assert!(!ledger.holds(A, second) && ledger.holds(A, third));
    }
}
