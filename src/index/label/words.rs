//! Which of a labeler's words count: of each subject, value and CID the one of the latest time, and of those of one time the last. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::Labelled;
use crate::db::label::{Key, Subject, Word};

/// Words of one labeler on one subject, those that were taken back among them: what a page reads of one subject stays bounded. Labelers of
/// versions of a record have some dozen.
const MOST: usize = 256;

/// What comes of what is said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Play {
    /// Rows to be written, sorted.
    pub changed: Vec<(Key, Word)>,
    pub labelled: Labelled,
}

/// Plays what is `said`, in its order, on all that is `held` of its subjects.
pub(super) fn play(held: Vec<(Key, Word)>, said: Vec<(Key, Word)>) -> Play {
    let mut words: BTreeMap<Key, Word> = held.into_iter().collect();
    let mut counts: BTreeMap<Subject, usize> = BTreeMap::new();
    for key in words.keys() {
        *counts.entry(key.subject).or_default() += 1;
    }
    let (mut changed, mut labelled) = (BTreeSet::new(), Labelled::default());
    for (key, word) in said {
        let count = counts.entry(key.subject).or_default();
        match words.get(&key) {
            Some(held) if held.cts > word.cts => {
                labelled.older += 1;
                continue;
            }
            Some(_) => {}
            None if *count >= MOST => {
                labelled.too_many += 1;
                continue;
            }
            None => *count += 1,
        }
        words.insert(key, word);
        changed.insert(key);
        labelled.said += 1;
    }
    Play { changed: changed.into_iter().filter_map(|key| Some((key, *words.get(&key)?))).collect(), labelled }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(val: i32) -> Key {
        Key { subject: Subject::account(1), val, cid: None }
    }

    fn word(cts: i64, neg: bool) -> Word {
        Word { cts, exp: None, neg }
    }

    #[test]
    fn the_later_time_wins_and_of_one_time_the_last() {
        let held = vec![(key(1), word(10, true)), (key(2), word(10, false)), (key(3), word(10, false))];
        let said = vec![(key(1), word(9, false)), (key(2), word(10, true)), (key(4), word(5, true)), (key(4), word(4, false))];
        let Play { changed, labelled } = play(held, said);
        assert_eq!(changed, [(key(2), word(10, true)), (key(4), word(5, true))]);
        assert_eq!(labelled, Labelled { said: 2, older: 2, too_many: 0 });
    }

    #[test]
    fn a_labeler_has_so_many_words_on_a_subject_and_no_more() {
        let many = i32::try_from(MOST).unwrap();
        let said: Vec<_> = (0..many + 5).map(|val| (key(val), word(1, false))).chain([(key(0), word(2, true))]).collect();
        let Play { changed, labelled } = play(Vec::new(), said);
        assert_eq!((changed.len(), labelled.too_many, changed[0]), (MOST, 5, (key(0), word(2, true))));
    }
}
