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

/// The statements of a table whose columns are those of an [`Edge`], or fewer.
///
/// `key`: the shift of its index on (author, bucket of the key), or `exact` where that is on the key itself. `pair`: what its edges are of,
/// `record` (sr, sa), `account` (subject) or `member` (subject on the list lr). `edge`: what an edge has after its key and author; `columns` and `values`: what is written, and of what.
macro_rules! edge_statements {
    (
        table: $table:literal,
        name: $name:literal,
        key: $key:tt,
        pair: $pair:ident,
        edge: $edge:literal,
        columns: $columns:literal,
        values: $values:literal $(,)?
    ) => {
        $crate::db::edge::Statements {
            at: concat!(
                "-- ",
                $name,
                "::at
        SELECT e.rkey, e.author, ",
                $edge,
                "
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN ",
                $table,
                " e ON ",
                $crate::db::edge::edge_statements!(@place $key),
            ),
            of: concat!(
                "-- ",
                $name,
                "::of
        SELECT e.rkey, e.author, ",
                $edge,
                "
        FROM UNNEST($1::int4[], $2::int8[], $3::int4[]) AS k (author, sr, sa)
        JOIN ",
                $table,
                " e ON e.author = k.author AND ",
                $crate::db::edge::edge_statements!(@$pair),
            ),
            insert: concat!(
                "-- ",
                $name,
                "::insert
        INSERT INTO ",
                $table,
                " (",
                $columns,
                ")
        SELECT ",
                $values,
                "
        FROM UNNEST($1::int8[], $2::int8[], $3::int4[], $4::int4[], $5::int4[], $6::int2[], $7::int2[], $8::int8[])
          AS n (rkey, sr, author, sa, via, dms, flags, sort)",
            ),
            delete: concat!(
                "-- ",
                $name,
                "::delete
        DELETE FROM ",
                $table,
                " e USING UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        WHERE ",
                $crate::db::edge::edge_statements!(@place $key),
            ),
        }
    };
    (@place exact) => {
        "e.author = k.author AND e.rkey = k.rkey"
    };
    (@place $key:literal) => {
        concat!(
            "e.author = k.author AND e.rkey = k.rkey AND ",
            $crate::db::bucket::bucket_sql!("e.rkey", $key),
            " = ",
            $crate::db::bucket::bucket_sql!("k.rkey", $key),
        )
    };
    (@record) => {
        concat!(
            "e.sr = k.sr AND e.sa = k.sa AND ",
            $crate::db::bucket::h31_sql!("e.sr", "e.sa"),
            " = ",
            $crate::db::bucket::h31_sql!("k.sr", "k.sa"),
        )
    };
    (@account) => {
        "e.subject = k.sa"
    };
    (@member) => {
        "e.subject = k.sa AND e.lr = k.sr"
    };
}

pub(super) use edge_statements;

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
