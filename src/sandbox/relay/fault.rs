//! How a relay misbehaves on request, each time counted, so that a test can show that the fault really happened.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use fastrand::Rng;

use super::spoil::Spoil;

/// Something a relay should not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The connection is closed without a word.
    Drop,
    /// Nothing is sent any more, though pings are answered, until the client leaves.
    Stall,
    /// This many frames are sent twice, each right after itself.
    Repeat(usize),
    /// The stream goes on from this many frames before.
    Rewind(usize),
    /// All frames get new numbers, which begin at half of the newest one; every connection is closed.
    Renumber,
    /// The window moves on by this many frames, as while the client was away, and the connection is closed.
    Forget(usize),
    /// These bytes are sent before the frame.
    Before(Bytes),
    /// These bytes are sent in place of the frame.
    Instead(Bytes),
    /// An error frame is sent and the connection closed.
    Error { error: &'static str, message: &'static str },
    /// `OutdatedCursor` is told in the middle of the stream.
    OutdatedCursor,
    /// A message of an unknown type comes in between.
    UnknownType,
    /// The frame, a #commit, is sent in another shape.
    Spoiled(Spoil),
}

/// The faults that have no content of a test's own, as the command line gives them.
const NAMED: [Fault; 10] = [
    Fault::Drop,
    Fault::Stall,
    Fault::Repeat(10),
    Fault::Rewind(50),
    Fault::Renumber,
    Fault::Forget(50),
    Fault::Error { error: "FutureCursor", message: "Cursor in the future." },
    Fault::Error { error: "ConsumerTooSlow", message: "Stream consumer too slow" },
    Fault::OutdatedCursor,
    Fault::UnknownType,
];

impl Fault {
    /// The name under which it is counted.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Stall => "stall",
            Self::Repeat(_) => "repeat",
            Self::Rewind(_) => "rewind",
            Self::Renumber => "renumber",
            Self::Forget(_) => "forget",
            Self::Before(_) => "before",
            Self::Instead(_) => "instead",
            Self::Error { error: "FutureCursor", .. } => "future-cursor",
            Self::Error { error: "ConsumerTooSlow", .. } => "consumer-too-slow",
            Self::Error { .. } => "error",
            Self::OutdatedCursor => "outdated-cursor",
            Self::UnknownType => "unknown-type",
            Self::Spoiled(spoil) => spoil.name(),
        }
    }

    /// Every fault that can be asked for by its name.
    pub fn named() -> impl Iterator<Item = Self> {
        NAMED.into_iter().chain(Spoil::ALL.map(Self::Spoiled))
    }

    /// The fault of that name.
    ///
    /// # Errors
    /// There is none; the error lists those that there are.
    pub fn by_name(name: &str) -> anyhow::Result<Self> {
        Self::named().find(|fault| fault.name() == name).ok_or_else(|| {
            let names: Vec<_> = Self::named().map(|fault| fault.name()).collect();
            anyhow::anyhow!("no fault is called {name:?}; there are {}", names.join(", "))
        })
    }

    /// Whether it can be done to this frame.
    fn fits(&self, frame: &[u8]) -> bool {
        const COMMIT: &[u8] = b"#commit";
        const HEADER: usize = 24;
        !matches!(self, Self::Spoiled(_)) || frame.windows(COMMIT.len()).take(HEADER).any(|part| part == COMMIT)
    }
}

/// The faults that are still to happen and the count of those that did.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Plan>);

#[derive(Debug, Default)]
struct Plan {
    once: Vec<(i64, Fault)>,
    drop_every: Option<usize>,
    /// Faults by chance, each out of 1,000 frames.
    rates: Vec<(Fault, u16)>,
    rng: Option<Rng>,
    happened: BTreeMap<&'static str, u64>,
}

impl Faults {
    /// Plans `fault` for the moment, once, when a frame numbered `seq` or higher is to be sent (a frame that it can be done to).
    pub fn once(&self, seq: i64, fault: Fault) {
        self.lock().once.push((seq, fault));
    }

    /// Closes every connection after it was sent `frames` frames; `None` ends that.
    pub fn drop_every(&self, frames: Option<usize>) {
        self.lock().drop_every = frames;
    }

    /// From now on each of these faults happens at so many of 1,000 frames, by a chance that begins with `seed`; no faults end that.
    pub fn by_chance(&self, seed: u64, rates: Vec<(Fault, u16)>) {
        let mut plan = self.lock();
        (plan.rates, plan.rng) = (rates, Some(Rng::with_seed(seed)));
    }

    /// How often a fault of that name happened.
    #[must_use]
    pub fn happened(&self, name: &str) -> u64 {
        self.lock().happened.get(name).copied().unwrap_or(0)
    }

