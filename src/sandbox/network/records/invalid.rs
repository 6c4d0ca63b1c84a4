//! Records that their lexicons do not allow, on purpose.

use fastrand::Rng;

use super::{Draft, typed};
use crate::atproto::cbor::Value;

/// A record that breaks one rule of its schema: a required field, a type, a length, a form. Of any family, posts and likes more often.
pub(in super::super) fn invalid(rng: &mut Rng, created: &str) -> Draft {
    let of = |collection: &'static str| Draft::new(collection, [("createdAt", Value::text(created))]);
    let post = || of("app.bsky.feed.post").with("text", Value::text("x"));
    let here = "at://did:web:example.com/app.bsky.feed.post/3jzfcijpj2z2a";
    match rng.u32(0..16) {
        0 => post().with("text", Value::text("x".repeat(3001))),
        1 => post().with("createdAt", Value::text("yesterday")),
        2 => post().with("text", Value::Int(1)),
        3 => post().with("embed", typed("app.bsky.embed.images", [("images", Value::text("none"))])),
        4 => post().with("reply", Value::map([("parent", Value::text(here))])),
        5..7 => of("app.bsky.feed.like"),
        7 => of("app.bsky.feed.repost").with("subject", Value::map([("uri", Value::text(here))])),
        8 => of("app.bsky.graph.follow").with("subject", Value::text("person1.sandbox.test")),
        9 => of("app.bsky.graph.list").with("name", Value::text("Friends")),
        10 => of("app.bsky.graph.listitem").with("subject", Value::text("did:web:example.com")),
        11 => of("app.bsky.feed.threadgate").with("post", Value::text(here)).with("allow", allow(6)),
        12 => of("app.bsky.feed.postgate").with("post", Value::text("nowhere")),
        13 => {
            of("app.bsky.graph.verification").with("subject", Value::text("did:web:example.com")).with("handle", Value::text("no handle"))
        }
        14 => of("app.bsky.graph.starterpack").with("name", Value::text("")).with("list", Value::text(here)),
        _ => {
            of("app.bsky.feed.generator").with("did", Value::text("did:web:example.com")).with("displayName", Value::text("x".repeat(300)))
        }
    }
}

fn allow(rules: usize) -> Value {
    Value::Array((0..rules).map(|_| typed("app.bsky.feed.threadgate#mentionRule", [])).collect())
}
