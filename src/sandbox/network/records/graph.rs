//! Lists of people, and the starter packs made of them.

use fastrand::Rng;

use super::super::target::Target;
use super::super::words::{ENGLISH, Language};
use super::{Draft, blob};
use crate::atproto::cbor::Value;

/// A list: to read, to keep out, or for a starter pack.
pub(in super::super) fn list(rng: &mut Rng, created: &str) -> Draft {
    let purpose = rng.choice(["curatelist", "curatelist", "modlist", "referencelist"]).unwrap_or("curatelist");
    let draft = Draft::new(
        "app.bsky.graph.list",
        [
            ("purpose", Value::text(format!("app.bsky.graph.defs#{purpose}"))),
            ("name", Value::text(ENGLISH.text(rng, 3, 30))),
            ("createdAt", Value::text(created)),
        ],
    );
    match rng.u32(0..3) {
        0 => draft.with("description", Value::text(Language::choose(rng).text(rng, 20, 200))),
        1 => draft.with("avatar", blob(rng, "image/png")),
        _ => draft,
    }
}

/// A starter pack of the people on `list`, with a feed where there is one.
pub(in super::super) fn starterpack(list: &str, feed: Option<&Target>, rng: &mut Rng, created: &str) -> Draft {
    let feed = feed.map(|feed| Value::Array(vec![Value::map([("uri", Value::text(feed.uri.as_str()))])]));
    Draft::new(
        "app.bsky.graph.starterpack",
        [("name", Value::text(ENGLISH.text(rng, 4, 40))), ("list", Value::text(list)), ("createdAt", Value::text(created))],
    )
    .with_some("feeds", feed)
}
