//! One look at a partition: what is to be applied next, and how its stream is set right where it does not fit PostgreSQL.

use std::sync::Arc;

use super::board::Turn;
use crate::index::Batch;
use crate::queue::entry::{self, EntryError};
use crate::queue::{Event, Most, Position, Queue, QueueError, Snapshot};
use crate::telemetry::failpoint;

/// Entries in one picture at most; beyond its events and bytes only a bound for entries without events.
const ENTRIES: usize = 1000;
/// Bytes of entries in one picture at most (but for its last entry): a batch and its rows take a few times that, for every partition.
const BYTES: usize = 2 * 1024 * 1024;

/// What was found.
#[derive(Debug)]
pub enum Found {
    /// Nothing to apply; the picture ended at this position.
    Nothing { read_to: Position, appended: u64 },
    /// There was no stream: it was begun after the offset.
    Begun,
    /// What follows the offset was trimmed: PostgreSQL went back, or another worker went on.
    Ahead,
    /// Events, or a stretch without any.
    Work(Work),
}

/// What is to be applied of one partition.
#[derive(Debug)]
pub struct Work {
    pub batch: Batch,
    /// Events up to its end since the partition was begun.
    pub applied: u64,
    pub appended: u64,
    /// Up to where the stream was read; `None` where more entries follow.
    pub read_to: Option<Position>,
}

/// Why a partition could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Nothing can be passed over, so that its partition stands still until a person (or a newer version) has helped.
    #[error("entry {at} of {source_name}, partition {part}: {error}")]
    Entry { source_name: Arc<str>, part: u16, at: Position, error: EntryError },
}

/// Reads the partition from its offset on: about `limit` events at most.
pub async fn read(queue: &Queue, turn: &Turn, limit: usize) -> Result<Found, ReadError> {
    let most = Most { entries: ENTRIES.min(limit), bytes: BYTES, events: limit };
    let Some(snapshot) = queue.snapshot(&turn.stream, turn.offset, most).await? else {
        begin(queue, turn, true).await?;
        return Ok(Found::Begun);
    };
    if turn.offset < snapshot.floor {
        return Ok(Found::Ahead);
    }
    let picked = pick(turn, &snapshot, limit)?;
    if picked.new == turn.offset {
        return Ok(Found::Nothing { read_to: turn.offset.max(snapshot.pos), appended: snapshot.events });
    }
    let batch = Batch {
        source: Arc::clone(&turn.stream.source),
        part: i32::from(turn.stream.part),
        old: turn.offset,
        new: picked.new,
        events: picked.events,
    };
    Ok(Found::Work(Work { batch, applied: picked.applied, appended: snapshot.events, read_to: picked.all.then_some(picked.new) }))
}

/// Begins the stream anew after the offset, so that ingest sends what follows.
pub async fn begin(queue: &Queue, turn: &Turn, only_if_absent: bool) -> Result<(), QueueError> {
    queue.begin(&turn.stream, turn.offset, only_if_absent).await?;
    failpoint::hit("worker.after_begin");
    Ok(())
}

/// Events up to the offset since the partition was begun.
pub fn applied(turn: &Turn, snapshot: &Snapshot) -> Result<u64, ReadError> {
    Ok(pick(turn, snapshot, 0)?.applied)
}

struct Picked {
    new: Position,
    events: Vec<Event>,
    /// Events up to `new` since the partition was begun.
    applied: u64,
    /// Nothing of the stream follows.
    all: bool,
}

/// The events after the offset, and the offset after them. It may lie inside an entry, but never between events of one position.
fn pick(turn: &Turn, snapshot: &Snapshot, limit: usize) -> Result<Picked, ReadError> {
    let mut picked = Picked { new: turn.offset, events: Vec::new(), applied: snapshot.events, all: snapshot.complete };
    for entry in &snapshot.entries {
        let decoded = entry::decode(&entry.bytes).map_err(|error| ReadError::Entry {
            source_name: Arc::clone(&turn.stream.source),
            part: turn.stream.part,
            at: entry.last,
            error,
        })?;
        let mut left = u64::try_from(decoded.len()).unwrap_or(0);
        for event in decoded {
            let at = Position::new(entry.last.epoch, event.seq);
            if at > turn.offset {
                if picked.events.len() >= limit && at > picked.new {
                    return Ok(Picked { applied: entry.events.saturating_sub(left), all: false, ..picked });
                }
                picked.new = at;
                picked.events.push(event);
            }
            left -= 1;
        }
        picked.new = picked.new.max(entry.last);
        picked.applied = entry.events;
    }
    if picked.all {
        picked.new = picked.new.max(snapshot.pos);
        picked.applied = snapshot.events;
    }
    Ok(picked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Body, Entry};

    fn at(seq: i64) -> Position {
        Position::new(0, seq)
    }

    fn snapshot(pos: i64, complete: bool, entries: &[&[i64]]) -> Snapshot {
        let mut events = 0;
        let entries: Vec<Entry> = entries
            .iter()
            .map(|seqs| {
                events += u64::try_from(seqs.len()).unwrap();
                let body = || Body::Identity { handle: None };
                let packed: Vec<Event> = seqs.iter().map(|seq| Event { seq: *seq, time: 0, did: None, body: body() }).collect();
                Entry { last: at(*seqs.last().unwrap()), bytes: entry::encode(&packed).into(), events }
            })
            .collect();
        Snapshot { floor: at(0), pos: at(pos), events, complete, entries }
    }

    fn picked(offset: i64, limit: usize, snapshot: &Snapshot) -> (i64, Vec<i64>, u64, bool) {
        let stream = Arc::new(Queue::new("unix:///none", "key", "group").stream(&"a".into(), 0));
        let picked = pick(&Turn { place: 0, stream, offset: at(offset) }, snapshot, limit).unwrap();
        (picked.new.seq, picked.events.iter().map(|event| event.seq).collect(), picked.applied, picked.all)
    }

    #[test]
    fn everything_leads_to_the_position_behind_it() {
        assert_eq!(picked(0, 100, &snapshot(9, true, &[&[1, 2], &[5]])), (9, vec![1, 2, 5], 3, true));
        assert_eq!(picked(0, 100, &snapshot(9, true, &[])), (9, vec![], 0, true));
    }

    #[test]
    fn events_up_to_the_offset_are_passed_over() {
        assert_eq!(picked(2, 100, &snapshot(5, true, &[&[1, 2, 3], &[5]])), (5, vec![3, 5], 4, true));
    }

    #[test]
    fn the_offset_never_moves_back() {
        assert_eq!(picked(7, 100, &snapshot(3, true, &[])), (7, vec![], 0, true));
    }

    #[test]
    fn fewer_entries_than_there_are_lead_to_the_last_of_them() {
        assert_eq!(picked(0, 100, &snapshot(9, false, &[&[1, 2], &[5]])), (5, vec![1, 2, 5], 3, false));
    }

    #[test]
    fn a_batch_ends_inside_an_entry_but_never_between_events_of_one_position() {
        let entries: &[&[i64]] = &[&[1, 2, 3, 4], &[5]];
        assert_eq!(picked(0, 2, &snapshot(5, true, entries)), (2, vec![1, 2], 2, false));
        assert_eq!(picked(2, 2, &snapshot(5, true, entries)), (4, vec![3, 4], 4, false));
        assert_eq!(picked(0, 1, &snapshot(5, true, &[&[1, 1, 1, 2], &[5]])), (1, vec![1, 1, 1], 3, false));
    }
}
