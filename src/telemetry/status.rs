//! The board on which each role writes how it stands; `/status`, `/ready` and the heartbeat row read it.
//!
//! Holds the newest state only: no history, no text from the network but the relay's host name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// How a process stands. The shape is a contract: `/status` answers it, and tests of other projects wait on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub version: String,
    /// Which life of the process this is: another number at each start.
    #[serde(default)]
    pub instance: u32,
    /// The roles of this process, in the order of their start.
    pub roles: Vec<String>,
    /// A stop was asked for; `/ready` answers 503 from then on.
    pub stopping: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingest: Option<IngestStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiStatus>,
    /// Of the worker role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityStatus>,
    /// Of the worker role: each labeler's number of its last message that is applied, by its DID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, i64>>,
}

/// The ingest role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IngestStatus {
    /// Host of the relay, as it stands in keys and tables.
    pub source: String,
    /// A relay connection is open and its frames are read.
    pub connected: bool,
    /// Epoch of the relay's numbers: how often it began them anew.
    pub epoch: i64,
    /// Number of the newest event read; -1 before the first.
    pub seq: i64,
    /// Milliseconds between the newest event's time and the clock when it was read.
    pub lag_ms: i64,
    /// The queue is above its high-water mark, so the relay is not read.
    pub held_back: bool,
    /// Why `/ready` is red; `None` = ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The worker role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerStatus {
    /// Every event up to it has been applied or parked durably; of the first source. -1 before the first.
    pub applied_seq: i64,
    /// The same for every source.
    pub sources: BTreeMap<String, i64>,
    /// Partitions that this process works on; other workers have the others.
    pub partitions: u16,
    /// The queue has not answered for so long that other workers, if there are any, take the partitions.
    pub queue_away: bool,
    /// Events in the queue that are not applied yet, over all partitions.
    pub queue_events: u64,
    /// Replies that wait for a post that is not held.
    pub pending_ops: u64,
    /// Dead letters in the table.
    pub dead_letters: u64,
    /// Deleted accounts whose rows are still to be removed.
    pub purges: u64,
    /// Why `/ready` is red; `None` = ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Handles and keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IdentityStatus {
    /// Accounts whose handle or key is still being resolved, counted up to 10,000: no later than `applied_seq` covers what made them so.
    pub pending: u64,
}

/// The api role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiStatus {
    /// Address that is served, with the real port where 0 was asked for.
    pub listen: String,
    /// Why `/ready` is red; `None` = ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Where the roles write and everyone reads.
#[derive(Debug)]
pub struct Board(watch::Sender<Status>);

impl Board {
    /// A board for a process with these roles; each is "starting" until it says otherwise.
    pub(super) fn new(version: &str, roles: &[&str]) -> Self {
        let starting = || Some("starting".to_owned());
        let has = |role: &str| roles.contains(&role);
        Self(watch::Sender::new(Status {
            version: version.to_owned(),
            instance: fastrand::u32(..),
            roles: roles.iter().map(ToString::to_string).collect(),
            stopping: false,
            ingest: has("ingest").then(|| IngestStatus { seq: -1, problem: starting(), ..IngestStatus::default() }),
            worker: has("worker").then(|| WorkerStatus { applied_seq: -1, problem: starting(), ..WorkerStatus::default() }),
            identity: has("worker").then(IdentityStatus::default),
            labels: has("worker").then(BTreeMap::new),
            api: has("api").then(|| ApiStatus { problem: starting(), ..ApiStatus::default() }),
        }))
    }

    /// Changes how ingest stands.
    pub fn ingest(&self, change: impl FnOnce(&mut IngestStatus)) {
        self.0.send_modify(|status| change(status.ingest.get_or_insert_default()));
    }

    /// Changes how the worker stands.
    pub fn worker(&self, change: impl FnOnce(&mut WorkerStatus)) {
        self.0.send_modify(|status| change(status.worker.get_or_insert_default()));
    }

    /// Changes how the api stands.
    pub fn api(&self, change: impl FnOnce(&mut ApiStatus)) {
        self.0.send_modify(|status| change(status.api.get_or_insert_default()));
    }

    /// Changes how identities stand.
    pub fn identity(&self, change: impl FnOnce(&mut IdentityStatus)) {
        self.0.send_modify(|status| change(status.identity.get_or_insert_default()));
    }

    /// Changes how far labelers are applied.
    pub fn labels(&self, labels: BTreeMap<String, i64>) {
        self.0.send_modify(|status| status.labels = Some(labels));
    }

    /// A stop was asked for.
    pub fn stopping(&self) {
        self.0.send_modify(|status| status.stopping = true);
    }

    /// How the process stands now.
    pub fn get(&self) -> Status {
        self.0.borrow().clone()
    }

    /// A reader that can also wait for the next change.
    pub fn subscribe(&self) -> watch::Receiver<Status> {
        self.0.subscribe()
    }
}

impl Status {
    /// What keeps this process from being ready, one line a role; empty = ready.
    pub fn problems(&self) -> Vec<String> {
        let roles = [
            ("ingest", self.ingest.as_ref().and_then(|role| role.problem.as_ref())),
            ("worker", self.worker.as_ref().and_then(|role| role.problem.as_ref())),
            ("api", self.api.as_ref().and_then(|role| role.problem.as_ref())),
        ];
        let stopping = self.stopping.then(|| "stopping".to_owned());
        stopping.into_iter().chain(roles.into_iter().filter_map(|(role, problem)| Some(format!("{role}: {}", problem?)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_the_shape_that_was_promised() {
        let board = Board::new("0.1.0", &["ingest", "worker", "api"]);
        board.ingest(|i| {
            *i = IngestStatus { source: "relay.example".to_owned(), connected: true, seq: 123, lag_ms: 5, ..IngestStatus::default() };
        });
        board.worker(|w| *w = WorkerStatus { applied_seq: 123, ..WorkerStatus::default() });
        let json = serde_json::to_value(board.get()).unwrap();
        assert_eq!(json["version"], "0.1.0");
        assert_eq!(json["roles"], serde_json::json!(["ingest", "worker", "api"]));
        for (path, value) in [("/ingest/seq", 123), ("/ingest/lag_ms", 5), ("/worker/applied_seq", 123), ("/worker/queue_events", 0)] {
            assert_eq!(json.pointer(path), Some(&serde_json::json!(value)), "{path}");
        }
        assert_eq!(json.pointer("/worker/pending_ops"), Some(&serde_json::json!(0)));
        assert_eq!(json.pointer("/worker/dead_letters"), Some(&serde_json::json!(0)));
        assert_eq!(json.pointer("/identity/pending"), Some(&serde_json::json!(0)));
        assert_eq!(json["labels"], serde_json::json!({}));
        assert_eq!(board.get().problems(), ["api: starting"]);
    }

    #[test]
    fn a_role_that_is_off_is_absent_and_a_stop_is_a_problem() {
        let board = Board::new("0.1.0", &["ingest"]);
        board.ingest(|i| i.problem = None);
        assert_eq!(board.get().problems(), Vec::<String>::new());
        board.stopping();
        assert_eq!(board.get().problems(), ["stopping"]);
        assert!(serde_json::to_value(board.get()).unwrap().get("worker").is_none());
    }
}
