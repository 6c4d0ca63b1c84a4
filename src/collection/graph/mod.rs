//! `app.bsky.graph`: follows, blocks.

pub(super) mod block;
pub(super) mod follow;

pub use block::Block;
pub use follow::Follow;
