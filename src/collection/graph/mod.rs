//! `app.bsky.graph`: follows, blocks, lists and who is on them, starter packs, verifications.

pub(super) mod block;
pub(super) mod follow;
pub mod list;
pub(super) mod listblock;
pub(super) mod listitem;
pub mod starterpack;
pub mod verification;
