//! Posts: those that ops are of, and those that they point to; what they point to moves the counts of others. Never judges one.

use std::collections::HashMap;

use super::{Counts, Slot};
use crate::collection::feed::post::FLAG_VIOLATES;
use crate::collection::{Coll, Post, Ref};
use crate::db::post::Stored;
use crate::db::record::Path;

/// A post's place, and what this transaction put there.
#[derive(Debug, Default)]
pub(in crate::index) struct PostSlot<'a> {
    pub post: Slot<Post>,
    pub new: Option<&'a Stored>,
    /// How it came in this commit, until what it derives from others is settled.
    arrival: Option<Arrival>,
}

/// How a commit leaves a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::index) enum Arrival {
    New,
    Updated,
}

/// Every post that is looked at.
#[derive(Debug, Default)]
pub(in crate::index) struct Posts<'a> {
    pub slots: HashMap<Ref, PostSlot<'a>>,
    /// Posts that came in this commit, in its order.
    arrived: Vec<Ref>,
}

impl<'a> Posts<'a> {
    /// Takes in a post that is held; more than once does no harm.
    pub fn settle(&mut self, post: Post) {
        self.slots.entry(post.place()).or_insert_with(|| PostSlot { post: Slot::held(post), ..PostSlot::default() });
    }

    pub fn holds(&self, path: Path) -> bool {
        path.coll == Coll::POST && self.get(path.at).is_some()
    }

    /// The post as it is now.
    pub fn get(&self, place: Ref) -> Option<&Post> {
        self.slots.get(&place)?.post.now.as_ref()
    }

    /// Puts a post in place of what stands there; the counts of old and new parent and quote move.
    pub fn put(&mut self, stored: &'a Stored, counts: &mut Counts) {
        let post = &stored.post;
        let slot = self.slots.entry(post.place()).or_default();
        let old = slot.post.now.replace(post.clone());
        if slot.arrival.is_none() {
            slot.arrival = Some(if old.is_some() { Arrival::Updated } else { Arrival::New });
            self.arrived.push(post.place());
        }
        if let Some(old) = old {
            counts.post(&old, -1);
        }
        counts.post(post, 1);
        slot.new = Some(stored);
    }

    /// Removes the post, if there is one.
    pub fn remove(&mut self, path: Path, counts: &mut Counts) {
        if path.coll != Coll::POST {
            return;
        }
        let Some(slot) = self.slots.get_mut(&path.at) else { return };
        (slot.new, slot.arrival) = (None, None);
        if let Some(old) = slot.post.now.take() {
            counts.post(&old, -1);
        }
    }

    /// The posts that came since this was asked last and are still there.
    pub fn take_arrived(&mut self) -> Vec<(Ref, Arrival)> {
        let slots = &mut self.slots;
        std::mem::take(&mut self.arrived).into_iter().filter_map(|at| Some((at, slots.get_mut(&at)?.arrival.take()?))).collect()
    }

    /// Sets or clears flags that no record has; a reply that begins to violate its gate is not counted any more.
    pub fn mark(&mut self, place: Ref, flag: i16, on: bool, counts: &mut Counts) {
        let Some(post) = self.slots.get_mut(&place).and_then(|slot| slot.post.now.as_mut()) else { return };
        let flags = if on { post.flags | flag } else { post.flags & !flag };
        if (post.flags ^ flags) & FLAG_VIOLATES != 0 {
            counts.reply(post, if on { -1 } else { 1 });
        }
        post.flags = flags;
    }
}
