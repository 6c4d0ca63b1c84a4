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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::testing::{AUTHOR, Numbers, assert_kept_whole, dag_cbor, key};
    use super::*;

    const LIST: &str = "at://did:plc:alice/app.bsky.graph.list/3jzfcijpj2z2a";
    const REPLY: &str = "at://did:plc:bob/app.bsky.feed.post/3jzfcijpj2z2b";

    fn gate(post: &str) -> serde_json::Value {
        json!({"$type": "app.bsky.feed.threadgate", "post": post, "createdAt": "2025-10-09T08:53:20.123Z"})
    }

    fn own() -> serde_json::Value {
        gate(&format!("at://{AUTHOR}/app.bsky.feed.post/{}", key()))
    }

    fn derived(numbers: &Numbers, record: &serde_json::Value) -> Threadgate {
        match numbers.row(Coll::THREADGATE, &dag_cbor(record)) {
            Row::Whole(Derived::Threadgate(gate)) => gate,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_rule_has_its_bit() {
        let numbers = Numbers::default();
        let rule = |name: &str| json!({"$type": format!("app.bsky.feed.threadgate#{name}"), "list": LIST});
        for (allow, rules) in [
            (json!([]), RULE_CLOSED),
            (json!([rule("mentionRule")]), RULE_CLOSED | RULE_MENTIONED),
            (json!([rule("followerRule"), rule("mentionRule")]), RULE_CLOSED | RULE_FOLLOWERS | RULE_MENTIONED),
            (json!([rule("followingRule")]), RULE_CLOSED | RULE_FOLLOWED),
            (json!([{"$type": "com.example.rule"}]), RULE_CLOSED),
        ] {
            let mut record = own();
            record["allow"] = allow;
            assert_eq!(derived(&numbers, &record), Threadgate { rules, ..Threadgate::default() });
        }
        assert_eq!(derived(&numbers, &own()), Threadgate::default(), "without `allow` anybody may reply");
    }

    #[test]
    fn lists_and_hidden_replies_are_references() {
        let numbers = Numbers::default();
        let mut record = own();
        record["allow"] = json!([{"$type": LIST_RULE, "list": LIST}, {"$type": LIST_RULE, "list": REPLY}]);
        record["hiddenReplies"] = json!([REPLY, LIST, "at://did:plc:bob", 7]);
        let gate = derived(&numbers, &record);
        assert_eq!(gate.rules, RULE_CLOSED | RULE_LISTS);
        assert_eq!(gate.lists, [numbers.at("did:plc:alice", "3jzfcijpj2z2a")]);
        assert_eq!(gate.hidden, [numbers.at("did:plc:bob", "3jzfcijpj2z2b")]);
    }

    #[test]
    fn a_gate_of_another_post_derives_nothing() {
        let others =
            [format!("at://did:plc:alice/app.bsky.feed.post/{}", key()), REPLY.to_owned(), LIST.to_owned(), format!("at://{AUTHOR}")];
        for other in others {
            assert_kept_whole(Coll::THREADGATE, &dag_cbor(&gate(&other)));
        }
    }
}
