//! Table `listitem`: an account is on a list of the item's author.

use super::edge::{Statements, edge_statements};

pub(super) const STATEMENTS: Statements = edge_statements! {
    table: "listitem",
    name: "listitem",
    key: 50,
    pair: member,
    edge: "e.lr, e.subject, NULL::int4, e.dms, e.flags, NULL::int8",
    columns: "rkey, lr, author, subject, dms, flags",
    values: "n.rkey, n.sr, n.author, n.sa, n.dms, n.flags",
};
