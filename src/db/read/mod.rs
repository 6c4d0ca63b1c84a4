//! What the API reads: one function a statement, all keys of a page at once. Never writes, never one statement an item.

pub mod actor;
pub mod feed;
pub mod gate;
pub mod key;
pub mod label;
pub mod labeler;
pub mod list;
pub mod notification;
pub mod pack;
pub mod post;
pub mod process;
pub mod reaction;
pub mod record;
pub mod relation;
pub mod search;
pub mod takedown;
pub mod thread;
pub mod timeline;
pub mod verification;
pub mod viewer;
pub mod walk;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::atproto::Tid;

/// The present time as the value of a TID.
pub fn now() -> i64 {
    let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX));
    Tid::from_micros(micros, 0).value()
}
