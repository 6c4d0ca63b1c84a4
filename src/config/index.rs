//! Section `[index]`.

use serde::{Deserialize, Serialize};

/// What is indexed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
pub struct Index {
    /// Keep records of collections outside of the Bluesky lexicons too.
    pub other_collections: bool,
}
