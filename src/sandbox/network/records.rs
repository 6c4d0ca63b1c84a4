//! The records that the network's people write: valid by their lexicons, except where a function says otherwise.

use fastrand::Rng;

use super::target::{Target, Targets};
use super::words::Language;
use crate::atproto::Cid;
use crate::atproto::cbor::Value;

/// A record before it is signed into a repo.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub collection: &'static str,
    pub record: Value,
    /// Root of the thread, for a reply.
    pub root: Option<(String, Cid)>,
}

impl Draft {
    fn new<'a>(collection: &'static str, entries: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        let typed = std::iter::once(("$type", Value::text(collection))).chain(entries);
        Self { collection, record: Value::map(typed), root: None }
    }

    /// Whether this record is an edge whose subject it can name again: a duplicate.
    pub(super) fn is_edge(&self) -> bool {
        let edges = ["app.bsky.feed.like", "app.bsky.feed.repost", "app.bsky.graph.follow", "app.bsky.graph.block"];
        edges.contains(&self.collection) && self.record.get("subject").is_some()
    }

    /// The same record written at another time.
    pub(super) fn created_at(self, created: &str) -> Self {
        self.with("createdAt", Value::text(created))
    }

    /// The record with one more entry, or another value of it.
    fn with(mut self, key: &str, value: Value) -> Self {
        if let Value::Map(entries) = &mut self.record {
            entries.retain(|(k, _)| k != key);
            entries.push((key.to_owned(), value));
        }
        self
    }
}

/// A like of `subject`, through the repost `via` where there is one.
pub(super) fn like(subject: &Target, via: Option<&Target>, created: &str) -> Draft {
    edge("app.bsky.feed.like", subject, via, created)
}

pub(super) fn repost(subject: &Target, via: Option<&Target>, created: &str) -> Draft {
    edge("app.bsky.feed.repost", subject, via, created)
}

fn edge(collection: &'static str, subject: &Target, via: Option<&Target>, created: &str) -> Draft {
    let draft = Draft::new(collection, [("subject", subject.strong_ref()), ("createdAt", Value::text(created))]);
    via.into_iter().fold(draft, |draft, via| draft.with("via", via.strong_ref()))
}

pub(super) fn follow(subject: &str, created: &str) -> Draft {
    Draft::new("app.bsky.graph.follow", [("subject", Value::text(subject)), ("createdAt", Value::text(created))])
}

pub(super) fn block(subject: &str, created: &str) -> Draft {
    Draft::new("app.bsky.graph.block", [("subject", Value::text(subject)), ("createdAt", Value::text(created))])
}

pub(super) fn profile(handle: &str, rng: &mut Rng, created: &str) -> Draft {
    let language = Language::choose(rng);
    let draft = Draft::new(
        "app.bsky.actor.profile",
        [
            ("displayName", Value::text(handle.split('.').next().unwrap_or(handle))),
            ("description", Value::text(language.text(rng, 8))),
            ("createdAt", Value::text(created)),
        ],
    );
    if rng.bool() { draft.with("avatar", blob(rng, "image/jpeg")) } else { draft }
}

/// A post, with a reply reference, a quote, other embeds and facets as chance has it. `mention` is an account to be mentioned.
pub(super) fn post(targets: &Targets, mention: &str, rng: &mut Rng, created: &str) -> Draft {
    let language = Language::choose(rng);
    let len = rng.usize(1..25);
    let mut draft = Draft::new(
        "app.bsky.feed.post",
        [
            ("text", Value::text(language.text(rng, len))),
            ("langs", Value::Array(vec![Value::text(language.tag)])),
            ("createdAt", Value::text(created)),
        ],
    );
    if let Some(parent) = targets.post(rng).filter(|_| rng.u32(0..100) < 45) {
        draft = draft.with("reply", Value::map([("parent", parent.strong_ref()), ("root", parent.root_ref())]));
        draft.root = Some(parent.root.clone().unwrap_or_else(|| (parent.uri.clone(), parent.cid)));
    }
    match rng.u32(0..100) {
        0..12 => draft.with("embed", images(rng)),
        12..20 => draft.with("embed", external(rng)),
        20..28 => quote(draft, targets, rng),
        28..30 => quote_with_media(draft, targets, rng),
        30..32 => draft.with("embed", video(rng)),
        32..36 => mentioning(draft, mention),
        36 => draft.with("tags", Value::Array(vec![Value::text("sandbox")])),
        37 => with_null_character(draft),
        _ => draft,
    }
}

fn quote(draft: Draft, targets: &Targets, rng: &mut Rng) -> Draft {
    match targets.post(rng) {
        Some(quoted) => draft.with("embed", record_embed(quoted)),
        None => draft,
    }
}

