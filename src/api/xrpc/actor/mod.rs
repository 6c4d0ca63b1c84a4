//! `app.bsky.actor.*`.

pub(super) mod get_profile;
pub(super) mod get_profiles;
