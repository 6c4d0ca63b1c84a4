//! Section `[api]`.

use serde::{Deserialize, Serialize};

/// How the API answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// Memory for posts and accounts that were read lately, in bytes; 0: each is read each time.
    pub cache_bytes: u64,
}

impl Default for Api {
    fn default() -> Self {
        Self { cache_bytes: 80 << 20 }
    }
}
