//! Random histories of the whole protocol over the twin: a relay, two ingests, two workers with overlapping partitions, PostgreSQL, and
//! every fault. A port of `model/queue_model.py`: what it says of the protocol holds for these operations.

use std::collections::BTreeMap;

use appviewd::queue::{Moved, Position};
use fastrand::Rng;

use super::twin::{Rule, Twin};

const PARTITIONS: u16 = 3;
const STEPS: usize = 600;
const SETTLE: usize = 4_000;
const HISTORIES: u64 = 2_000;

type Store = Twin<Vec<i64>>;
type Offsets = BTreeMap<u16, i64>;
/// Partition, old offset, new offset, events.
type Batch = (u16, i64, i64, Vec<i64>);

fn at(seq: i64) -> Position {
    Position::new(0, seq)
}

/// Numbered events; numbers rise and may leave gaps.
#[derive(Default)]
struct Relay {
    events: Vec<(i64, u16)>,
}

impl Relay {
    fn emit(&mut self, rng: &mut Rng) {
        let seq = self.events.last().map_or(0, |e| e.0) + [1, 1, 1, 2, 5][rng.usize(0..5)];
        self.events.push((seq, rng.u16(0..PARTITIONS)));
    }

    fn after(&self, seq: i64) -> Option<(i64, u16)> {
        self.events.get(self.events.partition_point(|e| e.0 <= seq)).copied()
    }
}

/// Rows and offsets commit together; a commit is durable once flushed, and on a replica some time later.
struct Postgres {
    without: Option<Rule>,
    log: Vec<Vec<(u16, i64, Vec<i64>)>>,
    flushed: usize,
    offset: Offsets,
    rows: BTreeMap<u16, Vec<i64>>,
}

impl Postgres {
    fn new(without: Option<Rule>) -> Self {
        let mut pg = Self { without, log: Vec::new(), flushed: 0, offset: Offsets::new(), rows: BTreeMap::new() };
        pg.rebuild();
        pg
    }

    fn rebuild(&mut self) {
        self.offset = (0..PARTITIONS).map(|p| (p, 0)).collect();
        self.rows = (0..PARTITIONS).map(|p| (p, Vec::new())).collect();
        for transaction in &self.log {
            Self::apply(&mut self.offset, &mut self.rows, transaction);
        }
    }

    fn apply(offset: &mut Offsets, rows: &mut BTreeMap<u16, Vec<i64>>, transaction: &[(u16, i64, Vec<i64>)]) {
        for (p, new, seqs) in transaction {
            offset.insert(*p, *new);
            rows.get_mut(p).unwrap().extend(seqs);
        }
    }

    fn commit(&mut self, batches: &[Batch]) -> bool {
        let matching: Vec<&Batch> = batches.iter().filter(|b| self.without == Some(Rule::CommitCas) || self.offset[&b.0] == b.1).collect();
        let all_match = self.without != Some(Rule::AllMatch);
        if matching.len() < batches.len() && (all_match || matching.is_empty()) {
            return false;
        }
        let rows: Vec<&Batch> = if all_match { matching } else { batches.iter().collect() };
        let transaction: Vec<_> = rows.into_iter().map(|(p, _, new, seqs)| (*p, *new, seqs.clone())).collect();
        Self::apply(&mut self.offset, &mut self.rows, &transaction);
        self.log.push(transaction);
        true
    }

    fn flushed_offset(&self, part: u16) -> i64 {
        self.log[..self.flushed].iter().flatten().filter(|(p, ..)| *p == part).map(|(_, new, _)| *new).max().unwrap_or(0)
    }

    fn crash(&mut self, rng: &mut Rng, to_replica: bool) {
        self.log.truncate(rng.usize(if to_replica { 0 } else { self.flushed }..=self.log.len()));
        self.flushed = self.log.len();
        self.rebuild();
    }
}

/// Reads the relay from the smallest position and appends. Knows Redis only.
struct Ingest {
    without: Option<Rule>,
    session: Option<Session>,
}

struct Session {
    expected: Offsets,
    read: i64,
    buffer: BTreeMap<u16, Vec<i64>>,
}

impl Ingest {
    fn new(redis: &Store, without: Option<Rule>) -> Self {
        Self { without, session: Session::open(redis) }
    }

    fn step(&mut self, relay: &Relay, redis: &mut Store, rng: &mut Rng, answered: bool) {
        match &mut self.session {
            None => self.session = Session::open(redis),
            Some(session) if rng.u8(0..10) < 6 => session.receive(relay),
            Some(session) => {
                if !session.flush(redis, rng, answered, self.without) {
                    self.session = Session::open(redis);
                }
            }
        }
    }
}

