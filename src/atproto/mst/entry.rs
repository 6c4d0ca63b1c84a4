//! The entries of one node and their keys, kept as the node's bytes have them: each key as what it shares with the key before, and the
//! rest. So reading a node copies no keys, and a small node cannot expand to a large one in memory.

use std::borrow::Cow;

use super::super::Cid;
use super::node::Link;

/// One key of a node, its record, and the subtree of the keys between it and the next.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    /// Bytes in common with the key before; exactly, and 0 for the first.
    pub shared: usize,
    pub rest: Cow<'a, [u8]>,
    pub value: Cid,
    pub right: Option<Link<'a>>,
}

/// Entries in ascending order of their keys.
#[derive(Debug, Clone, Default)]
pub(super) struct Entries<'a>(Vec<Entry<'a>>);

impl<'a> Entries<'a> {
    /// `entries` must be in order, with exact prefixes.
    pub(super) fn new(entries: Vec<Entry<'a>>) -> Self {
        Self(entries)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Entry<'a>> {
        self.0.iter()
    }

    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Entry<'a>> {
        self.0.iter_mut()
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Entry<'a>> {
        self.0.get_mut(at)
    }

    /// The whole key of an entry; empty where there is none.
    pub(super) fn key(&self, at: usize) -> Vec<u8> {
        let mut key = Vec::new();
        for entry in self.0.iter().take(at.saturating_add(1)) {
            key.truncate(entry.shared);
            key.extend_from_slice(&entry.rest);
        }
        key
    }

    fn last_key(&self) -> Vec<u8> {
        self.0.len().checked_sub(1).map_or_else(Vec::new, |last| self.key(last))
    }

    /// Where `key` is (`Ok`), or before which entry it belongs (`Err`).
    ///
    /// No key is put together: `same` is how much of `key` the entry before shares, which decides most comparisons by itself.
    pub(super) fn search(&self, key: &[u8]) -> Result<usize, usize> {
        let mut same = 0;
        for (i, entry) in self.0.iter().enumerate() {
            if entry.shared > same {
                continue;
            }
            if entry.shared < same {
                return Err(i);
            }
            let left = key.get(same..).unwrap_or_default();
            let more = common_prefix(left, &entry.rest);
            match left.get(more..).unwrap_or_default().cmp(entry.rest.get(more..).unwrap_or_default()) {
                std::cmp::Ordering::Less => return Err(i),
                std::cmp::Ordering::Equal => return Ok(i),
                std::cmp::Ordering::Greater => same += more,
            }
        }
        Err(self.0.len())
    }

    /// Puts a new entry at its place `at`, as [`Entries::search`] gave it.
    pub(super) fn insert(&mut self, at: usize, key: &[u8], value: Cid, right: Option<Link<'a>>) {
        let shared = at.checked_sub(1).map_or(0, |before| common_prefix(&self.key(before), key));
        if at < self.0.len() {
            let now_shared = common_prefix(key, &self.key(at));
            if let Some(next) = self.0.get_mut(at) {
                next.cut(now_shared.saturating_sub(next.shared));
            }
        }
        let rest = Cow::Owned(key.get(shared..).unwrap_or_default().to_vec());
        self.0.insert(at.min(self.0.len()), Entry { shared, rest, value, right });
    }

    /// Takes an entry out; `None` where there is none.
    pub(super) fn remove(&mut self, at: usize) -> Option<Entry<'a>> {
        if at >= self.0.len() {
            return None;
        }
        let gone = self.0.remove(at);
        if let Some(next) = self.0.get_mut(at).filter(|next| next.shared > gone.shared) {
            let lost = gone.rest.get(..next.shared - gone.shared).unwrap_or_default();
            next.rest = Cow::Owned([lost, &next.rest].concat());
            next.shared = gone.shared;
        }
        Some(gone)
    }

    /// Takes off the entries from `at` on.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let first = self.key(at);
        let mut tail = self.0.split_off(at.min(self.0.len()));
        if let Some(entry) = tail.first_mut().filter(|entry| entry.shared > 0) {
            entry.shared = 0;
            entry.rest = Cow::Owned(first);
        }
        Self(tail)
    }

    /// Appends entries whose keys must all be larger; `false` (and nothing is changed) where they are not.
    pub(super) fn append(&mut self, tail: Self) -> bool {
        let mut tail = tail.0;
        if let Some(first) = tail.first_mut() {
            let last = self.last_key();
            if last[..] >= first.rest[..] {
                return false;
            }
            let shared = common_prefix(&last, &first.rest);
            first.cut(shared);
        }
        self.0.reserve_exact(tail.len());
        self.0.append(&mut tail);
        true
    }
}

impl Entry<'_> {
    /// Lets `more` bytes of the rest be shared with the key before.
    fn cut(&mut self, more: usize) {
        self.shared += more;
        match &mut self.rest {
            Cow::Borrowed(rest) => *rest = rest.get(more..).unwrap_or_default(),
            Cow::Owned(rest) => drop(rest.drain(..more.min(rest.len()))),
        }
    }
}

/// Length of the longest common prefix, in bytes: keys are ASCII.
#[must_use]
pub fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
