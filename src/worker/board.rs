//! Whose turn it is: where each partition stands, and that at most one batch of it is under way. Hands out only partitions that this
//! process owns, but knows where all stand. Never waits while it holds its lock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::queue::{Position, Stream};

/// Place of a partition on the board.
pub type Place = usize;

/// A partition that was taken to be read; it stays taken until it is given back by [`Board::idle`], [`Board::applied`] or [`Board::again`].
#[derive(Debug, Clone)]
pub struct Turn {
    pub place: Place,
    pub stream: Arc<Stream>,
    /// Where its offset stands.
    pub offset: Position,
}

#[derive(Debug, Default)]
pub struct Board {
    inner: Mutex<Inner>,
    ready: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    parts: Vec<Part>,
    /// Those that are ready, the longest waiting first.
    ready: VecDeque<Place>,
    /// The partitions of this process, over all sources.
    owned: BTreeSet<u16>,
    /// The relay that is read now; partitions of others come before its own.
    current: Option<Arc<str>>,
}

#[derive(Debug)]
struct Part {
    stream: Arc<Stream>,
    offset: Position,
    state: State,
    /// It was woken while it was taken.
    woken: bool,
    /// The last picture held all its entries, up to here.
    read_to: Option<Position>,
    /// Nothing was left when it was read last.
    drained: bool,
    /// Events appended since the partition was begun: ever, and up to its offset.
    appended: u64,
    applied: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Ready,
    Taken,
}

