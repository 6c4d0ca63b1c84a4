//! Section `[ingest]`.

use serde::{Deserialize, Serialize};

/// How frames are judged before they are queued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ingest {
    pub verify: Verify,
}

impl Default for Ingest {
    fn default() -> Self {
        Self { verify: Verify::Proof }
    }
}

/// How much of a commit ingest checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verify {
    /// Every block hashes to its CID, every record is there.
    Blocks,
    /// And the ops turned back on the partial tree give `prevData`.
    Proof,
}
