//! What the database numbers: accounts, and record keys that are no TID. Never gives an id by itself.

use super::Coll;

/// What records name, gathered over a whole batch. Names may stand in it more than once.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Names<'a> {
    pub dids: Vec<&'a str>,
    /// Keys that are no TID; their DIDs stand in `dids` too.
    pub keys: Vec<Key<'a>>,
}

/// A record whose key is no TID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a> {
    pub did: &'a str,
    pub coll: Coll,
    pub rkey: &'a str,
}

/// The ids of names.
pub trait Ids {
    /// The account's id; `None` where the name is not interned.
    fn account(&self, did: &str) -> Option<i32>;
    /// The (negative) id of a key that is no TID; `None` where it is not interned.
    fn key(&self, key: &Key<'_>) -> Option<i64>;
}
