//! Edges: records that join their author with an account or a record (likes, follows, list items, ...), as one row of one shape. What their
//! records look like is said in [`super::form`].

use super::refs::{Ref, SubjectKind};
use super::{Coll, form};
use crate::atproto::Cid;

/// In `flags`: the columns and the subject's CID do not give the record's bytes back: they are kept in `record_exc`.
pub const FLAG_RAW: i16 = 2;
/// In `flags`: an earlier edge of the same author and subject counts, this one does not.
pub const FLAG_DUPLICATE: i16 = 8;
/// In `flags`: the [`SubjectKind`] of a like or repost.
pub const KIND_MASK: i16 = 0x70;
/// Where the number of the [`SubjectKind`] stands in the flags.
pub const KIND_SHIFT: u32 = 4;

/// Which record type, and which table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    Like,
    Repost,
    Follow,
    Block,
    ListBlock,
    ListItem,
    Verification,
}

/// An edge by its numbers; what its kind has no column for is 0 or `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    pub rkey: i64,
    pub author: i32,
    /// The key of the record that it is of, or, of a list item, of its author's list; 0 where it is of an account.
    pub sr: i64,
    /// The account that it is of, or the author of the record that it is of.
    pub sa: i32,
    /// Author of the repost or starter pack that it was made through.
    pub via: Option<i32>,
    /// createdAt less the key's time in milliseconds; `None`: the record is kept raw.
    pub dms: Option<i16>,
    /// [`FLAG_RAW`], [`FLAG_DUPLICATE`], and the kind of a like's or repost's subject.
    pub flags: i16,
    /// sortAt as the value of a TID, where it is over a minute from the key's time and the kind is ordered by it.
    pub sort: Option<i64>,
}

/// An author and what the edge is of. One edge of a pair counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    pub author: i32,
    pub sr: i64,
    pub sa: i32,
    /// The bits of [`KIND_MASK`].
    pub kind: i16,
}

/// The names that an edge's record is rebuilt from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeNames<'a> {
    /// The author's DID.
    pub author: &'a str,
    /// The DID of `sa`.
    pub subject: &'a str,
    /// The text of `sr`; `None` where the edge is of an account alone.
    pub rkey: Option<&'a str>,
    /// The CID that likes and reposts name their subject by.
    pub cid: Option<&'a Cid>,
}

impl EdgeKind {
    pub const ALL: [Self; 7] = [Self::Like, Self::Repost, Self::Follow, Self::Block, Self::ListBlock, Self::ListItem, Self::Verification];

    /// The kind that a collection's records are; `None` for those that are no edges.
    #[must_use]
    pub fn of(coll: Coll) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.coll() == coll)
    }

    #[must_use]
    pub const fn coll(self) -> Coll {
        match self {
            Self::Like => Coll::LIKE,
            Self::Repost => Coll::REPOST,
            Self::Follow => Coll::FOLLOW,
            Self::Block => Coll::BLOCK,
            Self::ListBlock => Coll::LISTBLOCK,
            Self::ListItem => Coll::LISTITEM,
            Self::Verification => Coll::VERIFICATION,
        }
    }
}

impl Edge {
    #[must_use]
    pub fn place(&self) -> Ref {
        Ref { rkey: self.rkey, author: self.author }
    }

    #[must_use]
    pub fn pair(&self) -> Pair {
        Pair { author: self.author, sr: self.sr, sa: self.sa, kind: self.flags & KIND_MASK }
    }

    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.flags & FLAG_DUPLICATE != 0
    }

    /// Whether its record is kept in `record_exc`.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.flags & FLAG_RAW != 0
    }

    /// What a like or repost is of.
    #[must_use]
    pub fn subject_kind(&self) -> Option<SubjectKind> {
        SubjectKind::from_number((self.flags & KIND_MASK) >> KIND_SHIFT)
    }

    /// The record that `sr` names, as (collection, place); `None` where the edge is of an account alone.
    #[must_use]
    pub fn record(&self, kind: EdgeKind) -> Option<(Coll, Ref)> {
        let of = |coll, author| Some((coll, Ref { rkey: self.sr, author }));
        match kind {
            EdgeKind::Like | EdgeKind::Repost => of(self.subject_kind()?.coll(), self.sa),
            EdgeKind::ListBlock => of(Coll::LIST, self.sa),
            EdgeKind::ListItem => of(Coll::LIST, self.author),
            EdgeKind::Follow | EdgeKind::Block | EdgeKind::Verification => None,
        }
    }

    /// The record's DAG-CBOR; `None` where the columns do not hold it. Asked only of edges that are not raw.
    #[must_use]
    pub fn rebuild(&self, kind: EdgeKind, names: &EdgeNames<'_>) -> Option<Vec<u8>> {
        form::rebuild(self, kind, names)
    }
}
