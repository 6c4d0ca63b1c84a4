//! `app.bsky.graph`: follows, blocks, lists and who is on them, verifications.

pub(super) mod block;
pub(super) mod follow;
pub(super) mod listblock;
pub(super) mod listitem;
pub(super) mod verification;
