//! One thing that a query asks of a post: its tokens, and whether it holds.

use super::document::{self, Document};
use super::token::{HOST, LINK, MENTION, TAG, token};
use super::unit::{Unit, contains, units};

/// What a post must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// These units one behind the other.
    Words(Vec<Unit>),
    /// Folded.
    Tag(String),
    /// The account that wrote it.
    Author(i32),
    /// A DID.
    Mention(String),
    /// In lower case: `pt` also finds `pt-br`, `pt-br` only itself.
    Lang(String),
    /// As [`super::host`] gives it.
    Host(String),
    /// As [`super::link`] gives it.
    Link(String),
}

impl Condition {
    /// The words of a text, one behind the other.
    #[must_use]
    pub fn words(text: &str) -> Self {
        Self::Words(units(text))
    }

    /// A tag, with or without its hash.
    #[must_use]
    pub fn tag(text: &str) -> Self {
        Self::Tag(document::tag(text))
    }

    /// Whether nothing can have it: there is no letter, digit or picture in it.
    #[must_use]
    pub fn is_void(&self) -> bool {
        match self {
            Self::Words(units) => units.is_empty(),
            Self::Tag(text) | Self::Mention(text) | Self::Lang(text) | Self::Host(text) | Self::Link(text) => text.is_empty(),
            Self::Author(_) => false,
        }
    }

    /// Whether the post has it.
    #[must_use]
    pub fn holds(&self, of: &Document) -> bool {
        match self {
            Self::Words(units) => holds_words(units, of),
            Self::Tag(tag) => of.tags.contains(tag),
            Self::Author(author) => of.author == *author,
            Self::Mention(did) => of.mentions.contains(did),
            Self::Lang(lang) => {
                of.langs.iter().any(|has| has == lang || has.strip_prefix(&**lang).is_some_and(|rest| rest.starts_with('-')))
            }
            Self::Host(host) => of.hosts.contains(host),
            Self::Link(link) => of.links.contains(link),
        }
    }

    /// Tokens that every post has for which it holds.
    fn tokens(&self, into: &mut Vec<i32>) {
        match self {
            Self::Words(units) => of_words(units, into),
            Self::Tag(tag) => into.push(token(TAG, &[tag.as_bytes()])),
            Self::Author(author) => into.push(document::author(*author)),
            Self::Mention(did) => into.push(token(MENTION, &[did.as_bytes()])),
            Self::Lang(lang) => into.push(document::lang(lang)),
            Self::Host(host) => into.push(token(HOST, &[host.as_bytes()])),
            Self::Link(link) => into.push(token(LINK, &[link.as_bytes()])),
        }
    }
}

/// Of a dense unit without a neighbour it is not known whether it has one in the post. Chinese ones have a token in any case; others have one
/// only where they stand alone: where nothing else is asked for, the first one must.
fn of_words(units: &[Unit], into: &mut Vec<i32>) {
    let had = into.len();
    for (at, unit) in units.iter().enumerate() {
        match at.checked_sub(1).and_then(|before| units.get(before)).filter(|_| unit.glued) {
            Some(before) => into.push(document::pair(before, unit)),
            None if has_token(units, at) => into.push(document::word(&unit.text)),
            None => {}
        }
    }
    if let Some(first) = units.first().filter(|_| into.len() == had) {
        into.push(document::word(&first.text));
    }
}

/// Whether a unit has a token by itself wherever it stands, and needs to be asked for: pairs say more.
fn has_token(units: &[Unit], at: usize) -> bool {
    units.get(at).is_some_and(|unit| !unit.dense || (unit.is_syllable() && document::is_alone(units, at)))
}

fn holds_words(asked: &[Unit], of: &Document) -> bool {
    let is_weak = asked.iter().enumerate().all(|(at, unit)| !unit.glued && !has_token(asked, at));
    if !is_weak {
        return of.texts.iter().any(|units| contains(units, asked));
    }
    let alone =
        |units: &[Unit], at| document::is_alone(units, at) && units.get(at..at + asked.len()).is_some_and(|part| contains(part, asked));
    of.texts.iter().any(|units| (0..units.len()).any(|at| alone(units, at)))
}

/// The tokens of all these, sorted, each once.
#[must_use]
pub fn all_tokens<'a>(conditions: impl Iterator<Item = &'a Condition>) -> Vec<i32> {
    let mut tokens = Vec::new();
    conditions.for_each(|condition| condition.tokens(&mut tokens));
    super::sorted(tokens)
}
