//! What this process remembers of what pages are made of, as it was last read: posts, accounts, counts, gates, whom accounts follow and block.
//! Each request first learns what was changed until it came ([`News`]) and has it forgotten, so that nothing is ever shown that was changed
//! before: no time to live, no grace. Never holds what nobody tells the change of.

mod entry;
mod kind;
mod ledger;
mod news;
mod weight;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::entry::Entry;
pub(super) use self::kind::Kind;
use self::ledger::Ledger;
pub use self::news::{Look, News};
use super::hydrate::{Actor, Blocks, Content, Counted, Counts, Follows, ThreadGate, Ties};
use super::profile::Published;
use crate::collection::Ref;
use crate::db::change::Changed;

/// A look at the news. What was read after it may be remembered, as long as no later look tells of its change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(u64);

/// What is remembered, kind by kind.
#[derive(Debug)]
pub struct Cache {
    /// By DIDs: these never change as long as the database is the same.
    ids: Kind<Box<str>, i32>,
    pub(super) posts: Kind<Ref, Arc<Content>>,
    pub(super) actors: Kind<i32, Arc<Actor>>,
    /// By the hash of a place: the counts of all records with that hash.
    pub(super) counts: Kind<i32, Counted>,
    pub(super) account_counts: Kind<i32, Counts>,
    pub(super) published: Kind<i32, Published>,
    /// By the first post of the thread; `None`: it has none.
    pub(super) gates: Kind<Ref, Option<Arc<ThreadGate>>>,
    pub(super) follows: Kind<i32, Follows>,
    pub(super) blocks: Kind<i32, Blocks>,
    /// By the one who reads.
    pub(super) ties: Kind<i32, Ties>,
    ledger: Mutex<Ledger>,
}

impl Cache {
    /// Up to about `bytes` of memory: most of it for posts, of which a page shows most.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let part = |of_64: u64| bytes / 64 * of_64;
        Self {
            ids: Kind::new(part(2), weight::SMALLEST_ID, |_| weight::SMALLEST_ID, |_| None),
            posts: Kind::new(part(30), weight::SMALLEST_ROW, weight::post, |place| Some(Entry::Post(*place))),
            actors: Kind::new(part(12), weight::SMALLEST_ROW, weight::actor, |id| Some(Entry::Actor(*id))),
            counts: Kind::new(part(10), weight::SMALLEST, weight::counted, |hash| Some(Entry::Counts(*hash))),
            account_counts: Kind::new(part(1), weight::SMALLEST, |_| weight::SMALLEST, |id| Some(Entry::AccountCounts(*id))),
            published: Kind::new(part(1), weight::SMALLEST, |_| weight::SMALLEST, |id| Some(Entry::Published(*id))),
            gates: Kind::new(part(2), weight::SMALLEST, |gate| weight::gate(gate.as_deref()), |place| Some(Entry::Gate(*place))),
            follows: Kind::new(part(2), weight::SMALLEST_ROW, weight::follows, |id| Some(Entry::Follows(*id))),
            blocks: Kind::new(part(2), weight::SMALLEST, weight::blocks, |id| Some(Entry::Blocks(*id))),
            ties: Kind::new(part(2), weight::TIES, |_| weight::TIES, |id| Some(Entry::Follows(*id))),
            ledger: Mutex::default(),
        }
    }

    /// The id of the account `did`.
    #[must_use]
    pub fn id(&self, did: &str) -> Option<i32> {
        self.ids.get(did)
    }

    /// Remembers an id that was read after the look `read`.
    pub fn keep_id(&self, read: Stamp, did: &str, id: i32) {
        if did.len() <= weight::LONGEST_DID && self.ledger().reaches(read) {
            self.ids.put(did.into(), id);
        }
    }

    /// Remembers what was read after the look `read`, but for what is told to have changed since.
    pub(super) fn keep<'a, K, V>(&self, kind: &Kind<K, V>, read: Stamp, rows: impl Iterator<Item = (&'a K, &'a V)>)
    where
        K: Eq + std::hash::Hash + Clone + 'a,
        V: Clone + 'a,
    {
        let ledger = self.ledger();
        for (key, value) in rows {
            if kind.entry(key).is_some_and(|entry| ledger.holds(entry, read)) {
                kind.put(key.clone(), value.clone());
            }
        }
    }

    /// Forgets what was changed.
    fn forget(&self, changed: &[Changed]) -> Stamp {
        let mut ledger = self.ledger();
        for one in changed {
            match Entry::of(*one) {
                Entry::Post(place) => self.posts.forget(&place),
                Entry::Actor(id) => self.actors.forget(&id),
                Entry::Counts(hash) => self.counts.forget(&hash),
                Entry::AccountCounts(id) => self.account_counts.forget(&id),
                Entry::Published(id) => self.published.forget(&id),
                Entry::Gate(place) => self.gates.forget(&place),
                Entry::Follows(id) => {
                    self.follows.forget(&id);
                    self.ties.forget(&id);
                }
                Entry::Blocks(id) => self.blocks.forget(&id),
            }
        }
        ledger.turn(changed.iter().map(|one| Entry::of(*one)))
    }

    /// Forgets everything.
    fn clear(&self) -> Stamp {
        let mut ledger = self.ledger();
        self.ids.clear();
        self.posts.clear();
        self.actors.clear();
        self.counts.clear();
        self.account_counts.clear();
        self.published.clear();
        self.gates.clear();
        self.follows.clear();
        self.blocks.clear();
        self.ties.clear();
        ledger.lose()
    }

    /// Bytes of what is remembered, about.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let of_accounts = self.actors.bytes() + self.account_counts.bytes() + self.published.bytes();
        let between = self.follows.bytes() + self.blocks.bytes() + self.ties.bytes();
        self.ids.bytes() + self.posts.bytes() + self.counts.bytes() + self.gates.bytes() + of_accounts + between
    }

    /// Held while rows are put in and forgotten: nothing comes in between.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_did_too_long_for_the_bound_is_not_remembered() {
        let cache = Cache::new(1 << 20);
        let (short, long) = ("did:plc:aliceaaaaaaaaaaaaaaaaaaa", format!("did:web:{}.test", "a".repeat(weight::LONGEST_DID)));
        for did in [short, &long] {
            cache.keep_id(Stamp::default(), did, 7);
        }
        assert_eq!((cache.id(short), cache.id(&long)), (Some(7), None));
    }
}
