//! Table `repost`: an account shows a record to its followers.

use super::edge::{Statements, edge_statements};

pub(super) const STATEMENTS: Statements = edge_statements! {
    table: "repost",
    name: "repost",
    key: exact,
    pair: record,
    edge: "e.sr, e.sa, e.via, e.dms, e.flags, e.sort",
    columns: "rkey, sr, author, sa, via, dms, flags, sort",
    values: "n.rkey, n.sr, n.author, n.sa, n.via, n.dms, n.flags, n.sort",
};
