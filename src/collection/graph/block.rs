//! `app.bsky.graph.block`: an account blocks an account.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::form::{Form, read_account, write_account};
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::edge(&FORM, Coll::BLOCK);

const FORM: Form = Form { kind: EdgeKind::Block, read: read_account, write: write_account, via: None, sorted: false };
