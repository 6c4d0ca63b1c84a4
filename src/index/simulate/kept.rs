//! Records kept whole: whether one is there, and its new bytes. They count nothing.

use std::collections::HashMap;

use crate::db::record::Path;

/// What stands on a path of `record_other`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::index) enum Now<'a> {
    #[default]
    Nothing,
    /// What was read.
    Held,
    /// These packed bytes.
    New(&'a [u8]),
}

#[derive(Debug, Default)]
pub(in crate::index) struct KeptSlot<'a> {
    pub before: bool,
    pub now: Now<'a>,
}

/// Every path that an op is of, where a record is or was kept whole.
#[derive(Debug, Default)]
pub(in crate::index) struct Kept<'a>(pub HashMap<Path, KeptSlot<'a>>);

impl<'a> Kept<'a> {
    /// Takes in a path that is held.
    pub fn settle(&mut self, path: Path) {
        self.0.insert(path, KeptSlot { before: true, now: Now::Held });
    }

    pub fn holds(&self, path: Path) -> bool {
        self.0.get(&path).is_some_and(|slot| slot.now != Now::Nothing)
    }

    pub fn put(&mut self, path: Path, record: &'a [u8]) {
        self.0.entry(path).or_default().now = Now::New(record);
    }

    pub fn remove(&mut self, path: Path) {
        if let Some(slot) = self.0.get_mut(&path) {
            slot.now = Now::Nothing;
        }
    }
}
