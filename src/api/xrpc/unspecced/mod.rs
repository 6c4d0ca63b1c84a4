//! `app.bsky.unspecced.*`.

pub(super) mod get_post_thread_other_v2;
pub(super) mod get_post_thread_v2;
