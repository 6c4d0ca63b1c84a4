//! What a change is a change of, among what is remembered.

use crate::collection::{Coll, Ref};
use crate::db::change::Changed;
use crate::db::record::Path;

/// Something that is remembered, by its kind and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Entry {
    Post(Ref),
    Actor(i32),
    /// By the hash of the place of what is counted.
    Counts(i32),
    AccountCounts(i32),
    Published(i32),
    /// By the first post of the thread.
    Gate(Ref),
    /// Whom an account follows, and who follows it.
    Follows(i32),
    Blocks(i32),
}

impl Entry {
    /// What is forgotten for a change. The gate of a post against quotes is a part of it, and records that say something of an account are
    /// parts of that; of lists, generators and packs it is only remembered how many an account has.
    pub fn of(changed: Changed) -> Self {
        match changed {
            Changed::Account(id) => Self::Actor(id),
            Changed::Record(path) => Self::of_record(path),
            Changed::Counts(hash) => Self::Counts(hash),
            Changed::AccountCounts(id) => Self::AccountCounts(id),
            Changed::Follows(id) => Self::Follows(id),
            Changed::Blocks(id) => Self::Blocks(id),
        }
    }

    fn of_record(path: Path) -> Self {
        match path.coll {
            Coll::POST | Coll::POSTGATE => Self::Post(path.at),
            Coll::THREADGATE => Self::Gate(path.at),
            Coll::LIST | Coll::GENERATOR | Coll::STARTERPACK => Self::Published(path.at.author),
            _ => Self::Actor(path.at.author),
        }
    }
}
