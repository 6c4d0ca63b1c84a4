//! Section `[queue]`.

use serde::{Deserialize, Serialize};

/// The durable queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Queue {
    /// Prefix of every key.
    pub key: String,
    /// Name of the consumer group that shows operators how far the queue was applied.
    pub group: String,
    /// Number of partitions, fixed at first start.
    pub partitions: u16,
    /// Redis memory, in bytes, above which ingest stops reading the relay.
    pub high_water: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self { key: "firehose:events".to_owned(), group: "firehose-processors".to_owned(), partitions: 16, high_water: 1 << 30 }
    }
}
