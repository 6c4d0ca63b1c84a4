//! Section `[service]`.

use serde::{Deserialize, Serialize};

/// Who this AppView is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct Service {
    pub did: Option<String>,
    pub hostname: Option<String>,
    pub public_url: Option<String>,
}
