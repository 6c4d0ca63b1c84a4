//! Sites and their documents (site.standard), which Bluesky shows as cards.

use fastrand::Rng;

use super::super::words::Language;
use super::{Draft, blob, texts};
use crate::atproto::cbor::Value;

pub(in super::super) fn publication(rng: &mut Rng) -> Draft {
    let language = Language::choose(rng);
    let draft = Draft::new(
        "site.standard.publication",
        [("url", Value::text(format!("https://blog{}.example.com", rng.u32(0..1000)))), ("name", Value::text(language.text(rng, 4, 50)))],
    );
    match rng.u32(0..3) {
        0 => draft.with("icon", blob(rng, "image/png")),
        1 => draft.with("preferences", Value::map([("showInDiscover", Value::Bool(false))])),
        _ => draft.with("description", Value::text(language.text(rng, 40, 300))),
    }
}

/// A document of the publication `site`, which is an address of the web where there is none.
pub(in super::super) fn document(site: Option<&str>, rng: &mut Rng, created: &str) -> Draft {
    let language = Language::choose(rng);
    let draft = Draft::new(
        "site.standard.document",
        [
            ("site", Value::text(site.unwrap_or("https://blog.example.com"))),
            ("title", Value::text(language.text(rng, 8, 80))),
            ("publishedAt", Value::text(created)),
            ("textContent", Value::text(language.text(rng, 300, 2000))),
        ],
    );
    match rng.u32(0..3) {
        0 => draft.with("tags", texts(["essay", "sandbox"])),
        1 => draft.with("path", Value::text("/first-post")),
        _ => draft.with("updatedAt", Value::text(created)),
    }
}
