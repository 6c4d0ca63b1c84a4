//! What this process remembers of the rows that pages are made of: posts and accounts as they were last read. Each request first learns what
//! was changed until it came ([`News`]) and has it forgotten, so that nothing is ever shown that was changed before: no time to live, no grace.
//! Never holds counts, nor what accounts have made of each other: these are read each time.

mod kind;
mod ledger;
mod news;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::kind::Kind;
use self::ledger::Ledger;
pub use self::news::{Look, News};
use super::hydrate::{Actor, Content};
use crate::collection::{Coll, Ref};
use crate::db::change::Changed;

/// Of four parts of the bytes, those of posts: a page shows more of them, but accounts come again sooner.
const POSTS: u64 = 3;
/// Of so many parts of the bytes, one is for the ids of DIDs.
const IDS: u64 = 32;
/// Longer DIDs are not remembered: those of did:plc have 32 bytes, and names of hosts may have thousands.
const LONGEST_DID: usize = 64;
/// Bytes of such a DID with its id and its entry at most, about.
const ID_BYTES: usize = 64 + LONGEST_DID;
/// Bytes of a post besides its record, about: its row, its entry, its addresses and times as text.
const POST_BYTES: usize = 512;
/// The same of an account.
const ACTOR_BYTES: usize = 224;

/// A look at the news. What was read after it may be remembered, as long as no later look tells of its change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(u64);

/// Posts and accounts by their keys, and ids by DIDs, which never change as long as the database is the same.
#[derive(Debug)]
pub struct Cache {
    ids: Kind<Box<str>, i32>,
    posts: Kind<Ref, Arc<Content>>,
    actors: Kind<i32, Arc<Actor>>,
    ledger: Mutex<Ledger>,
}

impl Cache {
    /// Up to about `bytes` of memory.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let post = |content: &Arc<Content>| bytes_of(POST_BYTES + content.bytes());
        let actor = |actor: &Arc<Actor>| {
            let (handle, profile) = (actor.handle.as_ref().map_or(0, String::len), actor.profile.as_ref().map_or(0, Vec::len));
            bytes_of(ACTOR_BYTES + actor.did.len() + handle + profile + actor.declared.as_ref().map_or(0, |declared| declared.bytes()))
        };
        let (id, ids) = (|_: &i32| bytes_of(ID_BYTES), bytes / IDS);
        let (posts, actors) = (Kind::new(bytes / 4 * POSTS, post), Kind::new(bytes / 4 * (4 - POSTS) - ids, actor));
        Self { ids: Kind::new(ids, id), posts, actors, ledger: Mutex::default() }
    }

    /// The post at `place`.
    #[must_use]
    pub fn post(&self, place: Ref) -> Option<Arc<Content>> {
        self.posts.get(&place)
    }

    /// The account `id`.
    #[must_use]
    pub fn actor(&self, id: i32) -> Option<Arc<Actor>> {
        self.actors.get(&id)
    }

    /// The id of the account `did`.
    #[must_use]
    pub fn id(&self, did: &str) -> Option<i32> {
        self.ids.get(did)
    }

    /// Remembers an id that was read after the look `read`.
    pub fn keep_id(&self, read: Stamp, did: &str, id: i32) {
        if did.len() <= LONGEST_DID && self.ledger().reaches(read) {
            self.ids.put(did.into(), id);
        }
    }

    /// Remembers posts that were read after the look `read`.
    pub fn keep_posts<'a>(&self, read: Stamp, posts: impl Iterator<Item = (Ref, &'a Arc<Content>)>) {
        let ledger = self.ledger();
        for (place, content) in posts.filter(|(place, _)| ledger.holds(&of_post(*place), read)) {
            self.posts.put(place, Arc::clone(content));
        }
    }

    /// Remembers accounts that were read after the look `read`; those of which nothing of their own was seen are not, since nobody tells
    /// when that comes.
    pub fn keep_actors<'a>(&self, read: Stamp, actors: impl Iterator<Item = (i32, &'a Arc<Actor>)>) {
        let ledger = self.ledger();
        for (id, actor) in actors.filter(|(id, actor)| actor.status.is_some() && ledger.holds(&of_actor(*id), read)) {
            self.actors.put(id, Arc::clone(actor));
        }
    }

    /// Forgets what was changed.
    fn forget(&self, changed: &[Changed]) -> Stamp {
        let mut ledger = self.ledger();
        let told: Vec<Changed> = changed.iter().map(remembered_as).collect();
        for one in &told {
            if one.coll == 0 {
                self.actors.forget(&one.author);
            } else {
                self.posts.forget(&Ref { rkey: one.rkey, author: one.author });
            }
        }
        ledger.turn(&told)
    }

    /// Forgets everything.
    fn clear(&self) -> Stamp {
        let mut ledger = self.ledger();
        self.ids.clear();
        self.posts.clear();
        self.actors.clear();
        ledger.lose()
    }

    /// Bytes of what is remembered, about.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.ids.bytes() + self.posts.bytes() + self.actors.bytes()
    }

    /// Held while rows are put in and forgotten: nothing comes in between.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of_post(place: Ref) -> Changed {
    Changed { author: place.author, coll: Coll::POST.number(), rkey: place.rkey }
}

fn of_actor(id: i32) -> Changed {
    Changed { author: id, coll: 0, rkey: 0 }
}

/// Under which key it is remembered: the gate of a post against quotes is a part of it, and records that say something of an account are parts
/// of that.
fn remembered_as(changed: &Changed) -> Changed {
    match Coll::from_number(changed.coll) {
        Coll::POST | Coll::POSTGATE => of_post(Ref { rkey: changed.rkey, author: changed.author }),
        _ => of_actor(changed.author),
    }
}

fn bytes_of(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_did_too_long_for_the_bound_is_not_remembered() {
        let cache = Cache::new(1 << 20);
        let (short, long) = ("did:plc:aliceaaaaaaaaaaaaaaaaaaa", format!("did:web:{}.test", "a".repeat(LONGEST_DID)));
        for did in [short, &long] {
            cache.keep_id(Stamp::default(), did, 7);
        }
        assert_eq!((cache.id(short), cache.id(&long)), (Some(7), None));
    }
}
