//! Rows of one kind by their keys, bounded by their bytes. Knows nothing of changes.

use std::hash::Hash;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

/// An entry is taken to have at least this many bytes, to tell the map how many to expect.
const SMALLEST: u64 = 512;

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
pub(super) struct Kind<K: Eq + Hash + Clone, V: Clone>(Cache<K, V, Bytes<V>>);

impl<K: Eq + Hash + Clone, V: Clone> Kind<K, V> {
    /// Up to `bytes`, as `weight` tells those of an entry.
    pub fn new(bytes: u64, weight: fn(&V) -> u64) -> Self {
        let expected = usize::try_from(bytes / SMALLEST).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(expected, bytes, Bytes(weight)))
    }

    pub fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        self.0.get(key)
    }

    pub fn put(&self, key: K, value: V) {
        self.0.insert(key, value);
    }

    pub fn forget(&self, key: &K) {
        self.0.remove(key);
    }

    pub fn clear(&self) {
        self.0.clear();
    }

    /// Bytes of what is remembered.
    pub fn bytes(&self) -> u64 {
        self.0.weight()
    }
}
