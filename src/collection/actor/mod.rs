//! `app.bsky.actor`: profiles, and what accounts say of themselves beside.

pub mod content_visibility;
pub mod profile;
pub mod status;
