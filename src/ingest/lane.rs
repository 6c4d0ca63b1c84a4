//! One partition within a session: what was read for it and is not yet in the queue.
//!
//! Pure state, no I/O. It keeps the promise on which the queue stands: an append covers all events of the partition in (expected, last],
//! an advance is made only while none is held.

use std::collections::VecDeque;

use crate::queue::{Body, Event, Moved, Position};

/// Events in one entry at most. Larger ones save nothing more, and a reader gets them in one piece.
pub const PACK_EVENTS: usize = 128;
/// Bytes of records in one entry at most, unless one event alone is larger.
pub const PACK_BYTES: usize = 1 << 20;

/// A partition's side of the session.
#[derive(Debug)]
pub struct Lane {
    epoch: i64,
    /// Where the queue stands, as last heard.
    expected: Position,
    /// Events read and not yet known to be in the queue, in order.
    held: VecDeque<Event>,
    bytes: usize,
    last: Position,
    /// Where a partition without any past begins, until Redis has heard of it.
    begin: Option<Position>,
    asked: Option<Asked>,
    /// What is held was to be sent while an answer was awaited.
    late: bool,
}

/// What was sent and not yet answered; one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Append { last: Position, events: usize },
    Advance { to: Position },
}

/// What to send.
#[derive(Debug, PartialEq)]
pub enum Step<'a> {
    Append { expected: Position, last: Position, events: &'a [Event] },
    Advance { expected: Position, to: Position },
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// These many events are in the queue now.
    Appended(usize),
    /// The position is where it was to be.
    Stands,
    /// Another ingest was faster; these many held events are in the queue already.
    Overtaken(usize),
}

/// The queue went back or is gone: what was read since is lost with it, so the session must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the queue stands at {found:?}, where {expected} was expected")]
pub struct WentBack {
    pub expected: Position,
    pub found: Option<Position>,
}

impl Lane {
    /// A lane of a session in `epoch`, whose queue stands at `expected`.
    #[must_use]
    pub fn new(epoch: i64, expected: Position) -> Self {
        Self { epoch, expected, held: VecDeque::new(), bytes: 0, last: expected, begin: None, asked: None, late: false }
    }

    /// Where the queue stands, as last heard.
    #[must_use]
    pub fn expected(&self) -> Position {
        self.expected
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Everything up to it is in the queue or held.
    #[must_use]
    pub fn reached(&self) -> Position {
        self.last
    }

    /// Events held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether what is held was to be sent before the answer to the last step came.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.late
    }

    /// Whether the event at `seq` is neither in the queue nor held.
    #[must_use]
    pub fn wants(&self, seq: i64) -> bool {
        Position::new(self.epoch, seq) > self.last
    }

    /// Takes an event that [`Lane::wants`]; several of one number may follow each other and stay together.
    pub fn push(&mut self, event: Event) {
        self.last = self.last.max(Position::new(self.epoch, event.seq));
        self.bytes += weight(&event);
        self.held.push_back(event);
    }

    /// Says where this partition begins: nothing was ever stored for it, and the first frame of the relay comes after `at`.
    pub fn begin(&mut self, at: Position) {
        self.begin = Some(at);
        self.last = self.last.max(at);
    }

