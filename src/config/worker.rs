//! Section `[worker]`.

use serde::{Deserialize, Serialize};

/// How the queue is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Worker {
    /// Name of this worker in the lease and heartbeat rows, the same in its next life; absent = host name and port.
    pub consumer_id: Option<String>,
    /// Events in one transaction at most.
    pub batch_size: usize,
    /// Pipelines that prepare in parallel.
    pub pipelines: usize,
    /// Seconds for which a reply waits for a post that is not held, until its notifications and gate are given up.
    pub pending_ttl: u32,
}

impl Default for Worker {
    fn default() -> Self {
        Self { consumer_id: None, batch_size: 2000, pipelines: 5, pending_ttl: 86_400 }
    }
}

impl Worker {
    /// The name of this process: `consumer_id`, or host name and the port that it serves on: no other process of this host has it, and this
    /// one's next life will find its leases under it.
    #[must_use]
    pub fn process_name(&self, port: u16) -> String {
        self.consumer_id.clone().unwrap_or_else(|| {
            let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
            format!("{host}:{port}")
        })
    }
}
