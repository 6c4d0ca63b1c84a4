//! Dead letters: one a path, a bounded number a repo and day. Beyond that only the number is kept.

use std::collections::HashMap;

use crate::db::dead_letter::{Day, Letter, Place};
use crate::index::Applied;

/// Letters of one repo and day (UTC) that are written.
const DAILY: i32 = 100;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// The day of a time in microseconds since 1970.
pub(in crate::index) fn day(time: i64) -> i32 {
    i32::try_from(time.div_euclid(DAY)).unwrap_or_default()
}

#[derive(Debug, Default)]
pub(in crate::index) struct LetterSlot {
    /// One was there.
    pub before: bool,
    /// It is still there.
    pub held: bool,
    pub new: Option<Letter>,
}

/// The letters of every account with an op.
#[derive(Debug, Default)]
pub(in crate::index) struct Letters {
    pub slots: HashMap<i32, HashMap<(String, String), LetterSlot>>,
    pub days: HashMap<(i32, i32), Day>,
}

impl Letters {
    /// Takes in a path that has a letter.
    pub fn settle(&mut self, place: Place) {
        let slot = LetterSlot { before: true, held: true, new: None };
        self.slots.entry(place.account).or_default().insert((place.coll, place.rkey), slot);
    }

    /// A later op on the path: its letter says nothing any more.
    pub fn remove(&mut self, account: i32, coll: &str, rkey: &str) {
        let Some(slots) = self.slots.get_mut(&account) else { return };
        if let Some(slot) = slots.get_mut(&(coll.to_owned(), rkey.to_owned())) {
            (slot.held, slot.new) = (false, None);
        }
    }

    /// Writes a letter in place of the path's earlier one, while the day has room.
    pub fn add(&mut self, letter: Letter, applied: &mut Applied) {
        self.remove(letter.account, &letter.coll, &letter.rkey);
        let (account, day) = (letter.account, day(letter.time));
        let day = self.days.entry((account, day)).or_insert(Day { account, day, kept: 0, dropped: 0 });
        if day.kept >= DAILY {
            day.dropped += 1;
            applied.dead_letters_dropped += 1;
            return;
        }
        day.kept += 1;
        applied.dead_letters += 1;
        let path = (letter.coll.clone(), letter.rkey.clone());
        self.slots.entry(account).or_default().entry(path).or_default().new = Some(letter);
    }
}
