//! Section `[relay]`.

use serde::{Deserialize, Serialize};

/// The relay whose stream is indexed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Relay {
    /// `wss://` or `ws://` address of the relay's host; the path of the subscription is added.
    pub url: String,
    /// Where to start when nothing is stored: a sequence number, 0 = the beginning of the relay's window, absent = live.
    pub cursor: Option<i64>,
    /// Seconds without any frame after which the connection counts as dead and is made anew (pongs do not count).
    pub stall_seconds: u32,
}

impl Default for Relay {
    fn default() -> Self {
        Self { url: "wss://bsky.network".to_owned(), cursor: None, stall_seconds: 60 }
    }
}
