//! Every metric of the process: one line each, here and nowhere else. `docs/METRICS.md` explains them, a test holds it against this file.
//!
//! Labels take `&'static str` only, so that no text from the network can make new series.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Bounds of durations in seconds: from one fast statement to a stop's deadline.
const SECONDS: [f64; 14] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

/// Bounds of sizes in events: up to the largest batch.
const EVENTS: [f64; 11] = [1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_000.0, 5_000.0];

/// A counter split by one label whose values are known to the code.
#[derive(Clone, Debug)]
pub struct Split {
    label: &'static str,
    family: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Split {
    fn by(label: &'static str) -> Self {
        Self { label, family: Family::default() }
    }

    pub fn inc(&self, value: &'static str) {
        self.add(value, 1);
    }

    pub fn add(&self, value: &'static str, n: u64) {
        self.family.get_or_create(&[(self.label, value)]).inc_by(n);
    }

    pub fn get(&self, value: &'static str) -> u64 {
        self.family.get(&[(self.label, value)]).map_or(0, |counter| counter.get())
    }
}

/// What a request was and how it ended.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct Request {
    /// The route's pattern or the method's NSID, never the path that was asked for.
    pub route: &'static str,
    pub status: u16,
}

/// How a metric enters the registry.
trait Instrument {
    fn register(&self, registry: &mut Registry, name: &str, help: &str);
}

impl Instrument for Split {
    fn register(&self, registry: &mut Registry, name: &str, help: &str) {
        registry.register(name, help, self.family.clone());
    }
}

macro_rules! instrument {
    ($($kind:ty),*) => {
        $(impl Instrument for $kind {
            fn register(&self, registry: &mut Registry, name: &str, help: &str) {
                registry.register(name, help, self.clone());
            }
        })*
    };
}

instrument!(Counter, Gauge, Histogram, Family<Request, Counter>);

/// Name (as scraped, but for `_total` and the buckets' endings) and meaning of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    pub name: &'static str,
    pub help: &'static str,
}

