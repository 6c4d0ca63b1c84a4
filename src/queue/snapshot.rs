//! A picture of one partition: floor, position and entries of the same moment.

use bytes::Bytes;
use fred::types::Value;

use super::Position;
use super::value::{bytes, int, position};

/// How much a picture holds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    pub entries: usize,
    /// No entry is taken once these many bytes of entries are together.
    pub bytes: usize,
    /// No entry is taken once these many events are together, the first entry counted as one.
    pub events: usize,
}

impl Most {
    /// Bounded by a number of entries only.
    #[must_use]
    pub fn entries(entries: usize) -> Self {
        Self { entries, bytes: NO_BOUND, events: NO_BOUND }
    }
}

/// Scripts compute with 64-bit floats: sums with it are exact, and no stream holds so much.
const NO_BOUND: usize = 1 << 50;

/// The stream holds exactly the partition's events in (floor, pos].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub floor: Position,
    pub pos: Position,
    /// Events ever appended since the partition was begun.
    pub events: u64,
    /// Whether no entry follows those in `entries`.
    pub complete: bool,
    pub entries: Vec<Entry>,
}

/// One entry of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Position of its last event.
    pub last: Position,
    /// Its events, encoded.
    pub bytes: Bytes,
    /// Events appended up to its end since the partition was begun.
    pub events: u64,
}

/// The answer is no picture of a partition.
#[derive(Debug)]
pub(super) struct Unreadable;

impl Snapshot {
    /// Reads the script's answer; `None` where the partition is absent.
    pub(super) fn read(answer: Vec<Value>) -> Result<Option<Self>, Unreadable> {
        let [floor, pos, events, complete, entries] = <[Value; 5]>::try_from(answer).map_err(|_| Unreadable)?;
        if pos.is_null() {
            return Ok(None);
        }
        let entries = entries.into_array().into_iter().map(Entry::read).collect::<Option<Vec<_>>>().ok_or(Unreadable)?;
        let read = || {
            Some(Self {
                floor: position(&floor)?,
                pos: position(&pos)?,
                events: u64::try_from(int(&events)?).ok()?,
                complete: int(&complete)? == 1,
                entries,
            })
        };
        read().map(Some).ok_or(Unreadable)
    }
}

impl Entry {
    fn read(value: Value) -> Option<Self> {
        let [last, entry, events] = <[Value; 3]>::try_from(value.into_array()).ok()?;
        Some(Self { last: position(&last)?, bytes: bytes(&entry)?, events: u64::try_from(int(&events)?).ok()? })
    }
}
