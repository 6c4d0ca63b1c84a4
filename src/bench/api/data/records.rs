//! The records whose bytes are kept: profiles and posts, in content and size mostly as the network's are.

use fastrand::Rng;

use super::super::chance::low;
use crate::atproto::Cid;
use crate::atproto::cbor::Value;

/// Parts of words; a few thousand words come of them, the first ones often, so that texts compress about as real ones do.
const PARTS: &[&str] = &[
    "a", "to", "in", "re", "on", "the", "an", "no", "con", "ver", "ma", "li", "ent", "pro", "ci", "un", "der", "per", "sta", "mo", "ing",
    "ta", "es", "lu", "gra", "ble", "ra", "shi", "com", "ter", "ne", "fol", "wa", "qui", "tion", "ba", "mis", "ho", "cre", "ous", "dy",
];

/// A post that another one names.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub uri: String,
    pub cid: Cid,
}

/// What a post refers to.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Parent and root.
    pub reply: Option<(Named, Named)>,
    pub quote: Option<Named>,
    /// A DID.
    pub mentioned: Option<String>,
}

pub(super) fn profile(rng: &mut Rng, account: u32, created: &str) -> Vec<u8> {
    let (name, words) = (format!("Person {account}"), rng.usize(3..25));
    Value::map([
        ("$type", Value::text("app.bsky.actor.profile")),
        ("createdAt", Value::text(created)),
        ("displayName", Value::text(name)),
        ("description", Value::text(text(rng, words))),
        ("avatar", blob(rng)),
        ("banner", blob(rng)),
    ])
    .encode()
}

pub(super) fn post(rng: &mut Rng, references: &References, created: &str) -> Vec<u8> {
    let words = low(rng, 45, 2) + 2;
    let mut fields = vec![
        ("$type", Value::text("app.bsky.feed.post")),
        ("createdAt", Value::text(created)),
        ("text", Value::text(text(rng, words))),
        ("langs", Value::Array(vec![Value::text("en")])),
    ];
    if let Some((parent, root)) = &references.reply {
        fields.push(("reply", Value::map([("parent", strong_ref(parent)), ("root", strong_ref(root))])));
    }
    let embed = match (&references.quote, rng.u32(0..100)) {
        (Some(quoted), _) => Some(Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", strong_ref(quoted))])),
        (None, 0..22) => Some(images(rng)),
        (None, 22..34) => Some(external(rng)),
        (None, _) => None,
    };
    fields.extend(embed.map(|embed| ("embed", embed)));
    if let Some(did) = &references.mentioned {
        let feature = Value::map([("$type", Value::text("app.bsky.richtext.facet#mention")), ("did", Value::text(did.clone()))]);
        let index = Value::map([("byteStart", Value::Int(0)), ("byteEnd", Value::Int(2))]);
        fields.push(("facets", Value::Array(vec![Value::map([("index", index), ("features", Value::Array(vec![feature]))])])));
    }
    Value::map(fields).encode()
}

fn strong_ref(named: &Named) -> Value {
    Value::map([("uri", Value::text(named.uri.clone())), ("cid", Value::text(named.cid.to_string()))])
}

fn images(rng: &mut Rng) -> Value {
    let image = |rng: &mut Rng| {
        let alt = if rng.bool() { String::new() } else { text(rng, 8) };
        let ratio = Value::map([("width", Value::Int(1200)), ("height", Value::Int(900))]);
        Value::map([("alt", Value::text(alt)), ("image", blob(rng)), ("aspectRatio", ratio)])
    };
    let images = (0..=low(rng, 4, 3)).map(|_| image(rng)).collect();
    Value::map([("$type", Value::text("app.bsky.embed.images")), ("images", Value::Array(images))])
}

fn external(rng: &mut Rng) -> Value {
    let card = Value::map([
        ("uri", Value::text(format!("https://news.example.com/{}/{}", rng.u32(..), text(rng, 5).replace(' ', "-")))),
        ("title", Value::text(text(rng, 8))),
        ("description", Value::text(text(rng, 18))),
        ("thumb", blob(rng)),
    ]);
    Value::map([("$type", Value::text("app.bsky.embed.external")), ("external", card)])
}

fn blob(rng: &mut Rng) -> Value {
    Value::map([
        ("$type", Value::text("blob")),
        ("ref", Value::Link(Cid::raw(&rng.u64(..).to_le_bytes()))),
        ("mimeType", Value::text("image/jpeg")),
        ("size", Value::Int(i64::from(rng.u32(20_000..990_000)))),
    ])
}

/// A text of `words` words, at most 300 letters: what a post may have.
fn text(rng: &mut Rng, words: usize) -> String {
    let mut text = String::new();
    for i in 0..words {
        if i > 0 {
            text.push(' ');
        }
        for _ in 0..=low(rng, 4, 2) {
            text.push_str(PARTS.get(low(rng, PARTS.len(), 2)).copied().unwrap_or("so"));
        }
    }
    text.truncate(300);
    text
}
