//! How a relay misbehaves on request, each time counted, so that a test can show that the fault really happened.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

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
    /// These bytes are sent before the frame.
    Before(Bytes),
    /// These bytes are sent in place of the frame.
    Instead(Bytes),
    /// An error frame is sent and the connection closed.
    Error { error: &'static str, message: &'static str },
}

impl Fault {
    /// The name under which it is counted.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Stall => "stall",
            Self::Repeat(_) => "repeat",
            Self::Rewind(_) => "rewind",
            Self::Before(_) => "before",
            Self::Instead(_) => "instead",
            Self::Error { .. } => "error",
        }
    }
}

/// The faults that are still to happen and the count of those that did.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Plan>);

#[derive(Debug, Default)]
struct Plan {
    once: Vec<(i64, Fault)>,
    drop_every: Option<usize>,
    happened: BTreeMap<&'static str, u64>,
}

impl Faults {
    /// Plans `fault` for the moment, once, when a frame numbered `seq` or higher is to be sent.
    pub fn once(&self, seq: i64, fault: Fault) {
        self.lock().once.push((seq, fault));
    }

    /// Closes every connection after it was sent `frames` frames; `None` ends that.
    pub fn drop_every(&self, frames: Option<usize>) {
        self.lock().drop_every = frames;
    }

    /// How often a fault of that name happened.
    #[must_use]
    pub fn happened(&self, name: &str) -> u64 {
        self.lock().happened.get(name).copied().unwrap_or(0)
    }

    /// The fault that is due before frame `seq`, on a connection that was sent `sent` frames.
    pub(super) fn due(&self, seq: i64, sent: usize) -> Option<Fault> {
        let mut plan = self.lock();
        let planned = plan.once.iter().position(|(at, _)| *at <= seq).map(|i| plan.once.swap_remove(i).1);
        let fault = planned.or_else(|| plan.drop_every.filter(|every| sent >= *every).map(|_| Fault::Drop))?;
        *plan.happened.entry(fault.name()).or_default() += 1;
        Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planned_fault_happens_once_and_is_counted() {
        let faults = Faults::default();
        faults.once(5, Fault::Stall);
        assert_eq!(faults.due(4, 0), None);
        assert_eq!(faults.due(6, 0), Some(Fault::Stall));
        assert_eq!(faults.due(7, 0), None);
        faults.drop_every(Some(3));
        assert_eq!((faults.due(8, 2), faults.due(8, 3)), (None, Some(Fault::Drop)));
        assert_eq!((faults.happened("stall"), faults.happened("drop")), (1, 1));
    }
}
