//! `app.bsky.graph.follow`: an account follows an account.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::form::{Form, read_account, write_account};
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::edge(&FORM, Coll::FOLLOW);

const FORM: Form = Form { kind: EdgeKind::Follow, read: read_account, write: write_account, via: Some(Coll::STARTERPACK), sorted: false };
