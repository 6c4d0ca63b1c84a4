//! `app.bsky.notification`: what accounts say about notifications.

pub mod declaration;
