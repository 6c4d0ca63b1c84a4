//! The queue's operations in memory, with an append-only file whose tail can be cut. Written from DESIGN 2.1, not from the scripts.

use std::collections::BTreeMap;

use appviewd::queue::{Moved, Position};

/// The rules that make the protocol right; each can be left out, to show that it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Append only at the expected position.
    AppendCas,
    /// Advance likewise.
    AdvanceCas,
    /// Advance only where no event is buffered.
    AdvanceEmpty,
    /// Advance even where nothing moved: notices a Redis that went back.
    AdvanceProbe,
    /// Trim never lowers the floor, and leaves it where nothing was dropped.
    TrimMax,
    /// Floor, pos and entries are read as one picture.
    Snapshot,
    /// An offset below the floor begins the stream again.
    Floor,
    /// Events at or below the offset inside an entry are passed over.
    Filter,
    /// An offset never moves back.
    Monotone,
    /// Commit only at the expected offset.
    CommitCas,
    /// Of several partitions in one transaction all must match.
    AllMatch,
}

impl Rule {
    pub const ALL: [Self; 11] = [
        Self::AppendCas,
        Self::AdvanceCas,
        Self::AdvanceEmpty,
        Self::AdvanceProbe,
        Self::TrimMax,
        Self::Snapshot,
        Self::Floor,
        Self::Filter,
        Self::Monotone,
        Self::CommitCas,
        Self::AllMatch,
    ];
}

/// One partition.
#[derive(Debug, Clone)]
pub struct Part<T> {
    pub floor: Position,
    pub pos: Position,
    pub events: u64,
    pub entries: Vec<Entry<T>>,
    /// Entries ever added, and those of them that the group has passed.
    pub added: usize,
    pub read: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<T> {
    pub last: Position,
    pub payload: T,
    pub events: u64,
}

/// What changes the store; the append-only file is a list of these.
#[derive(Debug, Clone)]
enum Change<T> {
    Append(Position, T, u64),
    Advance(Position),
    Begin(Position),
    Trim(Position),
}

#[derive(Debug)]
pub struct Twin<T> {
    pub parts: BTreeMap<u16, Part<T>>,
    without: Option<Rule>,
    aof: Vec<(u16, Change<T>)>,
    synced: usize,
}

impl<T: Clone> Twin<T> {
    pub fn new(without: Option<Rule>) -> Self {
        Self { parts: BTreeMap::new(), without, aof: Vec::new(), synced: 0 }
    }

    fn obeys(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    pub fn pos(&self, part: u16) -> Option<Position> {
        self.parts.get(&part).map(|p| p.pos)
    }

    pub fn append(&mut self, part: u16, expected: Position, last: Position, payload: T, events: u64) -> Moved {
        let found = self.pos(part);
        if self.obeys(Rule::AppendCas) && found != Some(expected) {
            return Moved::Found(found);
        }
        // Only without the rule: XADD refuses an id that does not rise.
        if self.parts.get(&part).and_then(|p| p.entries.last()).is_some_and(|e| e.last >= last) {
            return Moved::Done;
        }
        if found.is_none() {
            self.change(part, Change::Begin(Position::new(0, 0)));
        }
        self.change(part, Change::Append(last, payload, events));
        Moved::Done
    }

    pub fn advance(&mut self, part: u16, expected: Position, to: Position) -> Moved {
        let found = self.pos(part);
        if self.obeys(Rule::AdvanceCas) && found != Some(expected) {
            return Moved::Found(found);
        }
        if found.is_some_and(|pos| to > pos) {
            self.change(part, Change::Advance(to));
        }
        Moved::Done
    }

    pub fn begin(&mut self, part: u16, at: Position, only_if_absent: bool) -> bool {
        let begun = !(only_if_absent && self.parts.contains_key(&part));
        if begun {
            self.change(part, Change::Begin(at));
        }
        begun
    }

    /// Entries dropped.
    pub fn trim(&mut self, part: u16, at: Position) -> usize {
        let Some(found) = self.parts.get(&part) else { return 0 };
        let dropped = found.entries.iter().filter(|e| e.last <= at).count();
        if dropped > 0 || !self.obeys(Rule::TrimMax) {
            self.change(part, Change::Trim(at));
        }
        dropped
    }

    /// The entries after `after`, at most `count`, and whether no other follows.
    pub fn after(&self, part: u16, after: Position, count: usize) -> (Vec<Entry<T>>, bool) {
        let all: Vec<_> = self.parts.get(&part).into_iter().flat_map(|p| &p.entries).filter(|e| e.last > after).cloned().collect();
        let complete = all.len() <= count;
        (all.into_iter().take(count).collect(), complete)
    }

    fn change(&mut self, part: u16, change: Change<T>) {
        self.apply(part, &change);
        self.aof.push((part, change));
    }

    fn apply(&mut self, part: u16, change: &Change<T>) {
        let trim_max = self.obeys(Rule::TrimMax);
        if let Change::Begin(at) = change {
            self.parts.insert(part, Part { floor: *at, pos: *at, events: 0, entries: Vec::new(), added: 0, read: 0 });
        }
        let Some(p) = self.parts.get_mut(&part) else { return };
        match change {
            Change::Begin(_) => {}
            Change::Append(last, payload, events) => {
                p.events += events;
                p.added += 1;
                p.entries.push(Entry { last: *last, payload: payload.clone(), events: p.events });
                p.pos = *last;
            }
            Change::Advance(to) => p.pos = *to,
            Change::Trim(at) => {
                p.entries.retain(|e| e.last > *at);
                p.floor = if trim_max { p.floor.max(*at) } else { *at };
                p.read = p.added - p.entries.len();
            }
        }
    }

    // Faults.

    pub fn sync_up_to(&mut self, pick: impl FnOnce(usize, usize) -> usize) {
        self.synced = pick(self.synced, self.aof.len());
    }

    /// The machine failed: what was not on disk is gone.
    pub fn lose_tail(&mut self, pick: impl FnOnce(usize, usize) -> usize) {
        self.aof.truncate(pick(self.synced, self.aof.len()));
        self.synced = self.aof.len();
        self.parts.clear();
        let aof = std::mem::take(&mut self.aof);
        for (part, change) in &aof {
            self.apply(*part, change);
        }
        self.aof = aof;
    }

    pub fn wipe(&mut self) {
        self.aof.clear();
        self.synced = 0;
        self.parts.clear();
    }
}
