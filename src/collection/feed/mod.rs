//! `app.bsky.feed`: posts, likes, reposts.

pub(super) mod like;
pub mod post;
pub(super) mod repost;

pub use like::Like;
pub use post::Post;
pub use repost::Repost;
