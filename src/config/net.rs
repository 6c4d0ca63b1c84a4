//! Section `[net]`.

use serde::{Deserialize, Serialize};

/// Outgoing requests to hosts that strangers name: handles, did:web, feed generators.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Net {
    /// For development: strangers may name private addresses too.
    pub disable_ssrf_protection: bool,
    /// For development: `suffix=http://host:port`. Hosts under this name are reached there, without TLS; the name stays in `Host`.
    pub connect_to: Option<String>,
    /// `address:port` of the name server that is asked for TXT records; absent = those of the system.
    pub dns_server: Option<String>,
}
