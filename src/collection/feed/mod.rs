//! `app.bsky.feed`: posts, likes, reposts, gates, feed generators.

pub mod generator;
pub(super) mod like;
pub mod post;
pub mod postgate;
pub(super) mod repost;
pub mod threadgate;

pub use post::Post;
