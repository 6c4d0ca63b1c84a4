//! `app.bsky.actor`.

pub(super) mod get_profile;
