//! Record keys: the name of a record within its collection.

use std::fmt;
use std::str::FromStr;

use super::Tid;

/// A record key whose syntax was checked; most are TIDs.
///
/// Source: <https://atproto.com/specs/record-key>.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey(Box<str>);

/// The text is no record key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a record key")]
pub struct RecordKeyError;

impl RecordKey {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key as a TID, where it is one.
    #[must_use]
    pub fn tid(&self) -> Option<Tid> {
        self.0.parse().ok()
    }

    /// Whether `text` is a record key.
    #[must_use]
    pub fn is_valid(text: &str) -> bool {
        (1..=512).contains(&text.len())
            && text != "."
            && text != ".."
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:~-".contains(&b))
    }
}

impl FromStr for RecordKey {
    type Err = RecordKeyError;

    fn from_str(text: &str) -> Result<Self, RecordKeyError> {
        if Self::is_valid(text) { Ok(Self(text.into())) } else { Err(RecordKeyError) }
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
