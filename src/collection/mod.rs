//! Record types: from a record's bytes to the rows that hold it, and back to the same bytes. Pure.
//!
//! Ids come from the database between two passes: [`names`] says what a record names, [`rows`] builds its row once those names have ids.
//! One file a record type, one line each in `types.rs`; every other collection is kept whole. A record that comes here was judged by
//! `lexicon/` before; whatever it holds, nothing here panics, and what cannot be rebuilt byte for byte says so.

mod coll;
mod edge;
mod fields;
mod form;
mod ids;
mod pack;
mod refs;
mod sort;
mod types;

#[cfg(test)]
mod testing;

pub mod actor;
pub mod chat;
pub mod feed;
pub mod germnetwork;
pub mod graph;
pub mod labeler;
pub mod notification;
pub mod search;
pub mod standard;

pub use coll::Coll;
pub use edge::{Edge, EdgeKind, EdgeNames, FLAG_DUPLICATE, FLAG_RAW, KIND_MASK, KIND_SHIFT, Pair};
pub use feed::Post;
pub use feed::threadgate::Threadgate;
pub use fields::{Fields, StrongRef};
pub use form::created_at;
pub use ids::{Ids, Key, Names};
pub use pack::{MAX_UNPACKED, PackError, pack, unpack};
pub use refs::{Ref, SubjectKind};
pub use sort::sort_key;

use crate::atproto::Cid;
use types::Shape;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Rebuilt from columns.
    Edge {
        kind: EdgeKind,
        edge: Edge,
        /// The subject's CID as the edge names it: no column, but kept once a subject. `None`: it names none, or none that can be read.
        cid: Option<Cid>,
    },
    Post(Box<Post>),
    /// Kept whole in `record_other`, with what is derived.
    Whole(Derived),
}

/// What is derived from a record that is kept whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Derived {
    Nothing,
    /// Of a profile: its account came through this starter pack.
    Join(Ref),
    /// Of the post with the same author and key.
    Threadgate(Threadgate),
    /// Nobody may quote the post with the same author and key.
    Postgate,
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
    match types::of(coll).map(|known| known.shape) {
        Some(Shape::Edge(form)) => form.names(record, into),
        Some(Shape::Own { names, .. }) => names(record, into),
        Some(Shape::Whole) | None => {}
    }
}

/// The row of `record`, all of whose [`names`] have ids in `ids`.
///
/// # Errors
/// A name without an id.
pub fn rows(place: Place, record: &[u8], ids: &dyn Ids) -> Result<Row, RecordError> {
    match types::of(place.coll).map(|known| known.shape) {
        Some(Shape::Edge(form)) => form.row(place, record, ids),
        Some(Shape::Own { row, .. }) => row(place, record, ids),
        Some(Shape::Whole) | None => Ok(Row::Whole(Derived::Nothing)),
    }
}
