//! Where a request reads from: a connection, and what is remembered as of the moment the request came.

use std::hash::Hash;
use std::ops::Deref;
use std::sync::Arc;

use super::cache::{Cache, Kind, Look, Stamp};
use crate::db::Client;
use crate::db::shared::Connection;
use crate::query::maps::{Map, Mixer};

/// A connection that may be read from at once, and what need not be read.
#[derive(Debug)]
pub struct Source {
    connection: Arc<Connection>,
    remembered: Option<(Arc<Cache>, Stamp)>,
}

impl Deref for Source {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.connection
    }
}

impl Source {
    /// `look`: how far the changes were seen after the request had come; without it, or where another server told of them, everything is
    /// read.
    pub(super) fn new(connection: Arc<Connection>, cache: &Arc<Cache>, look: Option<Look>) -> Self {
        let look = look.filter(|look| look.server == connection.server());
        Self { remembered: look.map(|look| (Arc::clone(cache), look.stamp)), connection }
    }

    /// What is remembered of `keys`, and those of them that must be read.
    pub(super) fn recall<K: Eq + Hash + Clone, V: Clone>(&self, kind: fn(&Cache) -> &Kind<K, V>, keys: &[K]) -> (Map<K, V>, Vec<K>) {
        let Some((cache, _)) = self.remembered() else { return (Map::default(), keys.to_vec()) };
        let (kind, mut known, mut missed) = (kind(cache), Map::with_capacity_and_hasher(keys.len(), Mixer::default()), Vec::new());
        for key in keys {
            match kind.get(key) {
                Some(value) => drop(known.insert(key.clone(), value)),
                None => missed.push(key.clone()),
            }
        }
        (known, missed)
    }

    /// What is remembered of `key`.
    pub(super) fn recall_one<K: Eq + Hash + Clone, V: Clone>(&self, kind: fn(&Cache) -> &Kind<K, V>, key: &K) -> Option<V> {
        self.remembered().and_then(|(cache, _)| kind(cache).get(key))
    }

    /// Remembers what was read, as far as it may be.
    pub(super) fn keep<'a, K, V>(&self, kind: fn(&Cache) -> &Kind<K, V>, rows: impl IntoIterator<Item = (&'a K, &'a V)>)
    where
        K: Eq + Hash + Clone + 'a,
        V: Clone + 'a,
    {
        if let Some((cache, read)) = self.remembered() {
            cache.keep(kind(cache), read, rows.into_iter());
        }
    }

    /// What is remembered, and from when on it may be added to.
    pub(super) fn remembered(&self) -> Option<(&Cache, Stamp)> {
        self.remembered.as_ref().map(|(cache, stamp)| (&**cache, *stamp))
    }
}
