//! `app.bsky.feed.threadgate`: who may reply to a post, and which replies its author hides. Kept whole, with a row of what it allows.

use super::super::fields::Fields;
use super::super::refs::{Ref, Target, is_own_post};
use super::super::types::{Shape, Type};
use super::super::{Coll, Derived, Ids, Names, Place, RecordError, Row};

/// Only those may reply whom another rule allows.
pub const RULE_CLOSED: i16 = 1;
/// Whom the post mentions.
pub const RULE_MENTIONED: i16 = 2;
/// Who follows the post's author.
pub const RULE_FOLLOWERS: i16 = 4;
/// Whom the post's author follows.
pub const RULE_FOLLOWED: i16 = 8;
/// Who is on one of the lists.
pub const RULE_LISTS: i16 = 16;

/// What the gate of a post allows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Threadgate {
    pub rules: i16,
    /// Whose members may reply, with [`RULE_LISTS`].
    pub lists: Vec<Ref>,
    /// Replies that the post's author hides.
    pub hidden: Vec<Ref>,
}

pub(in super::super) const TYPE: Type = Type { coll: Coll::THREADGATE, shape: Shape::Own { names, row } };

fn names<'a>(record: &'a [u8], into: &mut Names<'a>) {
    let Some(fields) = Fields::of(record) else { return };
    for target in post(&fields).into_iter().chain(lists(&fields)).chain(hidden(&fields)) {
        target.name(into);
    }
}

fn row(place: Place, record: &[u8], ids: &dyn Ids) -> Result<Row, RecordError> {
    const NONE: Row = Row::Whole(Derived::Nothing);
    let Some(fields) = Fields::of(record) else { return Ok(NONE) };
    let Some(post) = post(&fields) else { return Ok(NONE) };
    if !is_own_post(place, post.resolve(ids)?) {
        return Ok(NONE);
    }
    let lists = lists(&fields).map(|list| list.resolve(ids)).collect::<Result<_, _>>()?;
    let hidden = hidden(&fields).map(|reply| reply.resolve(ids)).collect::<Result<_, _>>()?;
    Ok(Row::Whole(Derived::Threadgate(Threadgate { rules: rules(&fields), lists, hidden })))
}

fn rules(fields: &Fields<'_>) -> i16 {
    let closed = if fields.get("allow").is_some() { RULE_CLOSED } else { 0 };
    let rule = |name| match name {
        "app.bsky.feed.threadgate#mentionRule" => RULE_MENTIONED,
        "app.bsky.feed.threadgate#followerRule" => RULE_FOLLOWERS,
        "app.bsky.feed.threadgate#followingRule" => RULE_FOLLOWED,
        LIST_RULE => RULE_LISTS,
        _ => 0,
    };
    fields.types("allow").fold(closed, |rules, name| rules | rule(name))
}

const LIST_RULE: &str = "app.bsky.feed.threadgate#listRule";

fn post<'a>(fields: &Fields<'a>) -> Option<Target<'a>> {
    Target::of(fields.text("post")?, Coll::POST)
}

fn lists<'a>(fields: &Fields<'a>) -> impl Iterator<Item = Target<'a>> + use<'a> {
    let rules = fields.items("allow").filter_map(Fields::at).filter(|rule| rule.text("$type") == Some(LIST_RULE));
    rules.filter_map(|rule| Target::of(rule.text("list")?, Coll::LIST))
}

fn hidden<'a>(fields: &Fields<'a>) -> impl Iterator<Item = Target<'a>> + use<'a> {
    fields.items("hiddenReplies").filter_map(|mut item| Target::of(item.text().ok()?, Coll::POST))
}