impl Board {
    /// `current` = the source that is read now.
    pub fn new(current: Option<Arc<str>>) -> Self {
        Self { inner: Mutex::new(Inner { current, ..Inner::default() }), ready: Notify::new() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a partition of a source; ready to be read where it is owned.
    pub fn add(&self, stream: Stream, offset: Position) {
        let mut inner = self.inner();
        let place = inner.parts.len();
        inner.parts.push(Part {
            stream: Arc::new(stream),
            offset,
            state: State::Waiting,
            woken: false,
            read_to: None,
            drained: false,
            appended: 0,
            applied: 0,
        });
        self.make_ready(&mut inner, place);
    }

    /// This process owns the partition from now on, of every source; its offsets must have been read since.
    pub fn own(&self, part: u16) {
        let mut inner = self.inner();
        if inner.owned.insert(part) {
            for place in inner.places(part) {
                if let Some(part) = inner.parts.get_mut(place) {
                    (part.read_to, part.drained) = (None, false);
                }
                self.make_ready(&mut inner, place);
            }
        }
    }

    /// The partition is handed out no more; whether it was. What is under way of it goes on.
    pub fn disown(&self, part: u16) -> bool {
        let mut inner = self.inner();
        let places = inner.places(part);
        inner.ready.retain(|place| !places.contains(place));
        for place in places {
            if let Some(part) = inner.parts.get_mut(place).filter(|part| part.state == State::Ready) {
                part.state = State::Waiting;
            }
        }
        inner.owned.remove(&part)
    }

    /// The partitions of this process.
    pub fn owned(&self) -> BTreeSet<u16> {
        self.inner().owned.clone()
    }

    /// Whether this process owns the partition.
    pub fn owns(&self, part: u16) -> bool {
        self.inner().owned.contains(&part)
    }

    /// Whether a batch of the partition is under way, of any source.
    pub fn is_busy(&self, part: u16) -> bool {
        self.inner().parts.iter().any(|each| each.stream.part == part && each.state == State::Taken)
    }

    /// The next partition to read; waits until there is one.
    pub async fn take(&self) -> Turn {
        loop {
            let notified = self.ready.notified();
            if let Some(turn) = self.try_take() {
                return turn;
            }
            notified.await;
        }
    }

    fn try_take(&self) -> Option<Turn> {
        let mut inner = self.inner();
        let at = inner.ready.iter().position(|place| !inner.must_wait(*place))?;
        let place = inner.ready.remove(at)?;
        if !inner.ready.is_empty() {
            self.ready.notify_one();
        }
        let part = inner.parts.get_mut(place)?;
        (part.state, part.woken) = (State::Taken, false);
        Some(Turn { place, stream: Arc::clone(&part.stream), offset: part.offset })
    }

    /// The partition has nothing to apply; its picture ended at `read_to`, after `appended` events.
    pub fn idle(&self, place: Place, read_to: Position, appended: u64) {
        let mut inner = self.inner();
        if let Some(part) = inner.parts.get_mut(place) {
            (part.read_to, part.drained) = (Some(read_to), true);
            (part.appended, part.applied) = (appended, appended);
        }
        self.give_back(&mut inner, place, false);
        // A partition of the current source may have waited for this one.
        self.ready.notify_one();
    }

    /// What was seen of the partition while it is taken: its picture ended at `read_to` (`None`: more entries follow).
    pub fn seen(&self, place: Place, read_to: Option<Position>, appended: u64) {
        if let Some(part) = self.inner().parts.get_mut(place) {
            (part.read_to, part.drained, part.appended) = (read_to, false, appended);
        }
    }

    /// The taken partition was applied up to `offset`, which is `applied` events after its beginning.
    pub fn applied(&self, place: Place, offset: Position, applied: u64) {
        let mut inner = self.inner();
        let Some(part) = inner.parts.get_mut(place) else { return };
        (part.offset, part.applied) = (offset, applied);
        let more = part.read_to.is_none();
        self.give_back(&mut inner, place, more);
    }

    /// The taken partition has to be read again.
    pub fn again(&self, place: Place) {
        let mut inner = self.inner();
        self.give_back(&mut inner, place, true);
    }

    fn give_back(&self, inner: &mut Inner, place: Place, ready: bool) {
        let Some(part) = inner.parts.get_mut(place) else { return };
        part.state = State::Waiting;
        if ready || part.woken {
            self.make_ready(inner, place);
        }
    }

    fn make_ready(&self, inner: &mut Inner, place: Place) {
        let Some(part) = inner.parts.get_mut(place) else { return };
        match part.state {
            State::Waiting if !inner.owned.contains(&part.stream.part) => {}
            State::Waiting => {
                part.state = State::Ready;
                inner.ready.push_back(place);
                self.ready.notify_one();
            }
            State::Ready => {}
            State::Taken => part.woken = true,
        }
    }

    /// Something may have arrived for this partition.
    pub fn wake(&self, place: Place) {
        self.make_ready(&mut self.inner(), place);
    }

    /// Something may have arrived anywhere.
    pub fn wake_all(&self) {
        let mut inner = self.inner();
        for place in 0..inner.parts.len() {
            if inner.parts.get(place).is_some_and(|part| part.state == State::Waiting) {
                self.make_ready(&mut inner, place);
            }
        }
    }

    /// The owned partitions whose entries were all read, and up to where.
    pub fn read_to(&self) -> Vec<(Place, Arc<Stream>, Position)> {
        let inner = self.inner();
        let owned = inner.parts.iter().enumerate().filter(|(_, part)| inner.owned.contains(&part.stream.part));
        owned.filter_map(|(place, part)| Some((place, Arc::clone(&part.stream), part.read_to?))).collect()
    }

    /// The partition's offset; `None` where there is no such partition.
    pub fn offset(&self, place: Place) -> Option<Position> {
        self.inner().parts.get(place).map(|part| part.offset)
    }

    /// Every partition with its offset.
    pub fn offsets(&self) -> Vec<(Place, Arc<Stream>, Position)> {
        self.inner().parts.iter().enumerate().map(|(place, part)| (place, Arc::clone(&part.stream), part.offset)).collect()
    }

    /// PostgreSQL has another offset than the one that this process `believed`, unless it has moved on meanwhile. What is under way of the
    /// partition will be dropped.
    pub fn correct(&self, place: Place, believed: Position, offset: Position) {
        if let Some(part) = self.inner().parts.get_mut(place).filter(|part| part.offset == believed && believed != offset) {
            (part.offset, part.drained) = (offset, false);
        }
    }

    /// What Redis said when the partition stood at `offset`: the number of events ever appended, and of those up to there.
    pub fn counted(&self, place: Place, offset: Position, appended: u64, applied: u64) {
        if let Some(part) = self.inner().parts.get_mut(place).filter(|part| part.offset == offset) {
            (part.appended, part.applied) = (appended, applied);
        }
    }

    /// The number of events that wait in the queue, over all partitions.
    pub fn waiting_events(&self) -> u64 {
        self.inner().parts.iter().map(|part| part.appended.saturating_sub(part.applied)).sum()
    }

    /// Of each source the smallest offset over its partitions.
    pub fn smallest(&self) -> BTreeMap<String, Position> {
        let mut smallest = BTreeMap::new();
        for part in &self.inner().parts {
            let least = smallest.entry(part.stream.source.to_string()).or_insert(part.offset);
            *least = part.offset.min(*least);
        }
        smallest
    }

    /// The source that is shown first: the one that is read now, or else the first by name.
    pub fn first_source(&self) -> Option<Arc<str>> {
        let inner = self.inner();
        let sources = || inner.parts.iter().map(|part| &part.stream.source);
        sources().find(|source| inner.current.as_ref() == Some(source)).or_else(|| sources().min()).cloned()
    }

    /// Whether no partition is on the board.
    pub fn is_empty(&self) -> bool {
        self.inner().parts.is_empty()
    }

    /// Whether partitions of this source are on the board.
    pub fn has(&self, source: &str) -> bool {
        self.inner().parts.iter().any(|part| &*part.stream.source == source)
    }
}

impl Inner {
    /// The partition's places, one a source.
    fn places(&self, part: u16) -> Vec<Place> {
        self.parts.iter().enumerate().filter(|(_, each)| each.stream.part == part).map(|(place, _)| place).collect()
    }

    /// The current source's partition waits until the same one of each earlier source was read to its end: a repo's newer commits from
    /// here would make the rev gate pass over its older ones from there.
    fn must_wait(&self, place: Place) -> bool {
        let Some(part) = self.parts.get(place).filter(|part| self.current.as_ref() == Some(&part.stream.source)) else { return false };
        self.parts.iter().any(|other| other.stream.source != part.stream.source && other.stream.part == part.stream.part && !other.drained)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::queue::Queue;

    fn stream(source: &str, part: u16) -> Stream {
        Queue::new("unix:///none", "key", "group").stream(&source.into(), part)
    }

    fn at(seq: i64) -> Position {
        Position::new(0, seq)
    }

    /// A board of a process that owns partitions 0 and 1.
    fn board(current: Option<&str>) -> Board {
        let board = Board::new(current.map(Into::into));
        board.own(0);
        board.own(1);
        board
    }

    fn taken(board: &Board) -> Vec<Place> {
        std::iter::from_fn(|| board.take().now_or_never()).map(|turn| turn.place).collect()
    }

    #[test]
    fn a_partition_is_taken_once_and_a_wake_in_between_is_not_forgotten() {
        let board = board(None);
        board.add(stream("a", 0), at(5));
        assert_eq!(taken(&board), [0]);
        board.wake(0);
        assert_eq!(taken(&board), [0; 0]);
        board.idle(0, at(5), 0);
        assert_eq!(taken(&board), [0]);
        board.idle(0, at(5), 0);
        assert_eq!(taken(&board), [0; 0]);
        board.wake_all();
        assert_eq!(taken(&board), [0]);
    }

    #[test]
    fn a_partition_with_more_entries_is_ready_once_applied() {
        let board = board(None);
        board.add(stream("a", 0), at(0));
        taken(&board);
        board.seen(0, None, 10);
        board.applied(0, at(4), 4);
        assert_eq!((board.waiting_events(), board.offset(0)), (6, Some(at(4))));
        assert_eq!(taken(&board), [0]);
        board.seen(0, Some(at(9)), 10);
        board.applied(0, at(9), 10);
        assert_eq!((board.waiting_events(), taken(&board)), (0, vec![]));
    }

    #[test]
    fn an_earlier_source_is_served_to_its_end_first() {
        let board = board(Some("new"));
        for (source, part) in [("new", 0), ("new", 1), ("old", 0), ("old", 1)] {
            board.add(stream(source, part), at(0));
        }
        assert_eq!(taken(&board), [2, 3]);
        board.idle(2, at(0), 0);
        assert_eq!(taken(&board), [0]);
        board.seen(3, Some(at(7)), 1);
        board.applied(3, at(7), 1);
        assert_eq!(taken(&board), [0; 0]);
        board.wake_all();
        assert_eq!(taken(&board), [2, 3]);
        board.idle(3, at(7), 1);
        assert_eq!(taken(&board), [1]);
    }

    #[test]
    fn only_what_is_owned_is_handed_out_watched_and_woken() {
        let board = Board::new(None);
        board.add(stream("a", 0), at(0));
        board.add(stream("a", 1), at(0));
        board.wake_all();
        assert_eq!(taken(&board), [0; 0]);
        board.own(1);
        assert_eq!(taken(&board), [1]);
        board.idle(1, at(0), 0);
        assert_eq!(board.read_to().iter().map(|(place, ..)| *place).collect::<Vec<_>>(), [1]);
        board.wake(1);
        assert!(board.disown(1) && !board.disown(1));
        assert!(taken(&board).is_empty() && board.read_to().is_empty());
        board.wake_all();
        assert_eq!(taken(&board), [0; 0]);
    }

    #[test]
    fn what_is_given_up_ends_with_its_batch() {
        let board = board(None);
        board.add(stream("a", 0), at(0));
        assert_eq!(taken(&board), [0]);
        board.seen(0, None, 10);
        board.disown(0);
        assert!(board.is_busy(0) && !board.owns(0));
        board.wake(0);
        board.applied(0, at(4), 4);
        assert!(!board.is_busy(0));
        assert_eq!(taken(&board), [0; 0]);
        board.own(0);
        assert_eq!(taken(&board), [0]);
    }

    #[test]
    fn an_offset_is_corrected_only_while_it_is_the_one_believed() {
        let board = board(None);
        board.add(stream("a", 0), at(3));
        board.correct(0, at(3), at(7));
        board.correct(0, at(3), at(5));
        assert_eq!(board.offset(0), Some(at(7)));
        board.counted(0, at(3), 9, 1);
        assert_eq!(board.waiting_events(), 0);
        board.counted(0, at(7), 9, 4);
        assert_eq!(board.waiting_events(), 5);
    }

    #[test]
    fn the_smallest_offset_of_each_source_is_told() {
        let board = board(None);
        for (source, part, seq) in [("a", 0, 7), ("a", 1, -1), ("b", 0, 3)] {
            board.add(stream(source, part), at(seq));
        }
        assert_eq!(board.smallest(), BTreeMap::from([("a".to_owned(), at(-1)), ("b".to_owned(), at(3))]));
        assert!(board.has("b") && !board.has("c"));
    }
}
