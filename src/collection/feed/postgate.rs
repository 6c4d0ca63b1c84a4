//! `app.bsky.feed.postgate`: who may quote a post. Kept whole; derived is only that nobody may.

use super::super::fields::Fields;
use super::super::refs::{Target, is_own_post};
use super::super::types::{Shape, Type};
use super::super::{Coll, Derived, Ids, Names, Place, RecordError, Row};

pub(in super::super) const TYPE: Type = Type { coll: Coll::POSTGATE, shape: Shape::Own { names, row } };

fn names<'a>(record: &'a [u8], into: &mut Names<'a>) {
    if let Some(post) = Fields::of(record).and_then(|fields| post(&fields)) {
        post.name(into);
    }
}

fn row(place: Place, record: &[u8], ids: &dyn Ids) -> Result<Row, RecordError> {
    const NONE: Row = Row::Whole(Derived::Nothing);
    let Some(fields) = Fields::of(record) else { return Ok(NONE) };
    let Some(post) = post(&fields) else { return Ok(NONE) };
    let closed = fields.types("embeddingRules").any(|name| name == "app.bsky.feed.postgate#disableRule");
    Ok(if closed && is_own_post(place, post.resolve(ids)?) { Row::Whole(Derived::Postgate) } else { NONE })
}

fn post<'a>(fields: &Fields<'a>) -> Option<Target<'a>> {
    Target::of(fields.text("post")?, Coll::POST)
}
