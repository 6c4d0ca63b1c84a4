//! Edges: who likes, reposts, follows, blocks, lists and vouches for whom.

use fastrand::Rng;

use super::super::target::Target;
use super::Draft;
use crate::atproto::cbor::Value;

/// Out of so many likes and reposts one names the type of its reference too, as some clients do.
const TYPED_REFS: u32 = 100;

/// A like of `subject`, through the repost `via` where there is one.
pub(in super::super) fn like(subject: &Target, via: Option<&Target>, rng: &mut Rng, created: &str) -> Draft {
    reference("app.bsky.feed.like", subject, via, rng, created)
}

pub(in super::super) fn repost(subject: &Target, via: Option<&Target>, rng: &mut Rng, created: &str) -> Draft {
    reference("app.bsky.feed.repost", subject, via, rng, created)
}

fn reference(collection: &'static str, subject: &Target, via: Option<&Target>, rng: &mut Rng, created: &str) -> Draft {
    let mut named = subject.strong_ref();
    if let (0, Value::Map(entries)) = (rng.u32(0..TYPED_REFS), &mut named) {
        entries.push(("$type".to_owned(), Value::text("com.atproto.repo.strongRef")));
    }
    let draft = Draft::new(collection, [("subject", named), ("createdAt", Value::text(created))]);
    draft.with_some("via", via.map(Target::strong_ref))
}

/// A follow, through a starter pack where there is one.
pub(in super::super) fn follow(subject: &str, via: Option<&Target>, created: &str) -> Draft {
    account("app.bsky.graph.follow", subject, created).with_some("via", via.map(Target::strong_ref))
}

pub(in super::super) fn block(subject: &str, created: &str) -> Draft {
    account("app.bsky.graph.block", subject, created)
}

/// Blocks everybody on the list of this address.
pub(in super::super) fn listblock(list: &str, created: &str) -> Draft {
    account("app.bsky.graph.listblock", list, created)
}

/// Puts an account on the list of this address.
pub(in super::super) fn listitem(list: &str, subject: &str, created: &str) -> Draft {
    account("app.bsky.graph.listitem", subject, created).with("list", Value::text(list))
}

/// Says that `subject` is who it says it is.
pub(in super::super) fn verification(subject: &str, handle: &str, created: &str) -> Draft {
    let name = handle.split('.').next().unwrap_or(handle);
    account("app.bsky.graph.verification", subject, created).with("handle", Value::text(handle)).with("displayName", Value::text(name))
}

fn account(collection: &'static str, subject: &str, created: &str) -> Draft {
    Draft::new(collection, [("subject", Value::text(subject)), ("createdAt", Value::text(created))])
}
