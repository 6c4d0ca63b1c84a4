//! Table `verification`: an account says that another is who it says.

use super::edge::{Statements, edge_statements};

pub(super) const STATEMENTS: Statements = edge_statements! {
    table: "verification",
    name: "verification",
    key: 50,
    pair: account,
    edge: "0::int8, e.subject, NULL::int4, e.dms, e.flags, NULL::int8",
    columns: "rkey, author, subject, dms, flags",
    values: "n.rkey, n.author, n.sa, n.dms, n.flags",
};
