//! Section `[redis]`.

use serde::{Deserialize, Serialize};

/// The Redis that holds the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct Redis {
    /// `redis://`, `rediss://` or `unix:///path`; absent = a private server under `data_dir`.
    pub url: Option<String>,
    /// Accept a Redis that may lose or evict entries (no AOF, another policy than noeviction).
    pub allow_lossy: bool,
}
