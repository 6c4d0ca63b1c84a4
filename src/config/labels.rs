//! Section `[labels]`.

use serde::{Deserialize, Serialize};

/// Labels and those who give them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Labels {
    /// DIDs of the labelers whose labels are shown, and whose takedowns hide, where a request does not say whose it wants.
    pub default_labelers: Vec<String>,
}
