//! `app.bsky.feed.like`: an account likes a record.

use super::super::Coll;
use super::super::edge::EdgeKind;
use super::super::form::{Form, read_strong_ref, write_strong_ref};
use super::super::types::Type;

pub(in super::super) const TYPE: Type = Type::edge(&FORM, Coll::LIKE);

const FORM: Form = Form { kind: EdgeKind::Like, read: read_strong_ref, write: write_strong_ref, via: Some(Coll::REPOST), sorted: false };
