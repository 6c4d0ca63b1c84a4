//! What services declare: feed generators and labelers.

use fastrand::Rng;

use super::super::super::directory::FEEDS_DID;
use super::super::words::{ENGLISH, Language};
use super::{Draft, blob, texts};
use crate::atproto::cbor::Value;

/// A feed; its key is a name and no TID, as everywhere.
pub(in super::super) fn generator(rng: &mut Rng, created: &str) -> Draft {
    let draft = Draft::new(
        "app.bsky.feed.generator",
        [("did", Value::text(FEEDS_DID)), ("displayName", Value::text(ENGLISH.text(rng, 3, 20))), ("createdAt", Value::text(created))],
    );
    match rng.u32(0..4) {
        0 => draft.with("description", Value::text(Language::choose(rng).text(rng, 30, 250))),
        1 => draft.with("avatar", blob(rng, "image/png")),
        2 => draft.with("acceptsInteractions", Value::Bool(true)),
        _ => draft.with("contentMode", Value::text("app.bsky.feed.defs#contentModeVideo")),
    }
}

/// A labeler: the account itself is the service.
pub(in super::super) fn labeler(rng: &mut Rng, created: &str) -> Draft {
    let locale =
        Value::map([("lang", Value::text("en")), ("name", Value::text("Rude")), ("description", Value::text(ENGLISH.text(rng, 20, 100)))]);
    let definition = Value::map([
        ("identifier", Value::text("rude")),
        ("severity", Value::text("inform")),
        ("blurs", Value::text("none")),
        ("locales", Value::Array(vec![locale])),
    ]);
    let policies = Value::map([("labelValues", texts(["rude", "!hide"])), ("labelValueDefinitions", Value::Array(vec![definition]))]);
    let draft = Draft::own("app.bsky.labeler.service", [("policies", policies), ("createdAt", Value::text(created))]);
    if rng.bool() { draft.with("subjectTypes", texts(["account", "record"])) } else { draft }
}
