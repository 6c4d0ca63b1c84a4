//! Table `follow`: an account follows an account.

use super::edge::{Statements, edge_statements};

pub(super) const STATEMENTS: Statements = edge_statements! {
    table: "follow",
    name: "follow",
    key: 50,
    pair: account,
    edge: "0::int8, e.subject, e.via, e.dms, e.flags, NULL::int8",
    columns: "rkey, author, subject, via, dms, flags",
    values: "n.rkey, n.author, n.sa, n.via, n.dms, n.flags",
};
