//! `app.bsky.labeler`: services that label.

pub mod service;
