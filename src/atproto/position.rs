//! Where a reader stands in a relay's stream.

use std::fmt;
use std::str::FromStr;

/// A place in a relay's stream: everything up to and including it has been passed. Compared as a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// How often this relay has begun its numbers anew.
    pub epoch: i64,
    /// The relay's sequence number; -1 = live, nothing was ever stored.
    pub seq: i64,
}

impl Position {
    /// Where a first start stands: begin with whatever the relay sends next.
    pub const LIVE: Self = Self { epoch: 0, seq: -1 };

    #[must_use]
    pub fn new(epoch: i64, seq: i64) -> Self {
        Self { epoch, seq }
    }

    #[must_use]
    pub fn is_live(self) -> bool {
        self == Self::LIVE
    }
}

/// `<epoch>-<seq>`, the form of a stream entry's id; the live position is `0--1`, which no entry has.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

/// The text is no position.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a position: {0:?}")]
pub struct PositionError(String);

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        text.split_once('-')
            .and_then(|(epoch, seq)| Some(Self { epoch: epoch.parse().ok()?, seq: seq.parse().ok()? }))
            .ok_or_else(|| PositionError(text.to_owned()))
    }
}
