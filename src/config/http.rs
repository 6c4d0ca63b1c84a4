//! Section `[http]`.

use serde::{Deserialize, Serialize};

/// The API's listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    pub host: String,
    pub port: u16,
}

impl Default for Http {
    fn default() -> Self {
        Self { host: "0.0.0.0".to_owned(), port: 3000 }
    }
}
