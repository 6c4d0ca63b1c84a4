//! `app.bsky.feed`.

pub(super) mod get_author_feed;
pub(super) mod get_posts;