    /// How often each fault happened, those that never did included.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts: BTreeMap<_, _> = Fault::named().map(|fault| (fault.name(), 0)).collect();
        counts.extend(self.lock().happened.iter());
        counts
    }

    /// The fault that is due before frame `seq`, on a connection that was sent `sent` frames.
    pub(super) fn due(&self, seq: i64, sent: usize, frame: &[u8]) -> Option<Fault> {
        let mut plan = self.lock();
        let planned = plan.once.iter().position(|(at, fault)| *at <= seq && fault.fits(frame));
        let fault = match planned.map(|i| plan.once.swap_remove(i).1) {
            Some(fault) => fault,
            None if plan.drop_every.is_some_and(|every| sent >= every) => Fault::Drop,
            None => plan.chance(frame)?,
        };
        *plan.happened.entry(fault.name()).or_default() += 1;
        Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    fn chance(&mut self, frame: &[u8]) -> Option<Fault> {
        let rng = self.rng.as_mut()?;
        let mut rolled = self.rates.iter().filter(|(_, rate)| rng.u16(0..1000) < *rate);
        rolled.find(|(fault, _)| fault.fits(frame)).map(|(fault, _)| fault.clone())
    }
}

/// A fault at a frame: `NAME@SEQ`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub fault: Fault,
    pub seq: i64,
}

impl std::str::FromStr for Planned {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, seq) = text.split_once('@').ok_or_else(|| anyhow::anyhow!("expected NAME@SEQ, as drop@1000"))?;
        let seq = seq.parse().map_err(|e| anyhow::anyhow!("{seq:?} is no sequence number: {e}"))?;
        Ok(Self { fault: Fault::by_name(name)?, seq })
    }
}

/// A fault by chance: `NAME=PER_MILLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    pub fault: Fault,
    pub per_mille: u16,
}

impl std::str::FromStr for Rate {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, rate) = text.split_once('=').ok_or_else(|| anyhow::anyhow!("expected NAME=PER_MILLE, as drop=2"))?;
        let per_mille = rate.parse().ok().filter(|rate| *rate <= 1000);
        let per_mille = per_mille.ok_or_else(|| anyhow::anyhow!("{rate:?} is no number from 0 to 1000"))?;
        Ok(Self { fault: Fault::by_name(name)?, per_mille })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &[u8] = b"\xa2at\x67#commitbop\x01\xa0";

    #[test]
    fn a_planned_fault_happens_once_and_is_counted() {
        let faults = Faults::default();
        faults.once(5, Fault::Stall);
        assert_eq!(faults.due(4, 0, b""), None);
        assert_eq!(faults.due(6, 0, b""), Some(Fault::Stall));
        assert_eq!(faults.due(7, 0, b""), None);
        faults.drop_every(Some(3));
        assert_eq!((faults.due(8, 2, b""), faults.due(8, 3, b"")), (None, Some(Fault::Drop)));
        assert_eq!((faults.happened("stall"), faults.happened("drop")), (1, 1));
    }

    #[test]
    fn a_commit_is_spoiled_and_nothing_else() {
        let faults = Faults::default();
        faults.once(1, Fault::Spoiled(Spoil::TooBig));
        assert_eq!(faults.due(1, 0, b"\xa2at\x68#accountbop\x01\xa0"), None);
        assert_eq!(faults.due(2, 0, COMMIT), Some(Fault::Spoiled(Spoil::TooBig)));
    }

    #[test]
    fn chance_is_seeded_and_keeps_its_rate() {
        let run = |seed| {
            let faults = Faults::default();
            faults.by_chance(seed, vec![(Fault::Drop, 20), (Fault::Rewind(1), 5)]);
            let due: Vec<_> = (0..10_000).map(|seq| faults.due(seq, 0, COMMIT)).collect();
            (due, faults.counts())
        };
        assert!(run(1).0 == run(1).0 && run(1).0 != run(2).0);
        let (drops, rewinds) = (run(3).1["drop"], run(3).1["rewind"]);
        assert!((150..250).contains(&drops) && (25..80).contains(&rewinds), "{drops} drops, {rewinds} rewinds");
    }

    #[test]
    fn faults_are_asked_for_by_name() {
        let planned: Planned = "too-big@70".parse().unwrap();
        assert_eq!((planned.fault, planned.seq), (Fault::Spoiled(Spoil::TooBig), 70));
        assert_eq!("stall=3".parse::<Rate>().unwrap(), Rate { fault: Fault::Stall, per_mille: 3 });
        for (wrong, says) in [("drop", "NAME@SEQ"), ("drop@x", "no sequence number"), ("dorp@1", "there are drop, stall")] {
            let error = wrong.parse::<Planned>().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert!("drop=1001".parse::<Rate>().is_err());
        let mut names: Vec<_> = Fault::named().map(|fault| fault.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMED.len() + Spoil::ALL.len(), "every name once");
    }
}
