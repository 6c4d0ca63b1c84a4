//! Record types: from a record's bytes to the rows that hold it, and back to the same bytes. Pure.
//!
//! Ids come from the database between two passes: [`names`] says what a record names, [`rows`] builds its row once those names have ids.
//! One file a record type; a collection without a file of its own is [`Row::Other`], kept whole. A record that comes here was judged by
//! `lexicon/` before; whatever it holds, nothing here panics, and what cannot be rebuilt byte for byte says so.

mod coll;
mod edge;
mod fields;
mod ids;
mod pack;
mod refs;
mod sort;

pub mod actor;
pub mod feed;
pub mod graph;

pub use coll::Coll;
pub use edge::{FLAG_RAW, KIND_SHIFT, Subject, created_at};
pub use feed::{Like, Post, Repost};
pub use fields::{Fields, StrongRef};
pub use graph::{Block, Follow};
pub use ids::{Ids, Key, Names};
pub use pack::{MAX_UNPACKED, PackError, pack, unpack};
pub use refs::{Ref, SubjectKind};

/// Where a record stands, in the database's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub coll: Coll,
    pub author: i32,
    /// The key's TID as 64 bits, or the negative id of a key that is no TID.
    pub rkey: i64,
    /// indexedAt, microseconds since 1970.
    pub indexed_at: i64,
}

/// What is written for a record besides its bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    Like(Like),
    Repost(Repost),
    Follow(Follow),
    Block(Block),
    Post(Box<Post>),
    /// Nothing is derived: the record is kept whole in `record_other`.
    Other,
}

/// Why a record has no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not the record's fault: [`names`] was not asked, or its answer not interned.
    #[error("a name in the record has no id yet")]
    Unnamed,
}

/// Adds to `into` what `record` names and the database numbers: DIDs, and keys that are no TID. Not its own author and key.
pub fn names<'a>(coll: Coll, record: &'a [u8], into: &mut Names<'a>) {
    match coll {
        Coll::LIKE => feed::like::names(record, into),
        Coll::REPOST => feed::repost::names(record, into),
        Coll::POST => feed::post::names(record, into),
        Coll::FOLLOW => graph::follow::names(record, into),
        Coll::BLOCK => graph::block::names(record, into),
        _ => {}
    }
}

/// The row of `record`, all of whose [`names`] have ids in `ids`.
pub fn rows(place: Place, record: &[u8], ids: &impl Ids) -> Result<Row, RecordError> {
    match place.coll {
        Coll::LIKE => feed::like::row(place, record, ids),
        Coll::REPOST => feed::repost::row(place, record, ids),
        Coll::POST => feed::post::row(place, record, ids),
        Coll::FOLLOW => graph::follow::row(place, record, ids),
        Coll::BLOCK => graph::block::row(place, record, ids),
        _ => Ok(Row::Other),
    }
}
