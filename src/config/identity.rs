//! Section `[identity]`.

use serde::{Deserialize, Serialize};

/// Where DIDs and handles are resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Identity {
    /// Directory of did:plc.
    pub plc_url: String,
    /// Service that resolves handles by XRPC, in place of DNS and of the handles' own hosts.
    pub handle_resolver_url: Option<String>,
    /// Accounts that a worker resolves at once.
    pub concurrency: usize,
}

impl Default for Identity {
    fn default() -> Self {
        Self { plc_url: "https://plc.directory".to_owned(), handle_resolver_url: None, concurrency: 32 }
    }
}
