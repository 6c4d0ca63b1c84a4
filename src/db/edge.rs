//! The four tables of edges (like, repost, follow, block) as one: each lends its statements, with the same parameters and columns.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{block, column, execute, follow, like, query, read, repost};
use crate::collection::{Coll, Ref};

/// In `flags`: an earlier edge of the same author and subject counts, this one does not.
pub const FLAG_DUPLICATE: i16 = 8;
/// In `flags`: the kind of a like's or repost's subject.
pub const KIND_MASK: i16 = 0x70;

/// Which table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    Like,
    Repost,
    Follow,
    Block,
}

/// A row of any of the four tables; what a table has no column for is 0 or `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    pub rkey: i64,
    pub author: i32,
    /// The subject's key; 0 where the subject is an account.
    pub sr: i64,
    /// The subject's author, or the subject.
    pub sa: i32,
    pub via: Option<i32>,
    pub dms: Option<i16>,
    pub flags: i16,
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

/// The statements of one table. Parameters and columns are the same for all four.
pub(super) struct Statements {
    /// ($1 authors, $2 keys) -> edges
    pub at: &'static str,
    /// ($1 authors, $2 subjects' keys, $3 subjects' authors) -> edges
    pub of: &'static str,
    /// ($1 keys, $2 sr, $3 authors, $4 sa, $5 via, $6 dms, $7 flags, $8 sort)
    pub insert: &'static str,
    /// ($1 authors, $2 keys)
    pub delete: &'static str,
}

impl EdgeKind {
    pub const ALL: [Self; 4] = [Self::Like, Self::Repost, Self::Follow, Self::Block];

    /// The kind that a collection's records are; `None` for those that are no edges.
    #[must_use]
    pub fn of(coll: Coll) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.coll() == coll)
    }

    #[must_use]
    pub fn coll(self) -> Coll {
        match self {
            Self::Like => Coll::LIKE,
            Self::Repost => Coll::REPOST,
            Self::Follow => Coll::FOLLOW,
            Self::Block => Coll::BLOCK,
        }
    }

    fn statements(self) -> &'static Statements {
        match self {
            Self::Like => &like::STATEMENTS,
            Self::Repost => &repost::STATEMENTS,
            Self::Follow => &follow::STATEMENTS,
            Self::Block => &block::STATEMENTS,
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
}

/// The edges that stand at these places.
pub async fn at(client: &impl GenericClient, kind: EdgeKind, places: &[Ref]) -> Result<Vec<Edge>, Error> {
    let (authors, rkeys) = (column(places, |p| p.author), column(places, |p| p.rkey));
    read(&query(client, kind.statements().at, &[&authors, &rkeys]).await?, edge)
}

/// All edges of these pairs, whatever the kind of subject.
pub async fn of(client: &impl GenericClient, kind: EdgeKind, pairs: &[Pair]) -> Result<Vec<Edge>, Error> {
    let (authors, subjects, owners) = (column(pairs, |p| p.author), column(pairs, |p| p.sr), column(pairs, |p| p.sa));
    read(&query(client, kind.statements().of, &[&authors, &subjects, &owners]).await?, edge)
}

/// Adds edges, none of which is held.
pub async fn insert(client: &impl GenericClient, kind: EdgeKind, edges: &[Edge]) -> Result<u64, Error> {
    let (rkeys, sr, sort) = (column(edges, |e| e.rkey), column(edges, |e| e.sr), column(edges, |e| e.sort));
    let (authors, sa, via) = (column(edges, |e| e.author), column(edges, |e| e.sa), column(edges, |e| e.via));
    let (dms, flags) = (column(edges, |e| e.dms), column(edges, |e| e.flags));
    execute(client, kind.statements().insert, &[&rkeys, &sr, &authors, &sa, &via, &dms, &flags, &sort]).await
}

/// Removes the edges at these places.
pub async fn delete(client: &impl GenericClient, kind: EdgeKind, places: &[Ref]) -> Result<u64, Error> {
    let (authors, rkeys) = (column(places, |p| p.author), column(places, |p| p.rkey));
    execute(client, kind.statements().delete, &[&authors, &rkeys]).await
}

pub(super) fn edge(row: &Row) -> Result<Edge, Error> {
    Ok(Edge {
        rkey: row.try_get(0)?,
        author: row.try_get(1)?,
        sr: row.try_get(2)?,
        sa: row.try_get(3)?,
        via: row.try_get(4)?,
        dms: row.try_get(5)?,
        flags: row.try_get(6)?,
        sort: row.try_get(7)?,
    })
}
