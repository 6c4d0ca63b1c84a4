//! `app.bsky.feed.repost`: an account shows a record to its followers.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::form::{Form, read_strong_ref, write_strong_ref};
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::edge(&FORM, Coll::REPOST);

const FORM: Form = Form { kind: EdgeKind::Repost, read: read_strong_ref, write: write_strong_ref, via: Some(Coll::REPOST), sorted: true };
