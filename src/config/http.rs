//! Section `[http]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// The API's listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    pub host: String,
    pub port: u16,
    /// Connections open at once; more wait in the kernel's queue.
    pub max_connections: usize,
    /// Requests a second and client address (IPv6: /64) on average, four seconds' worth at once; 0 = no limit. A PDS proxies all its
    /// users from one address.
    pub requests_per_second: u32,
    /// Addresses of reverse proxies, whose `X-Forwarded-For` says who the client is.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            host: "0.0.0.0".to_owned(),
            port: 3000,
            max_connections: 4096,
            requests_per_second: 500,
            trusted_proxies: vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
        }
    }
}
