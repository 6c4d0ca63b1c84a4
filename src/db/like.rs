//! Table `like`: an account likes a record.

use super::edge::{Statements, edge_statements};

pub(super) const STATEMENTS: Statements = edge_statements! {
    table: "\"like\"",
    name: "like",
    key: 46,
    pair: record,
    edge: "e.sr, e.sa, e.via, e.dms, e.flags, NULL::int8",
    columns: "rkey, sr, author, sa, via, dms, flags",
    values: "n.rkey, n.sr, n.author, n.sa, n.via, n.dms, n.flags",
};
