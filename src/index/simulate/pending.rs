//! Replies that wait for a post that is not held: one row a reply, found by the reply and by what is missing.

use std::collections::{BTreeMap, HashMap};

use super::Slot;
use crate::collection::Ref;
use crate::db::pending::Pending;

/// The rows of every touched reply, and of those that wait for a post that comes.
#[derive(Debug, Default)]
pub(in crate::index) struct Waiting {
    pub slots: HashMap<Ref, Slot<Pending>>,
    /// Replies by what they wait for, in the order of (author, key).
    missing: HashMap<Ref, BTreeMap<(i32, i64), Ref>>,
}

impl Waiting {
    /// Takes in a row that is there; more than once does no harm.
    pub fn settle(&mut self, row: Pending) {
        self.slots.entry(row.reply).or_insert_with(|| Slot::held(row));
        self.note(row);
    }

    fn note(&mut self, row: Pending) {
        self.missing.entry(row.missing).or_default().insert((row.reply.author, row.reply.rkey), row.reply);
    }

    /// Has the reply wait for what `row` says, or for nothing.
    pub fn set(&mut self, reply: Ref, row: Option<Pending>) {
        let Some(slot) = self.slots.get_mut(&reply) else {
            if let Some(row) = row {
                self.slots.insert(reply, Slot { before: None, now: Some(row) });
                self.note(row);
            }
            return;
        };
        if let Some(replies) = slot.now.and_then(|old| self.missing.get_mut(&old.missing)) {
            replies.remove(&(reply.author, reply.rkey));
        }
        slot.now = row;
        if let Some(row) = row {
            self.note(row);
        }
    }

    /// What waits for this post.
    pub fn for_post(&self, post: Ref) -> Vec<Pending> {
        let replies = self.missing.get(&post).into_iter().flat_map(BTreeMap::values);
        replies.filter_map(|reply| self.slots.get(reply)?.now).collect()
    }
}
