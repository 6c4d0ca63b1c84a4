//! Section `[telemetry]`.

use serde::{Deserialize, Serialize};

/// Health, status and metrics of a process without the api role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    pub listen: String,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { listen: "127.0.0.1:3001".to_owned() }
    }
}
