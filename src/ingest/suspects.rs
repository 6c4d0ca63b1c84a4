//! Frames that could not be read, remembered so that a relay that sends the same one again does not stop the stream for ever.

use std::collections::VecDeque;

/// Unreadable frames remembered at most; the oldest is forgotten and costs one more connection.
const MAX: usize = 64;

/// The unreadable frames that ended a connection: each by the number of the readable frame before it and by its SHA-256.
#[derive(Debug, Default)]
pub struct Suspects(VecDeque<(Option<i64>, [u8; 32])>);

impl Suspects {
    /// Whether this frame ended a connection before, at the same place. If not, it is remembered.
    pub fn met_before(&mut self, predecessor: Option<i64>, digest: [u8; 32]) -> bool {
        if self.0.contains(&(predecessor, digest)) {
            return true;
        }
        if self.0.len() == MAX {
            self.0.pop_front();
        }
        self.0.push_back((predecessor, digest));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_bytes_at_the_same_place_are_met_before() {
        let mut suspects = Suspects::default();
        assert!(!suspects.met_before(Some(5), [1; 32]));
        assert!(!suspects.met_before(Some(6), [1; 32]));
        assert!(!suspects.met_before(Some(5), [2; 32]));
        assert!(suspects.met_before(Some(5), [1; 32]) && suspects.met_before(Some(5), [2; 32]));
    }

    #[test]
    fn memory_is_bounded() {
        let mut suspects = Suspects::default();
        for n in 0..1000 {
            assert!(!suspects.met_before(Some(n), [0; 32]));
        }
        assert_eq!(suspects.0.len(), MAX);
        assert!(!suspects.met_before(Some(0), [0; 32]), "the oldest is forgotten");
    }
}
