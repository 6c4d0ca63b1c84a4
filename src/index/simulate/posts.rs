//! Posts: what they point to moves the counts of others.

use std::collections::HashMap;

use super::{Counts, Slot};
use crate::collection::{Coll, Post, Ref};
use crate::db::post::Stored;
use crate::db::record::Path;

/// A post's place, and what this transaction put there.
#[derive(Debug, Default)]
pub(in crate::index) struct PostSlot<'a> {
    pub post: Slot<Post>,
    pub new: Option<&'a Stored>,
}

/// Every post that an op is of.
#[derive(Debug, Default)]
pub(in crate::index) struct Posts<'a>(pub HashMap<Ref, PostSlot<'a>>);

impl<'a> Posts<'a> {
    /// Takes in a post that is held.
    pub fn settle(&mut self, post: Post) {
        self.0.insert(Ref { rkey: post.rkey, author: post.author }, PostSlot { post: Slot::held(post), new: None });
    }

    pub fn holds(&self, path: Path) -> bool {
        path.coll == Coll::POST && self.0.get(&path.at).is_some_and(|slot| slot.post.now.is_some())
    }

    /// Puts a post in place of what stands there; the counts of old and new parent and quote move.
    pub fn put(&mut self, stored: &'a Stored, counts: &mut Counts) {
        let post = &stored.post;
        let slot = self.0.entry(Ref { rkey: post.rkey, author: post.author }).or_default();
        if let Some(old) = slot.post.now.replace(post.clone()) {
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
        let Some(slot) = self.0.get_mut(&path.at) else { return };
        slot.new = None;
        if let Some(old) = slot.post.now.take() {
            counts.post(&old, -1);
        }
    }
}
