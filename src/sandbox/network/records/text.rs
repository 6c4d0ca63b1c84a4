//! Rich text: words with mentions, links and tags in between, each with the bytes it stands at.

use fastrand::Rng;

use super::super::words::Language;
use super::typed;
use crate::atproto::cbor::Value;

/// Somebody to mention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Person {
    pub did: String,
    pub handle: String,
}

/// A text that grows.
#[derive(Debug)]
pub(super) struct RichText {
    language: &'static Language,
    pub text: String,
    facets: Vec<Value>,
}

impl RichText {
    pub(super) fn new(language: &'static Language) -> Self {
        Self { language, text: String::new(), facets: Vec::new() }
    }

    /// Up to `len` words, at most `most` characters.
    pub(super) fn words(&mut self, rng: &mut Rng, len: usize, most: usize) {
        let words = self.language.text(rng, len, most);
        self.push(&words);
    }

    pub(super) fn mention(&mut self, person: &Person) {
        let feature = typed("app.bsky.richtext.facet#mention", [("did", Value::text(person.did.as_str()))]);
        self.facet(&format!("@{}", person.handle), feature);
    }

    pub(super) fn link(&mut self, uri: &str) {
        let shown = uri.trim_start_matches("https://").chars().take(24).collect::<String>() + "…";
        self.facet(&shown, typed("app.bsky.richtext.facet#link", [("uri", Value::text(uri))]));
    }

    pub(super) fn tag(&mut self, tag: &str) {
        self.facet(&format!("#{tag}"), typed("app.bsky.richtext.facet#tag", [("tag", Value::text(tag))]));
    }

    /// The facets, if there are any.
    pub(super) fn facets(self) -> Option<Value> {
        (!self.facets.is_empty()).then_some(Value::Array(self.facets))
    }

    fn facet(&mut self, shown: &str, feature: Value) {
        let end = self.push(shown);
        let at = |bytes: usize| Value::Int(i64::try_from(bytes).unwrap_or(i64::MAX));
        let index = Value::map([("byteStart", at(end - shown.len())), ("byteEnd", at(end))]);
        self.facets.push(Value::map([("index", index), ("features", Value::Array(vec![feature]))]));
    }

    /// Appends with a space before, in every language; the length in bytes.
    fn push(&mut self, part: &str) -> usize {
        if !self.text.is_empty() && !part.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(part);
        self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::words::ENGLISH;
    use super::*;

    #[test]
    fn facets_stand_where_they_say() {
        let mut text = RichText::new(&ENGLISH);
        text.push("日本");
        text.mention(&Person { did: "did:plc:x".into(), handle: "a.example".into() });
        text.tag("猫");
        let whole = text.text.clone();
        let Some(Value::Array(facets)) = text.facets() else { panic!("no facets") };
        let spans: Vec<_> = facets
            .iter()
            .map(|facet| {
                let at = |key| match facet.get("index").and_then(|index| index.get(key)) {
                    Some(Value::Int(at)) => usize::try_from(*at).unwrap(),
                    other => panic!("{other:?}"),
                };
                &whole[at("byteStart")..at("byteEnd")]
            })
            .collect();
        assert_eq!(spans, ["@a.example", "#猫"]);
    }
}