/// Declares the groups: a struct each, whose fields are the metrics, their registration and their descriptions.
macro_rules! metrics {
    ($($(#[$doc:meta])* $group:ident: $type:ident { $($field:ident: $kind:ty = $new:expr, $help:literal;)* })*) => {
        /// All metrics, by who sets them.
        #[derive(Clone, Debug, Default)]
        pub struct Metrics { $($(#[$doc])* pub $group: $type,)* }

        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $type { $(#[doc = $help] pub $field: $kind,)* }

            impl Default for $type {
                fn default() -> Self {
                    Self { $($field: $new,)* }
                }
            }
        )*

        impl Metrics {
            /// Puts every metric under its name, `appviewd_<group>_<field>`.
            pub(super) fn register(&self, registry: &mut Registry) {
                $($(self.$group.$field.register(
                    registry,
                    concat!("appviewd_", stringify!($group), "_", stringify!($field)),
                    $help.trim_end_matches('.'),
                );)*)*
            }

            /// What there is, in the order of this file.
            pub fn describe() -> &'static [Description] {
                &[$($(Description {
                    name: concat!("appviewd_", stringify!($group), "_", stringify!($field)),
                    help: $help,
                },)*)*]
            }
        }
    };
}

metrics! {
    /// The ingest role.
    ingest: Ingest {
        connected: Gauge = Gauge::default(), "1 while a relay connection is open and its frames are read.";
        connects: Counter = Counter::default(), "Relay connections that were opened.";
        frames: Split = Split::by("kind"), "Frames read from the relay, by kind of message.";
        bytes: Counter = Counter::default(), "Bytes of frames read from the relay.";
        events: Counter = Counter::default(), "Events appended to the queue.";
        entries: Counter = Counter::default(), "Queue entries appended; events divided by entries is how many are packed into one.";
        rejects: Split = Split::by("reason"), "Frames that were queued as a reject or as unreadable instead of as what they claim to be.";
        ignored: Split = Split::by("reason"), "Frames that carry nothing to index: unknown message types, #info.";
        passed_over: Counter = Counter::default(), "Events that their partition already had (resumed early, or another ingest was faster).";
        refused_compares: Counter = Counter::default(), "Appends and advances that found another position than expected: another writer, or a store that went back.";
        sessions_ended: Split = Split::by("reason"), "Relay sessions that ended, by what ended them.";
        gaps: Counter = Counter::default(), "Gaps that the relay could not replay.";
        epochs: Counter = Counter::default(), "Times at which the relay was found to have renumbered.";
        chain_unchecked: Counter = Counter::default(), "Commits without prevData: blocks were checked, the proof could not be.";
        faults: Split = Split::by("reason"), "Commits that are queued although something is wrong with them; their repo becomes desynchronized.";
        held_back: Gauge = Gauge::default(), "1 while the relay is not read because the queue is above its high-water mark.";
        held_back_seconds: Counter = Counter::default(), "Seconds for which the relay was not read because the queue was full.";
        seq: Gauge = Gauge::default(), "The relay's number of the newest event read.";
        lag_milliseconds: Gauge = Gauge::default(), "Age of the newest event read: ingest's clock minus the frame's time.";
    }
    /// The queue, as whoever reads it last saw it.
    queue: Queue {
        memory_bytes: Gauge = Gauge::default(), "What Redis says it uses: `used_memory`.";
        events: Gauge = Gauge::default(), "Events in the queue that are not applied yet, over all partitions.";
        commands: Gauge = Gauge::default(), "Commands that wait, among those that were read at once (100 at most).";
        begun: Split = Split::by("reason"), "Partitions whose stream a worker began anew, by reason: absent, or ahead of PostgreSQL.";
    }
    /// Labels: taken from labelers by the ingest role, applied by the worker role.
    labels: Labels {
        connected: Gauge = Gauge::default(), "Labelers that are listened to now.";
        messages: Split = Split::by("kind"), "Messages of labelers: labels, repeated, info, error, unknown, unreadable.";
        taken: Counter = Counter::default(), "Labels that were checked and queued.";
        refused: Split = Split::by("reason"), "Labels that are none, or that their labeler has not signed; nothing else is lost by them.";
        sessions_ended: Split = Split::by("reason"), "Connections to labelers that ended, or were not made, by the reason.";
        renumbered: Counter = Counter::default(), "Times at which a labeler had begun its numbers anew, and was read from the beginning.";
        applied: Split = Split::by("outcome"), "Labels applied: said (it counts), older (a later word stands), `too_many` (the labeler has too many on the subject).";
    }
    /// The worker role.
    worker: Worker {
        batches: Counter = Counter::default(), "Transactions committed.";
        events: Counter = Counter::default(), "Events applied.";
        ops: Split = Split::by("action"), "Record operations applied.";
        batch_events: Histogram = Histogram::new(EVENTS), "Events in one transaction.";
        prepare_seconds: Histogram = Histogram::new(SECONDS), "Time to read, decode and build the rows of one batch.";
        apply_seconds: Histogram = Histogram::new(SECONDS), "Time of one apply transaction, the wait for its lock included.";
        lost: Counter = Counter::default(), "Batches dropped because another worker moved their offset first.";
        stale: Counter = Counter::default(), "Batches prepared again because their ids are gone: PostgreSQL is another server than before, or an account was deleted.";
        retries: Split = Split::by("reason"), "Operations tried again after a transient failure.";
        passed_over: Split = Split::by("reason"), "Commits not applied: rev gate, deleted account.";
        dead_letters: Split = Split::by("reason"), "Record operations parked as dead letters.";
        dead_letters_not_kept: Counter = Counter::default(), "Record operations over the daily limit of letters a repo: counted, not kept.";
        desynchronized: Split = Split::by("reason"), "Repos marked desynchronized.";
        gaps: Counter = Counter::default(), "Gaps whose bounds were stored.";
        rejects: Counter = Counter::default(), "Rejected and unreadable frames that were stored.";
        pending: Gauge = Gauge::default(), "Replies that wait for a post that is not held.";
        pending_settled: Counter = Counter::default(), "Waiting replies that were looked at again because a post came.";
        pending_expired: Counter = Counter::default(), "Waiting replies whose posts did not come in time.";
        purges: Counter = Counter::default(), "Deleted accounts whose rows were all removed.";
        purged_rows: Counter = Counter::default(), "Rows of deleted accounts that were removed.";
        purges_waiting: Gauge = Gauge::default(), "Deleted accounts whose rows are still to be removed.";
        partitions: Gauge = Gauge::default(), "Partitions that this process works on; over all workers together the number of partitions.";
        leases_taken: Counter = Counter::default(), "Partitions that this process began to work on.";
        leases_given_up: Counter = Counter::default(), "Partitions that this process gave up because another worker lacked its share.";
        leases_lost: Counter = Counter::default(), "Partitions that another worker took over because this process did not renew its lease in time.";
        commands: Split = Split::by("outcome"), "Commands by what became of them: done, refused, known (applied before), unreadable (nobody can be answered).";
        command_seconds: Histogram = Histogram::new(SECONDS), "Time of one transaction of commands, the wait for the lock included.";
        trims: Counter = Counter::default(), "Partitions whose stream was trimmed behind a durable offset.";
    }
    /// The api role.
    api: Api {
        commands: Split = Split::by("outcome"), "Commands of clients by how they ended: done, refused, full (too many wait), unanswered (no effect was seen in time).";
        commands_waiting: Gauge = Gauge::default(), "Commands whose clients wait for their effect.";
        command_seconds: Histogram = Histogram::new(SECONDS), "Time from a command's request until its effect was seen.";
        remembered_bytes: Gauge = Gauge::default(), "Memory for posts and accounts that were read lately, about.";
        remembered_unused: Counter = Counter::default(), "Requests that read everything anew because the database did not tell what was changed.";
    }
    /// The http server of any process.
    http: Http {
        connections: Gauge = Gauge::default(), "Open connections.";
        refused: Counter = Counter::default(), "Connections that waited because the limit of open ones was reached.";
        requests: Family<Request, Counter> = Family::default(), "Requests answered, by route and status.";
        request_seconds: Histogram = Histogram::new(SECONDS), "Time from a request's head to its answer.";
    }
    /// DIDs and handles, resolved by the worker for the index and by the api for requests.
    identity: Identity {
        requests: Split = Split::by("to"), "Requests sent to resolve DIDs and handles, by whom was asked.";
        failed: Split = Split::by("to"), "Requests without an answer, those to hosts that rest after a failure included, by whom was asked.";
        resolved: Split = Split::by("outcome"), "Accounts that the worker resolved, by what came of it: a verified handle, or why there is none.";
        pending: Gauge = Gauge::default(), "Accounts whose handle or key is still being resolved, counted up to 10,000.";
    }
    /// The process itself.
    process: Process {
        started_at_seconds: Gauge = Gauge::default(), "When the process started, in seconds since 1970.";
        resident_bytes: Gauge = Gauge::default(), "Memory in use (resident set), read when scraped.";
        child_restarts: Split = Split::by("server"), "Times at which an embedded server had ended and was started again.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_meanings_are_fit_to_be_read() {
        for Description { name, help } in Metrics::describe() {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{name}");
            assert!(help.ends_with('.') && help.len() > 10, "{name}: {help}");
        }
    }

    #[test]
    fn a_split_counts_each_value_apart() {
        let split = Split::by("reason");
        split.inc("closed");
        split.add("stalled", 3);
        assert_eq!((split.get("closed"), split.get("stalled"), split.get("other")), (1, 3, 0));
    }
}
