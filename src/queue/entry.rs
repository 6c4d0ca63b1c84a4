//! The entry codec.

use super::Event;

/// The bytes are no entry of a version that this program knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a queue entry: {0}")]
pub struct EntryError(&'static str);

/// Encodes the consecutive events of one partition as one entry.
#[must_use]
pub fn encode(events: &[Event]) -> Vec<u8> {
    let _ = events;
    Vec::new()
}

/// Reads the events of an entry; they borrow its bytes.
///
/// # Errors
/// Bytes that are no entry, or of a newer version.
pub fn decode(entry: &bytes::Bytes) -> Result<Vec<Event>, EntryError> {
    let _ = entry;
    Err(EntryError("unfinished"))
}

/// The number of events in an entry, from its head.
#[must_use]
pub fn count(entry: &[u8]) -> Option<u32> {
    let _ = entry;
    None
}
