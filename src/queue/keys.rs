//! Names of the Redis keys. A partition's stream and its positions share a hash tag, so that a script reaches both in a cluster too.

use std::sync::Arc;

/// The keys under one prefix (`queue.key`).
#[derive(Debug, Clone)]
pub struct Keys {
    prefix: Arc<str>,
}

impl Keys {
    #[must_use]
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.into() }
    }

    /// One partition of a source's events.
    #[must_use]
    pub fn stream(&self, source: &Arc<str>, part: u16) -> Stream {
        let stream = format!("{}:{{{source}:{part}}}", self.prefix);
        Stream { source: Arc::clone(source), part, at_key: format!("{stream}:at"), entries_key: stream }
    }

    /// Set of the sources that some ingest has written.
    #[must_use]
    pub fn sources(&self) -> String {
        format!("{}:sources", self.prefix)
    }

    /// Hash of what this queue is: its number of partitions and how repos are spread over them.
    #[must_use]
    pub fn meta(&self) -> String {
        format!("{}:meta", self.prefix)
    }

    /// Stream of what is written through the API.
    #[must_use]
    pub fn commands(&self) -> String {
        format!("{}:commands", self.prefix)
    }

    /// The stream of one labeler's labels.
    #[must_use]
    pub fn labeler(&self, did: &Arc<str>) -> Stream {
        let stream = format!("{}:{{labels:{did}}}", self.prefix);
        Stream { source: Arc::clone(did), part: 0, at_key: format!("{stream}:at"), entries_key: stream }
    }

    /// Set of the labelers that some ingest takes labels from.
    #[must_use]
    pub fn labelers(&self) -> String {
        format!("{}:labelers", self.prefix)
    }

    /// Hash of the last frame seen from a source.
    #[must_use]
    pub fn seen(&self, source: &str) -> String {
        format!("{}:{{{source}}}:seen", self.prefix)
    }
}

/// One partition of a source's events, with the names of its two keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stream {
    /// Host of the relay.
    pub source: Arc<str>,
    pub part: u16,
    pub(super) entries_key: String,
    pub(super) at_key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partitions_keys_share_a_hash_tag() {
        let keys = Keys::new("firehose:events");
        let stream = keys.stream(&"bsky.network".into(), 3);
        assert_eq!(stream.entries_key, "firehose:events:{bsky.network:3}");
        assert_eq!(stream.at_key, "firehose:events:{bsky.network:3}:at");
        assert_eq!(keys.seen("bsky.network"), "firehose:events:{bsky.network}:seen");
        assert_eq!((keys.sources(), keys.meta()), ("firehose:events:sources".to_owned(), "firehose:events:meta".to_owned()));
    }
}
