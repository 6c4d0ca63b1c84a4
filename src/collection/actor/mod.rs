//! `app.bsky.actor`: profiles.

pub mod profile;
