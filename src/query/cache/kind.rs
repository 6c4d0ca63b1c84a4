//! Rows of one kind by their keys, bounded by their bytes. Knows nothing of changes but under which name its rows are told to be changed.

use std::hash::Hash;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::entry::Entry;
use crate::query::maps::Mixer;

/// What an entry takes of the bytes.
#[derive(Debug, Clone)]
struct Bytes<V>(fn(&V) -> u64);

impl<K, V> Weighter<K, V> for Bytes<V> {
    fn weight(&self, _: &K, value: &V) -> u64 {
        self.0(value)
    }
}

/// The rows.
#[derive(Debug)]
pub(in crate::query) struct Kind<K: Eq + Hash + Clone, V: Clone> {
    rows: Cache<K, V, Bytes<V>, Mixer>,
    entry: fn(&K) -> Option<Entry>,
}

impl<K: Eq + Hash + Clone, V: Clone> Kind<K, V> {
    /// Up to `bytes`, as `weight` tells those of an entry, each of which has `smallest` at least. `entry`: how a change of it is told; `None`:
    /// it never changes.
    pub(super) fn new(bytes: u64, smallest: u64, weight: fn(&V) -> u64, entry: fn(&K) -> Option<Entry>) -> Self {
        let expected = usize::try_from(bytes / smallest.max(1)).unwrap_or(usize::MAX);
        let lifecycle = quick_cache::sync::DefaultLifecycle::default();
        Self { rows: Cache::with(expected, bytes, Bytes(weight), Mixer::default(), lifecycle), entry }
    }

    pub fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        self.rows.get(key)
    }

    pub(super) fn put(&self, key: K, value: V) {
        self.rows.insert(key, value);
    }

    pub(super) fn forget(&self, key: &K) {
        self.rows.remove(key);
    }

    pub(super) fn clear(&self) {
        self.rows.clear();
    }

    pub(super) fn entry(&self, key: &K) -> Option<Entry> {
        (self.entry)(key)
    }

    /// Bytes of what is remembered.
    pub(super) fn bytes(&self) -> u64 {
        self.rows.weight()
    }
}
