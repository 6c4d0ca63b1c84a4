//! What accounts say of themselves: profile, status, and the declarations of which a repo has one each.

use fastrand::Rng;

use super::super::words::{ENGLISH, Language};
use super::{Draft, blob, embed, self_labels};
use crate::atproto::cbor::Value;

/// What a profile points at.
#[derive(Debug, Default)]
pub(in super::super) struct Profile {
    /// `joinedViaStarterPack`; the next version keeps it.
    pub joined: Option<Value>,
    pub pinned: Option<Value>,
}

/// A profile of a person who is called `name`.
pub(in super::super) fn profile(name: &str, points: Profile, rng: &mut Rng, created: &str) -> Draft {
    let language = Language::choose(rng);
    let mut draft = Draft::own(
        "app.bsky.actor.profile",
        [
            ("displayName", Value::text(name)),
            ("description", Value::text(language.text(rng, 30, 200))),
            ("createdAt", Value::text(created)),
        ],
    );
    if rng.bool() {
        draft = draft.with("avatar", blob(rng, "image/jpeg"));
    }
    draft = match rng.u32(0..20) {
        0 => draft.with("pronouns", Value::text("they/them")),
        1 => draft.with("website", Value::text("https://example.com/~me")),
        2..7 => draft.with("banner", blob(rng, "image/png")),
        7 => draft.with("labels", self_labels("!no-unauthenticated")),
        _ => draft,
    };
    draft.kept.clone_from(&points.joined);
    draft.with_some("joinedViaStarterPack", points.joined).with_some("pinnedPost", points.pinned)
}

/// Live now, with a link to where.
pub(in super::super) fn status(rng: &mut Rng, created: &str) -> Draft {
    Draft::own(
        "app.bsky.actor.status",
        [
            ("status", Value::text("app.bsky.actor.status#live")),
            ("embed", embed::external(rng)),
            ("durationMinutes", Value::Int(i64::from(rng.u32(1..300)))),
            ("createdAt", Value::text(created)),
        ],
    )
}

pub(in super::super) fn visibility(rng: &mut Rng) -> Draft {
    Draft::own("app.bsky.actor.contentVisibilityDeclaration", [("hideFromAlgorithmicRecommendations", Value::Bool(rng.bool()))])
}

pub(in super::super) fn notifications(rng: &mut Rng) -> Draft {
    let whose = rng.choice(["followers", "mutuals", "none"]).unwrap_or("none");
    Draft::own("app.bsky.notification.declaration", [("allowSubscriptions", Value::text(whose))])
}

pub(in super::super) fn chat(rng: &mut Rng) -> Draft {
    let whose = |rng: &mut Rng| Value::text(rng.choice(["all", "none", "following"]).unwrap_or("all"));
    Draft::own("chat.bsky.actor.declaration", [("allowIncoming", whose(rng)), ("allowGroupInvites", whose(rng))])
}

pub(in super::super) fn germ(rng: &mut Rng) -> Draft {
    let key = |rng: &mut Rng| (0..32).map(|_| rng.u8(..)).collect();
    let button =
        Value::map([("messageMeUrl", Value::text("https://landing.example.com/newUser")), ("showButtonTo", Value::text("usersIFollow"))]);
    let version = format!("1.{}.0", rng.u32(0..10));
    let entries = [("version", Value::text(version)), ("currentKey", Value::Bytes(key(rng))), ("messageMe", button)];
    let draft = Draft::own("com.germnetwork.declaration", entries);
    if rng.bool() { draft.with("keyPackage", Value::Bytes(ENGLISH.text(rng, 30, 200).into_bytes())) } else { draft }
}
