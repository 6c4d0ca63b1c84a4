//! What commands of one transaction change together: played in memory in their order, written once, set-based. Never reads a row: what a
//! change does where a row stands already is the statement's to say.

use std::collections::BTreeMap;

use tokio_postgres::Error;

use super::{mute_actor, mute_list, mute_thread, takedown, trust_verifier, update_seen};
use crate::atproto::Cid;
use crate::db::Transaction;
use crate::db::mute::{Mute, Pair, Target};
use crate::db::takedown::{Record, Takedown};

/// The private tables, as far as they change.
#[derive(Default)]
pub(super) struct World {
    pub mutes: Changes<Pair, Mute>,
    pub list_mutes: Changes<Target, i64>,
    pub thread_mutes: Changes<Target, i64>,
    pub seen: BTreeMap<i32, i64>,
    pub accounts: Changes<i32, Takedown>,
    pub records: Changes<Record, Takedown>,
    pub blobs: Changes<(i32, Cid), Takedown>,
    pub verifiers: Changes<i32, i64>,
}

impl World {
    pub async fn write(self, tx: &Transaction<'_>) -> Result<(), Error> {
        mute_actor::write(tx, self.mutes).await?;
        mute_list::write(tx, self.list_mutes).await?;
        mute_thread::write(tx, self.thread_mutes).await?;
        update_seen::write(tx, self.seen).await?;
        takedown::write(tx, self.accounts, self.records, self.blobs).await?;
        trust_verifier::write(tx, self.verifiers).await
    }
}

/// Changes of one table by key.
pub(super) struct Changes<K, V>(BTreeMap<K, Change<V>>);

struct Change<V> {
    /// What stood there before goes.
    cleared: bool,
    /// What stands there in the end.
    set: Option<V>,
}

impl<K, V> Default for Changes<K, V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone, V> Changes<K, V> {
    /// Puts a row there; `merge` says what becomes of one that an earlier command has put there.
    pub fn set(&mut self, key: K, value: V, merge: impl FnOnce(&mut V, V)) {
        let change = self.0.entry(key).or_insert(Change { cleared: false, set: None });
        match &mut change.set {
            Some(held) => merge(held, value),
            empty => *empty = Some(value),
        }
    }

    /// Removes the row.
    pub fn clear(&mut self, key: K) {
        self.0.insert(key, Change { cleared: true, set: None });
    }

    /// The keys whose rows go first, and the rows that are then put there, both sorted.
    pub fn split(self) -> (Vec<K>, Vec<(K, V)>) {
        let cleared = self.0.iter().filter(|(_, change)| change.cleared).map(|(key, _)| key.clone()).collect();
        let set = self.0.into_iter().filter_map(|(key, change)| Some((key, change.set?))).collect();
        (cleared, set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_commands_decides_what_stands_in_the_end() {
        let mut changes = Changes::default();
        let keep = |_: &mut i32, _: i32| ();
        changes.set("kept", 1, keep);
        changes.set("kept", 2, keep);
        changes.set("replaced", 1, |held, new| *held = new);
        changes.set("replaced", 2, |held, new| *held = new);
        changes.set("gone", 1, keep);
        changes.clear("gone");
        changes.clear("anew");
        changes.set("anew", 3, keep);
        assert_eq!(changes.split(), (vec!["anew", "gone"], vec![("anew", 3), ("kept", 1), ("replaced", 2)]));
    }
}