    /// Whether there is something to send and nothing is awaited.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.asked.is_none() && (self.begin.is_some() || !self.held.is_empty())
    }

    /// What to send next of what was read, where no answer is awaited.
    pub fn step(&mut self) -> Option<Step<'_>> {
        self.late = self.asked.is_some() && !self.held.is_empty();
        if !self.is_due() {
            return None;
        }
        if let Some(to) = self.begin {
            self.asked = Some(Asked::Advance { to });
            return Some(Step::Advance { expected: self.expected, to });
        }
        let events = self.pack();
        let held: &[Event] = self.held.make_contiguous();
        let events = held.get(..events)?;
        let last = Position::new(self.epoch, events.last()?.seq);
        self.asked = Some(Asked::Append { last, events: events.len() });
        Some(Step::Append { expected: self.expected, last, events })
    }

    /// How many events go into the next entry: whole groups of one number.
    fn pack(&self) -> usize {
        let (mut count, mut bytes, mut before) = (0, 0, None);
        for event in &self.held {
            bytes += weight(event);
            let full = count >= PACK_EVENTS || (count > 0 && bytes > PACK_BYTES);
            if full && before != Some(event.seq) {
                break;
            }
            before = Some(event.seq);
            count += 1;
        }
        count
    }

    /// The next advance to `read` (never back), where nothing is held or asked; also where it moves nothing, which asks whether the queue
    /// still stands there.
    pub fn advance(&mut self, read: Position) -> Option<Step<'_>> {
        if self.asked.is_some() || self.is_due() {
            return None;
        }
        let to = read.max(self.expected);
        self.asked = Some(Asked::Advance { to });
        self.last = self.last.max(to);
        Some(Step::Advance { expected: self.expected, to })
    }

    /// Redis refused for want of memory: nothing happened, and the same may be asked again.
    pub fn refused(&mut self) {
        self.asked = None;
    }

    /// Takes the answer to the last step.
    ///
    /// # Errors
    /// The queue stands before what this session knows of it.
    pub fn hear(&mut self, moved: Moved) -> Result<Heard, WentBack> {
        let asked = self.asked.take();
        let begun = self.begin.take();
        match (moved, asked) {
            (Moved::Done, Some(Asked::Append { last, events })) => {
                self.expected = last;
                self.forget(events);
                Ok(Heard::Appended(events))
            }
            (Moved::Done, Some(Asked::Advance { to })) => {
                self.expected = to;
                Ok(Heard::Stands)
            }
            (Moved::Done, None) => Ok(Heard::Stands),
            (Moved::Found(found), _) => self.overtaken(found, begun),
        }
    }

    /// Another position was found. Nothing before the first frame of a first start was read, so there only what lies behind it can be
    /// skipped to.
    fn overtaken(&mut self, found: Option<Position>, begun: Option<Position>) -> Result<Heard, WentBack> {
        let went_back = WentBack { expected: self.expected, found };
        let known_from = begun.unwrap_or(self.expected);
        let found = found.filter(|found| *found >= known_from).ok_or(went_back)?;
        let known = self.held.iter().take_while(|event| Position::new(self.epoch, event.seq) <= found).count();
        self.forget(known);
        self.expected = found;
        self.last = self.last.max(found);
        Ok(Heard::Overtaken(known))
    }

    fn forget(&mut self, events: usize) {
        let freed: usize = self.held.drain(..events.min(self.held.len())).map(|event| weight(&event)).sum();
        self.bytes = self.bytes.saturating_sub(freed);
    }
}

