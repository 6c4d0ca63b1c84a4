//! Starter-pack joins: which pack a profile says that its account came through.

use std::collections::HashMap;

use super::Slot;
use crate::atproto::Tid;
use crate::collection::Ref;
use crate::db::pack_join::PackJoin;

/// The joins of every account whose profile an op is of.
#[derive(Debug, Default)]
pub(in crate::index) struct Joins(pub HashMap<i32, Slot<PackJoin>>);

impl Joins {
    /// Takes in a join that is held.
    pub fn settle(&mut self, join: PackJoin) {
        self.0.insert(join.author, Slot::held(join));
    }

    /// The profile names this pack now, or none; of the same pack the first time stays. `time`: the event's indexedAt, microseconds.
    pub fn set(&mut self, author: i32, pack: Option<Ref>, time: i64) {
        let now = &mut self.0.entry(author).or_default().now;
        let since = now.filter(|held| Some(held.pack) == pack).map_or_else(|| Tid::from_micros(time.max(0), 0).value(), |held| held.time);
        *now = pack.map(|pack| PackJoin { author, pack, time: since });
    }
}