fn quote_with_media(draft: Draft, targets: &Targets, rng: &mut Rng) -> Draft {
    let Some(quoted) = targets.post(rng) else { return draft };
    let embed = [("$type", Value::text("app.bsky.embed.recordWithMedia")), ("record", record_embed(quoted)), ("media", images(rng))];
    draft.with("embed", Value::map(embed))
}

fn record_embed(target: &Target) -> Value {
    Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", target.strong_ref())])
}

fn images(rng: &mut Rng) -> Value {
    let count = rng.usize(1..=4);
    let image = |rng: &mut Rng| Value::map([("alt", Value::text("")), ("image", blob(rng, "image/jpeg"))]);
    Value::map([("$type", Value::text("app.bsky.embed.images")), ("images", Value::Array((0..count).map(|_| image(rng)).collect()))])
}

fn video(rng: &mut Rng) -> Value {
    Value::map([("$type", Value::text("app.bsky.embed.video")), ("video", blob(rng, "video/mp4"))])
}

fn external(rng: &mut Rng) -> Value {
    let uri = format!("https://news.example.com/{}", rng.u32(..));
    let card = Value::map([("uri", Value::text(uri)), ("title", Value::text("News")), ("description", Value::text(""))]);
    Value::map([("$type", Value::text("app.bsky.embed.external")), ("external", card)])
}

fn blob(rng: &mut Rng, mime: &str) -> Value {
    Value::map([
        ("$type", Value::text("blob")),
        ("ref", Value::Link(Cid::raw(&rng.u64(..).to_be_bytes()))),
        ("mimeType", Value::text(mime)),
        ("size", Value::Int(i64::from(rng.u32(1000..900_000)))),
    ])
}

fn mentioning(draft: Draft, did: &str) -> Draft {
    let text = "@friend look at this";
    let feature = Value::map([("$type", Value::text("app.bsky.richtext.facet#mention")), ("did", Value::text(did))]);
    let index = Value::map([("byteStart", Value::Int(0)), ("byteEnd", Value::Int(7))]);
    let facet = Value::map([("index", index), ("features", Value::Array(vec![feature]))]);
    draft.with("text", Value::text(text)).with("facets", Value::Array(vec![facet]))
}

/// U+0000 is legal in a record and impossible in a PostgreSQL text.
fn with_null_character(draft: Draft) -> Draft {
    draft.with("text", Value::text("before\0after"))
}

/// A record of a Bluesky collection that has no table of its own. `owner` is its author, `subject` another account.
pub(super) fn other(targets: &Targets, subject: &str, rng: &mut Rng, created: &str) -> Draft {
    let created_at = ("createdAt", Value::text(created));
    match (rng.u32(0..10), targets.list(rng), targets.post(rng)) {
        (0..3, Some(list), _) => {
            Draft::new("app.bsky.graph.listitem", [("subject", Value::text(subject)), ("list", Value::text(&*list.uri)), created_at])
        }
        (3, Some(list), _) => Draft::new("app.bsky.graph.listblock", [("subject", Value::text(&*list.uri)), created_at]),
        (4, Some(list), _) => {
            let name = ("name", Value::text("People to read"));
            Draft::new("app.bsky.graph.starterpack", [name, ("list", Value::text(&*list.uri)), created_at])
        }
        (5..7, _, _) => {
            let (name, did) = (("displayName", Value::text("A feed")), ("did", Value::text("did:web:feeds.example.com")));
            Draft::new("app.bsky.feed.generator", [did, name, created_at])
        }
        (7, _, Some(post)) => Draft::new("app.bsky.feed.postgate", [("post", Value::text(&*post.uri)), created_at]),
        _ => {
            let purpose = ("purpose", Value::text("app.bsky.graph.defs#curatelist"));
            Draft::new("app.bsky.graph.list", [purpose, ("name", Value::text("Friends")), created_at])
        }
    }
}

/// A record of a collection that no Bluesky lexicon knows.
pub(super) fn foreign(rng: &mut Rng) -> Draft {
    Draft::new("com.example.sandbox.note", [("note", Value::Int(i64::from(rng.u32(..))))])
}

/// A post that its lexicon does not allow.
pub(super) fn invalid_post(rng: &mut Rng, created: &str) -> Draft {
    let draft = Draft::new("app.bsky.feed.post", [("text", Value::text("x")), ("createdAt", Value::text(created))]);
    match rng.u32(0..3) {
        0 => draft.with("text", Value::text("x".repeat(3001))),
        1 => draft.with("createdAt", Value::text("yesterday")),
        _ => draft.with("text", Value::Int(1)),
    }
}

/// A like that its lexicon does not allow: it has no subject.
pub(super) fn invalid_like(created: &str) -> Draft {
    Draft::new("app.bsky.feed.like", [("createdAt", Value::text(created))])
}