/// Rough size of an event in memory and in its entry.
fn weight(event: &Event) -> usize {
    /// An event without its records: ids, times, DID and paths.
    const BASE: usize = 256;
    BASE + match &event.body {
        Body::Commit(commit) => commit.ops.iter().map(|op| BASE + op.record.len()).sum(),
        Body::Reject { frame, .. } | Body::Unreadable { frame, .. } => frame.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn at(seq: i64) -> Position {
        Position::new(0, seq)
    }

    fn event(seq: i64, size: usize) -> Event {
        Event { seq, time: 0, did: None, body: Body::Unreadable { reason: String::new(), frame: Bytes::from(vec![0; size]) } }
    }

    fn seqs(step: Option<Step<'_>>) -> (Position, Position, Vec<i64>) {
        match step {
            Some(Step::Append { expected, last, events }) => (expected, last, events.iter().map(|e| e.seq).collect()),
            other => panic!("no append: {other:?}"),
        }
    }

    #[test]
    fn packs_what_is_held_and_asks_once() {
        let mut lane = Lane::new(0, at(10));
        assert!(!lane.wants(10) && lane.wants(11));
        for seq in [11, 13] {
            lane.push(event(seq, 1));
        }
        assert!(!lane.wants(12), "what lies between was read");
        assert_eq!(seqs(lane.step()), (at(10), at(13), vec![11, 13]));
        assert!(lane.step().is_none() && lane.advance(at(20)).is_none(), "one question at a time");
        assert_eq!(lane.hear(Moved::Done), Ok(Heard::Appended(2)));
        assert_eq!((lane.expected(), lane.len(), lane.bytes()), (at(13), 0, 0));
    }

    #[test]
    fn advances_only_while_nothing_is_held_and_never_back() {
        let mut lane = Lane::new(0, at(10));
        assert_eq!(lane.advance(at(12)), Some(Step::Advance { expected: at(10), to: at(12) }));
        lane.push(event(15, 1));
        assert_eq!(lane.hear(Moved::Done), Ok(Heard::Stands));
        assert!(lane.advance(at(15)).is_none());
        assert_eq!(seqs(lane.step()), (at(12), at(15), vec![15]));
        lane.hear(Moved::Done).unwrap();
        assert_eq!(lane.advance(at(3)), Some(Step::Advance { expected: at(15), to: at(15) }));
    }

    #[test]
    fn events_of_one_number_share_an_entry() {
        let mut lane = Lane::new(0, at(0));
        for seq in 1..=i64::try_from(PACK_EVENTS).unwrap() {
            lane.push(event(seq, 1));
        }
        lane.push(event(i64::try_from(PACK_EVENTS).unwrap(), 1));
        lane.push(event(1000, 1));
        let (_, last, events) = seqs(lane.step());
        assert_eq!((last, events.len()), (at(i64::try_from(PACK_EVENTS).unwrap()), PACK_EVENTS + 1));
    }

    #[test]
    fn a_large_event_travels_alone() {
        let mut lane = Lane::new(0, at(0));
        for seq in 1..=3 {
            lane.push(event(seq, PACK_BYTES));
        }
        assert_eq!(seqs(lane.step()).2, [1]);
    }

    #[test]
    fn skips_what_another_ingest_has_sent_and_sends_the_rest() {
        let mut lane = Lane::new(0, at(10));
        for seq in [11, 12, 13] {
            lane.push(event(seq, 1));
        }
        assert_eq!(seqs(lane.step()).2, [11, 12, 13]);
        assert_eq!(lane.hear(Moved::Found(Some(at(12)))), Ok(Heard::Overtaken(2)));
        assert_eq!(seqs(lane.step()), (at(12), at(13), vec![13]));
        assert_eq!(lane.hear(Moved::Found(Some(at(99)))), Ok(Heard::Overtaken(1)));
        assert!(!lane.wants(99) && lane.wants(100));
    }

    #[test]
    fn a_queue_that_went_back_or_vanished_ends_the_session() {
        for found in [None, Some(at(9)), Some(Position::LIVE)] {
            let mut lane = Lane::new(0, at(10));
            lane.advance(at(10)).unwrap();
            assert_eq!(lane.hear(Moved::Found(found)), Err(WentBack { expected: at(10), found }));
        }
    }

    #[test]
    fn a_live_start_that_another_ingest_began_earlier_is_read_again() {
        let mut lane = Lane::new(0, Position::LIVE);
        lane.begin(at(100));
        assert_eq!(lane.step(), Some(Step::Advance { expected: Position::LIVE, to: at(100) }));
        assert!(lane.hear(Moved::Found(Some(at(50)))).is_err(), "this session never read 51..=100");
        let mut lane = Lane::new(0, Position::LIVE);
        lane.begin(at(100));
        assert_eq!(lane.step(), Some(Step::Advance { expected: Position::LIVE, to: at(100) }));
        assert_eq!(lane.hear(Moved::Found(Some(at(150)))), Ok(Heard::Overtaken(0)));
    }

    #[test]
    fn another_epoch_is_later_than_any_number_before() {
        let lane = Lane::new(1, at(1_000_000));
        assert!(lane.wants(1));
    }

    proptest! {
        /// Against a queue that moves as it likes, between any two steps: what is appended is exactly what was pushed, once, in order,
        /// but for what another writer has put in between.
        #[test]
        fn nothing_is_lost_or_doubled(moves in proptest::collection::vec((0..4_u8, 1..6_i64), 1..200)) {
            let mut lane = Lane::new(0, at(0));
            let (mut pos, mut read, mut queue) = (0, 0, Vec::new());
            for (kind, by) in moves {
                match kind {
                    0 => {
                        read += by;
                        if lane.wants(read) {
                            lane.push(event(read, 1));
                        }
                    }
                    1 => {
                        // Another ingest appends all there is up to some number, as it has read the same relay.
                        let to = (pos + by).min(read);
                        if to > pos {
                            queue.extend(pos + 1..=to);
                            pos = to;
                        }
                    }
                    _ => {
                        let step = if kind == 2 { lane.step() } else { None };
                        let (expected, last, covers) = match step {
                            Some(Step::Append { expected, last, events }) => (expected.seq, last.seq, events.iter().map(|e| e.seq).collect::<Vec<_>>()),
                            _ => match lane.advance(at(read)) {
                                Some(Step::Advance { expected, to }) => (expected.seq, to.seq, Vec::new()),
                                _ => continue,
                            },
                        };
                        let moved = if expected == pos {
                            queue.extend(expected + 1..=last);
                            prop_assert!(covers.iter().all(|seq| (expected + 1..=last).contains(seq)));
                            pos = last;
                            Moved::Done
                        } else {
                            Moved::Found(Some(at(pos)))
                        };
                        prop_assert!(lane.hear(moved).is_ok());
                    }
                }
            }
            prop_assert_eq!(queue, (1..=pos).collect::<Vec<_>>());
        }
    }
}
