//! The records of the load: what the network's records are mostly like, in content and in size. All are valid by their lexicons.

use fastrand::Rng;

use super::chance::low;
use crate::atproto::cbor::Value;
use crate::atproto::{Cid, Tid, datetime};

/// Collections that are written here. All but the profile have TIDs as keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Like,
    Post,
    Repost,
    Follow,
    Block,
    List,
    ListItem,
    Threadgate,
    Profile,
}

impl Kind {
    /// Those with TIDs as keys.
    pub(super) const ALL: [Self; 8] =
        [Self::Like, Self::Post, Self::Repost, Self::Follow, Self::Block, Self::List, Self::ListItem, Self::Threadgate];

    /// The collection's NSID.
    #[must_use]
    pub fn collection(self) -> &'static str {
        match self {
            Self::Like => "app.bsky.feed.like",
            Self::Post => "app.bsky.feed.post",
            Self::Repost => "app.bsky.feed.repost",
            Self::Follow => "app.bsky.graph.follow",
            Self::Block => "app.bsky.graph.block",
            Self::List => "app.bsky.graph.list",
            Self::ListItem => "app.bsky.graph.listitem",
            Self::Threadgate => "app.bsky.feed.threadgate",
            Self::Profile => "app.bsky.actor.profile",
        }
    }
}

/// A record that is pointed at: its address and its CID.
pub(super) type Named = (String, Cid);

/// What a post refers to.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Parent and root.
    pub reply: Option<(Named, Named)>,
    pub quote: Option<Named>,
    /// A DID.
    pub mentioned: Option<String>,
}

/// The address of a record.
pub(super) fn uri(did: &str, kind: Kind, tid: Tid) -> String {
    format!("at://{did}/{}/{tid}", kind.collection())
}

fn encode<'a>(kind: Kind, fields: impl IntoIterator<Item = (&'a str, Value)>, created: &str) -> Vec<u8> {
    let ends = [("$type", Value::text(kind.collection())), ("createdAt", Value::text(created))];
    Value::map(fields.into_iter().chain(ends)).encode()
}

fn strong_ref(named: &Named) -> Value {
    Value::map([("uri", Value::text(named.0.clone())), ("cid", Value::text(named.1.to_string()))])
}

/// A like or a repost.
pub(super) fn record_edge(kind: Kind, subject: &Named, via: Option<&Named>, created: &str) -> Vec<u8> {
    let via = via.map(|via| ("via", strong_ref(via)));
    encode(kind, [("subject", strong_ref(subject))].into_iter().chain(via), created)
}

/// A follow or a block of an account.
pub(super) fn account_edge(kind: Kind, subject: &str, created: &str) -> Vec<u8> {
    encode(kind, [("subject", Value::text(subject))], created)
}

pub(super) fn list(rng: &mut Rng, created: &str) -> Vec<u8> {
    let fields = [("purpose", Value::text("app.bsky.graph.defs#curatelist")), ("name", Value::text(text(rng, 2)))];
    encode(Kind::List, fields, created)
}

pub(super) fn listitem(list: &str, subject: &str, created: &str) -> Vec<u8> {
    encode(Kind::ListItem, [("list", Value::text(list)), ("subject", Value::text(subject))], created)
}

/// A gate that lets those answer whom the author follows.
pub(super) fn threadgate(post: &str, created: &str) -> Vec<u8> {
    let rule = Value::map([("$type", Value::text("app.bsky.feed.threadgate#followingRule"))]);
    encode(Kind::Threadgate, [("post", Value::text(post)), ("allow", Value::Array(vec![rule]))], created)
}

/// A profile, written at `micros` since 1970.
pub(super) fn profile(rng: &mut Rng, account: u32, micros: i64) -> Vec<u8> {
    let (name, words) = (format!("Person {account}"), rng.usize(3..25));
    let fields = [
        ("displayName", Value::text(name)),
        ("description", Value::text(text(rng, words))),
        ("avatar", blob(rng, "image/jpeg")),
        ("banner", blob(rng, "image/jpeg")),
    ];
    encode(Kind::Profile, fields, &datetime::format_micros(micros))
}

pub(super) fn post(rng: &mut Rng, references: &References, created: &str) -> Vec<u8> {
    let words = low(rng, 45, 2) + 2;
    let mut fields = vec![("text", Value::text(text(rng, words))), ("langs", Value::Array(vec![Value::text("en")]))];
    if let Some((parent, root)) = &references.reply {
        fields.push(("reply", Value::map([("parent", strong_ref(parent)), ("root", strong_ref(root))])));
    }
    let embed = match (&references.quote, rng.u32(0..100)) {
        (Some(quoted), _) => Some(Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", strong_ref(quoted))])),
        (None, 0..22) => Some(images(rng)),
        (None, 22..34) => Some(external(rng)),
        (None, 34..36) => {
            Some(Value::map([("$type", Value::text("app.bsky.embed.video")), ("video", blob(rng, "video/mp4")), ("aspectRatio", ratio())]))
        }
        (None, _) => None,
    };
    fields.extend(embed.map(|embed| ("embed", embed)));
    if let Some(did) = &references.mentioned {
        let feature = Value::map([("$type", Value::text("app.bsky.richtext.facet#mention")), ("did", Value::text(did.clone()))]);
        let index = Value::map([("byteStart", Value::Int(0)), ("byteEnd", Value::Int(2))]);
        fields.push(("facets", Value::Array(vec![Value::map([("index", index), ("features", Value::Array(vec![feature]))])])));
    }
    encode(Kind::Post, fields, created)
}

fn images(rng: &mut Rng) -> Value {
    let image = |rng: &mut Rng| {
        let alt = if rng.bool() { String::new() } else { text(rng, 8) };
        Value::map([("alt", Value::text(alt)), ("image", blob(rng, "image/jpeg")), ("aspectRatio", ratio())])
    };
    let images = (0..=low(rng, 4, 3)).map(|_| image(rng)).collect();
    Value::map([("$type", Value::text("app.bsky.embed.images")), ("images", Value::Array(images))])
}

fn ratio() -> Value {
    Value::map([("width", Value::Int(1200)), ("height", Value::Int(900))])
}

fn external(rng: &mut Rng) -> Value {
    let card = Value::map([
        ("uri", Value::text(format!("https://news.example.com/{}/{}", rng.u32(..), text(rng, 5).replace(' ', "-")))),
        ("title", Value::text(text(rng, 8))),
        ("description", Value::text(text(rng, 18))),
        ("thumb", blob(rng, "image/jpeg")),
    ]);
    Value::map([("$type", Value::text("app.bsky.embed.external")), ("external", card)])
}

fn blob(rng: &mut Rng, mime: &str) -> Value {
    Value::map([
        ("$type", Value::text("blob")),
        ("ref", Value::Link(Cid::raw(&rng.u64(..).to_le_bytes()))),
        ("mimeType", Value::text(mime)),
        ("size", Value::Int(i64::from(rng.u32(20_000..990_000)))),
    ])
}

/// Parts of words; a few thousand words come of them, the first ones often, so that texts compress about as real ones do.
const PARTS: &[&str] = &[
    "a", "to", "in", "re", "on", "the", "an", "no", "con", "ver", "ma", "li", "ent", "pro", "ci", "un", "der", "per", "sta", "mo", "ing",
    "ta", "es", "lu", "gra", "ble", "ra", "shi", "com", "ter", "ne", "fol", "wa", "qui", "tion", "ba", "mis", "ho", "cre", "ous", "dy",
    "vi", "ke", "ber", "pla", "sun", "ow", "ly",
];

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
