//! `app.bsky.graph`.

pub(super) mod mute_actor;
pub(super) mod mute_actor_list;
pub(super) mod mute_thread;
pub(super) mod unmute_actor;
pub(super) mod unmute_actor_list;
pub(super) mod unmute_thread;
