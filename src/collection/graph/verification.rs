//! `app.bsky.graph.verification`: an account says that another is who it says.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::form::{Form, Said, read_account};
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::edge(&FORM, Coll::VERIFICATION);

const FORM: Form = Form { kind: EdgeKind::Verification, read: read_account, write: write, via: None, sorted: false };

/// The handle and the display name that were verified stand in the record alone.
fn write(_: Coll, _: &Said<'_>) -> Option<Vec<u8>> {
    None
}