impl Session {
    fn open(redis: &Store) -> Option<Self> {
        let expected: Offsets = (0..PARTITIONS).filter_map(|p| Some((p, redis.pos(p)?.seq))).collect();
        let all = expected.len() == usize::from(PARTITIONS);
        all.then(|| Self { read: *expected.values().min().unwrap(), expected, buffer: (0..PARTITIONS).map(|p| (p, Vec::new())).collect() })
    }

    fn receive(&mut self, relay: &Relay) {
        if let Some((seq, p)) = relay.after(self.read) {
            self.read = seq;
            if seq > self.expected[&p] {
                self.buffer.get_mut(&p).unwrap().push(seq);
            }
        }
    }

    /// Whether the session goes on.
    fn flush(&mut self, redis: &mut Store, rng: &mut Rng, answered: bool, without: Option<Rule>) -> bool {
        let p = rng.u16(0..PARTITIONS);
        let (expected, buffer) = (self.expected[&p], self.buffer.get_mut(&p).unwrap());
        let mut pack: Vec<i64> = buffer.iter().take(rng.usize(1..=4)).copied().collect();
        if without == Some(Rule::AdvanceEmpty) && rng.u8(0..10) < 3 {
            pack.clear();
        }
        let to = pack.last().copied().unwrap_or(self.read.max(expected));
        if pack.is_empty() && to == expected && without == Some(Rule::AdvanceProbe) {
            return true;
        }
        let moved = if pack.is_empty() {
            redis.advance(p, at(expected), at(to))
        } else {
            let events = pack.len() as u64;
            redis.append(p, at(expected), at(to), pack, events)
        };
        let now = match moved {
            Moved::Done => to,
            Moved::Found(found) => found.map_or(-1, |f| f.seq),
        };
        if !answered || now < expected {
            return false;
        }
        self.expected.insert(p, now); // larger: another ingest was faster
        buffer.retain(|seq| *seq > now);
        true
    }
}

/// Applies the entries of its partitions; reading and committing are steps of their own, since the world goes on in between.
struct Worker {
    without: Option<Rule>,
    partitions: Vec<u16>,
    offset: Offsets,
    work: BTreeMap<u16, (i64, Vec<i64>)>,
    stale: BTreeMap<u16, i64>,
}

impl Worker {
    fn new(pg: &Postgres, partitions: Vec<u16>, without: Option<Rule>) -> Self {
        Self { without, partitions, offset: pg.offset.clone(), work: BTreeMap::new(), stale: BTreeMap::new() }
    }

    fn reread(&mut self, pg: &Postgres) {
        *self = Self::new(pg, std::mem::take(&mut self.partitions), self.without);
    }

    fn step(&mut self, redis: &mut Store, pg: &mut Postgres, rng: &mut Rng, answered: bool) {
        if !self.work.is_empty() && rng.u8(0..10) < 6 {
            let work = std::mem::take(&mut self.work);
            let batches: Vec<Batch> = work.into_iter().map(|(p, (new, seqs))| (p, self.offset[&p], new, seqs)).collect();
            if pg.commit(&batches) && answered {
                self.offset.extend(batches.iter().map(|(p, _, new, _)| (*p, *new)));
            } else {
                self.reread(pg);
            }
            return;
        }
        let p = self.partitions[rng.usize(0..self.partitions.len())];
        if !self.work.contains_key(&p) {
            self.read(p, redis, rng);
        }
    }

    fn read(&mut self, p: u16, redis: &mut Store, rng: &mut Rng) {
        let (count, offset) = (rng.usize(1..=4), self.offset[&p]);
        redis.begin(p, at(offset), true);
        let found = &redis.parts[&p];
        let (floor, mut pos) = (found.floor.seq, found.pos.seq);
        let (entries, _) = redis.after(p, at(offset), count);
        if self.without == Some(Rule::Snapshot) {
            // The position was read some time before the entries.
            pos = self.stale.insert(p, pos).unwrap_or(pos);
        }
        if self.without != Some(Rule::Floor) && offset < floor {
            redis.begin(p, at(offset), false);
            return;
        }
        let mut new = entries.last().map_or(offset, |e| e.last.seq);
        if entries.len() < count {
            new = if self.without == Some(Rule::Monotone) { pos } else { new.max(pos) };
        }
        if new != offset {
            let keep_all = self.without == Some(Rule::Filter);
            let seqs = entries.into_iter().flat_map(|e| e.payload).filter(|seq| *seq > offset || keep_all).collect();
            self.work.insert(p, (new, seqs));
        }
    }
}

