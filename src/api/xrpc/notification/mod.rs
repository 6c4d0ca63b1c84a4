//! `app.bsky.notification`.

pub(super) mod update_seen;
