//! Whether a relay still counts as it did: the last frame seen must come again under its number.

use crate::queue::Seen;

/// The check of one connection.
#[derive(Debug)]
pub struct Numbering {
    expected: Option<Seen>,
    /// The relay said that it no longer has all that was asked for, so that an absence proves nothing.
    outdated: bool,
}

/// What is known after a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The numbers are those of old.
    Same,
    /// The frame that decides has not come yet.
    Open,
    /// The relay has begun its numbers anew.
    Renumbered,
}

impl Numbering {
    /// Without `expected` there is nothing to hold the relay against: its numbers are believed.
    #[must_use]
    pub fn new(expected: Option<Seen>) -> Self {
        Self { expected, outdated: false }
    }

    /// `#info OutdatedCursor` has come.
    pub fn outdated(&mut self) {
        self.outdated = true;
    }

    /// A frame of number `seq` has come; `digest` is its SHA-256.
    pub fn frame(&mut self, seq: i64, digest: impl FnOnce() -> [u8; 32]) -> Answer {
        let Some(seen) = &self.expected else { return Answer::Same };
        let same = match seq.cmp(&seen.seq) {
            std::cmp::Ordering::Less => return Answer::Open,
            std::cmp::Ordering::Equal => digest() == seen.digest,
            std::cmp::Ordering::Greater => self.outdated,
        };
        if !same {
            return Answer::Renumbered;
        }
        self.expected = None;
        Answer::Same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbering() -> Numbering {
        Numbering::new(Some(Seen { epoch: 0, seq: 10, time: 0, digest: [1; 32] }))
    }

    #[test]
    fn the_same_frame_under_its_number_is_believed_from_then_on() {
        let mut numbering = numbering();
        assert_eq!(numbering.frame(9, || [9; 32]), Answer::Open);
        assert_eq!(numbering.frame(10, || [1; 32]), Answer::Same);
        assert_eq!(numbering.frame(3, || [3; 32]), Answer::Same);
    }

    #[test]
    fn another_frame_under_its_number_or_none_is_a_new_epoch() {
        assert_eq!(numbering().frame(10, || [2; 32]), Answer::Renumbered);
        assert_eq!(numbering().frame(11, || [1; 32]), Answer::Renumbered);
    }

    #[test]
    fn an_absence_proves_nothing_where_the_window_has_moved_on_but_another_frame_does() {
        let mut moved = numbering();
        moved.outdated();
        assert_eq!(moved.frame(11, || [1; 32]), Answer::Same);
        let mut moved = numbering();
        moved.outdated();
        assert_eq!(moved.frame(10, || [2; 32]), Answer::Renumbered);
    }
}