struct World {
    relay: Relay,
    redis: Store,
    pg: Postgres,
    ingests: Vec<Ingest>,
    workers: Vec<Worker>,
    flushed: Offsets,
    story: Vec<(usize, &'static str)>,
}

impl World {
    fn step(&mut self, step: usize, rng: &mut Rng, without: Option<Rule>) {
        let faults = step < STEPS;
        let answered = !(faults && rng.u8(0..100) < 5);
        if faults && rng.u8(0..10) < 3 {
            self.relay.emit(rng);
        }
        match rng.u8(0..100) {
            0..45 => self.ingests[rng.usize(0..2)].step(&self.relay, &mut self.redis, rng, answered),
            45..75 => self.workers[rng.usize(0..2)].step(&mut self.redis, &mut self.pg, rng, answered),
            75..85 => {
                let p = rng.u16(0..PARTITIONS);
                if rng.bool() {
                    self.flushed.insert(p, self.pg.flushed_offset(p));
                }
                self.redis.trim(p, at(self.flushed[&p]));
            }
            85..90 => self.pg.flushed = rng.usize(self.pg.flushed..=self.pg.log.len()),
            90..95 => self.redis.sync_up_to(|from, to| rng.usize(from..=to)),
            _ if faults && rng.u8(0..4) == 0 => self.fault(step, rng, without),
            _ => {}
        }
    }

    fn fault(&mut self, step: usize, rng: &mut Rng, without: Option<Rule>) {
        let kinds = ["ingest dies", "worker dies", "redis loses its tail", "redis is empty", "pg crashes", "pg fails over"];
        let kind = kinds[rng.usize(0..kinds.len())];
        self.story.push((step, kind));
        match kind {
            "ingest dies" => self.ingests[rng.usize(0..2)] = Ingest::new(&self.redis, without),
            "worker dies" => self.workers[rng.usize(0..2)].reread(&self.pg),
            "redis loses its tail" => self.redis.lose_tail(|from, to| rng.usize(from..=to)),
            "redis is empty" => self.redis.wipe(),
            _ => {
                self.pg.crash(rng, kind == "pg fails over");
                for worker in &mut self.workers {
                    worker.reread(&self.pg); // their connections are gone
                }
            }
        }
    }
}

/// What went wrong in this history.
fn run(seed: u64, without: Option<Rule>) -> Option<String> {
    let mut rng = Rng::with_seed(seed);
    let (redis, pg) = (Store::new(without), Postgres::new(without));
    let everything: Vec<u16> = (0..PARTITIONS).collect();
    let mut world = World {
        ingests: (0..2).map(|_| Ingest::new(&redis, without)).collect(),
        workers: vec![Worker::new(&pg, everything.clone(), without), Worker::new(&pg, everything[..2].to_vec(), without)],
        flushed: everything.iter().map(|p| (*p, 0)).collect(),
        relay: Relay::default(),
        redis,
        pg,
        story: Vec::new(),
    };
    (0..STEPS + SETTLE).for_each(|step| world.step(step, &mut rng, without));
    everything.into_iter().find_map(|p| {
        let want: Vec<i64> = world.relay.events.iter().filter(|e| e.1 == p).map(|e| e.0).collect();
        let have = &world.pg.rows[&p];
        (*have != want).then(|| format!("seed {seed}, partition {p}: want {want:?}, have {have:?}; faults {:?}", world.story))
    })
}

#[test]
fn no_history_loses_or_doubles_an_event() {
    let half = |from| move || (from..HISTORIES).step_by(2).filter_map(|seed| run(seed, None)).collect::<Vec<String>>();
    let other = std::thread::spawn(half(1));
    let wrong = [half(0)(), other.join().unwrap()].concat();
    assert!(wrong.is_empty(), "{} wrong, the first: {}", wrong.len(), wrong[0]);
}

/// Each rule is needed: without it some history goes wrong.
#[test]
fn each_rule_left_out_is_found() {
    /// The rarest (without the probe only a quiet partition of a Redis that went back is missed) shows in one of a hundred.
    const ENOUGH: u64 = 3_000;
    for rule in Rule::ALL {
        let found = (0..ENOUGH).find(|seed| run(*seed, Some(rule)).is_some());
        println!("without {rule:?}: found in history {found:?}");
        assert!(found.is_some(), "{ENOUGH} histories without {rule:?} went well");
    }
}
