//! The tables of edges (like, repost, follow, ...) as one: each lends its statements, with the same parameters and columns.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{block, column, execute, follow, like, listblock, listitem, query, read, repost, verification};
use crate::collection::{Edge, EdgeKind, Pair, Ref};

/// The statements of one table. Parameters and columns are the same for all.
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

fn statements(kind: EdgeKind) -> &'static Statements {
    match kind {
        EdgeKind::Like => &like::STATEMENTS,
        EdgeKind::Repost => &repost::STATEMENTS,
        EdgeKind::Follow => &follow::STATEMENTS,
        EdgeKind::Block => &block::STATEMENTS,
        EdgeKind::ListBlock => &listblock::STATEMENTS,
        EdgeKind::ListItem => &listitem::STATEMENTS,
        EdgeKind::Verification => &verification::STATEMENTS,
    }
}

/// The edges that stand at these places.
pub async fn at(client: &impl GenericClient, kind: EdgeKind, places: &[Ref]) -> Result<Vec<Edge>, Error> {
    let (authors, rkeys) = (column(places, |p| p.author), column(places, |p| p.rkey));
    read(&query(client, statements(kind).at, &[&authors, &rkeys]).await?, edge)
}

/// All edges of these pairs, whatever the kind of subject.
pub async fn of(client: &impl GenericClient, kind: EdgeKind, pairs: &[Pair]) -> Result<Vec<Edge>, Error> {
    let (authors, subjects, owners) = (column(pairs, |p| p.author), column(pairs, |p| p.sr), column(pairs, |p| p.sa));
    read(&query(client, statements(kind).of, &[&authors, &subjects, &owners]).await?, edge)
}

/// Adds edges, none of which is held.
pub async fn insert(client: &impl GenericClient, kind: EdgeKind, edges: &[Edge]) -> Result<u64, Error> {
    let (rkeys, sr, sort) = (column(edges, |e| e.rkey), column(edges, |e| e.sr), column(edges, |e| e.sort));
    let (authors, sa, via) = (column(edges, |e| e.author), column(edges, |e| e.sa), column(edges, |e| e.via));
    let (dms, flags) = (column(edges, |e| e.dms), column(edges, |e| e.flags));
    execute(client, statements(kind).insert, &[&rkeys, &sr, &authors, &sa, &via, &dms, &flags, &sort]).await
}

/// Removes the edges at these places.
pub async fn delete(client: &impl GenericClient, kind: EdgeKind, places: &[Ref]) -> Result<u64, Error> {
    let (authors, rkeys) = (column(places, |p| p.author), column(places, |p| p.rkey));
    execute(client, statements(kind).delete, &[&authors, &rkeys]).await
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
