//! Table `listblock`: an account blocks everyone on a list.

use super::edge::{Statements, edge_statements};

pub(super) const STATEMENTS: Statements = edge_statements! {
    table: "listblock",
    name: "listblock",
    key: 50,
    pair: record,
    edge: "e.sr, e.sa, NULL::int4, e.dms, e.flags, NULL::int8",
    columns: "rkey, sr, author, sa, dms, flags",
    values: "n.rkey, n.sr, n.author, n.sa, n.dms, n.flags",
};
