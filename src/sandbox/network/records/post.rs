//! Posts.

use fastrand::Rng;

use super::super::target::Named;
use super::super::words::Language;
use super::text::{Person, RichText};
use super::{Draft, self_labels, texts};
use crate::atproto::cbor::Value;

/// Characters of the words of a post: with mentions, links and tags it stays under the 300 that the lexicon allows.
const MAX_WORDS: usize = 200;
/// People that are mentioned at most.
const MAX_MENTIONS: usize = 2;

/// What a post answers.
#[derive(Debug, Clone)]
pub(in super::super) struct Reply {
    pub parent: Value,
    pub root: Named,
}

/// A post with these references; its text as chance has it.
pub(in super::super) fn post(reply: Option<Reply>, embed: Option<Value>, mentions: &[Person], rng: &mut Rng, created: &str) -> Draft {
    let language = Language::choose(rng);
    let mut text = RichText::new(language);
    let mentions = mentions.iter().take(MAX_MENTIONS);
    mentions.for_each(|person| text.mention(person));
    let words = match rng.u32(0..10) {
        0..3 => rng.usize(0..5),
        3..7 => rng.usize(8..30),
        _ => rng.usize(25..70),
    };
    text.words(rng, words, MAX_WORDS);
    match rng.u32(0..12) {
        0 => text.link(&format!("https://news.example.com/{:08x}", rng.u32(..))),
        1 => ["sandbox", "写真", "müde"].iter().take(rng.usize(1..=3)).for_each(|tag| text.tag(tag)),
        2 if rng.bool() => null_character(&mut text),
        _ => {}
    }
    let draft = Draft::new("app.bsky.feed.post", [("text", Value::text(text.text.as_str())), ("createdAt", Value::text(created))]);
    let mut draft = draft.with_some("facets", text.facets()).with_some("embed", embed).with_some("langs", langs(language, rng));
    draft = match rng.u32(0..100) {
        0..2 => draft.with("tags", texts(["sandbox", "outline"])),
        2 => draft.with("labels", self_labels("nudity")),
        // What no schema knows stays in the record: bridges and clients write such things.
        3 => draft.with("bridgyOriginalUrl", Value::text("https://fediverse.example.com/@me/1")),
        _ => draft,
    };
    let Some(Reply { parent, root }) = reply else { return draft };
    let reply = Value::map([("parent", parent), ("root", root.strong_ref())]);
    draft.kept = Some(reply.clone());
    draft.root = Some(root);
    draft.with("reply", reply)
}

fn langs(language: &Language, rng: &mut Rng) -> Option<Value> {
    match rng.u32(0..16) {
        0 => None,
        1..3 => Some(texts([language.tag, "en-US"])),
        _ => Some(texts([language.tag])),
    }
}

/// U+0000 is legal in a record and impossible in a PostgreSQL text.
fn null_character(text: &mut RichText) {
    text.text.push_str("before\0after");
}
