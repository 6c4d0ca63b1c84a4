//! Section `[database]`.

use serde::{Deserialize, Serialize};

/// The PostgreSQL that holds the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Database {
    /// `postgres://` address, TCP or unix socket; absent = a private cluster under `data_dir`.
    pub url: Option<String>,
    /// Address for the api role's connections (a role that can only read, a replica); absent = `url` with read-only transactions.
    pub api_url: Option<String>,
    /// Connections in all.
    pub pool_size: usize,
}

impl Default for Database {
    fn default() -> Self {
        Self { url: None, api_url: None, pool_size: 20 }
    }
}
