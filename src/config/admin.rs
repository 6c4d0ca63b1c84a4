//! Section `[admin]`.

use serde::{Deserialize, Serialize};

/// Who may administer, by HTTP Basic as user `admin`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// `None`, and no further ones: nobody may.
    pub password: Option<String>,
    /// Further ones, such as the next while passwords are changed.
    pub passwords: Vec<String>,
    /// Whether a password with the header `appview-as-did` shows what that account sees.
    pub impersonation: bool,
}
