//! Notifications that are rows: one a record, recipient and reason.

use std::collections::BTreeMap;
use std::fmt;

use super::record::{author, key};
use crate::atproto::Tid;

/// A time no further than this from that of the record's key is told by the key, in microseconds.
const MINUTE: i64 = 60_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    Mention,
    Reply,
    Quote,
    StarterPackJoined,
    Verified,
    Unverified,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mention => "mention",
            Self::Reply => "reply",
            Self::Quote => "quote",
            Self::StarterPackJoined => "starterpack-joined",
            Self::Verified => "verified",
            Self::Unverified => "unverified",
        })
    }
}

/// That somebody is told of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    pub recipient: String,
    pub reason: Reason,
    /// The recipient's record that it is about.
    pub about: Option<String>,
    /// Microseconds since 1970, as far as [`ordering_time`] keeps them.
    pub at: i64,
}

/// All notices by the address of the record that they tell of.
#[derive(Debug, Default)]
pub(super) struct Notices(BTreeMap<String, Vec<Notice>>);

impl Notices {
    pub fn of(&self, uri: &str) -> &[Notice] {
        self.0.get(uri).map_or(&[], Vec::as_slice)
    }

    pub fn all(&self) -> impl Iterator<Item = (&str, &Notice)> {
        self.0.iter().flat_map(|(uri, notices)| notices.iter().map(move |notice| (uri.as_str(), notice)))
    }

    /// Adds one where this recipient has none of this record and reason, and it is not the author's own.
    pub fn add(&mut self, uri: &str, notice: Notice) {
        let held = self.of(uri).iter().any(|held| held.recipient == notice.recipient && held.reason == notice.reason);
        if !held && notice.recipient != author(uri) {
            self.0.entry(uri.to_owned()).or_default().push(notice);
        }
    }

    /// What of a record's notices does not hold goes.
    pub fn retain(&mut self, uri: &str, holds: impl Fn(&Notice) -> bool) {
        if let Some(notices) = self.0.get_mut(uri) {
            notices.retain(holds);
        }
    }

    pub fn remove(&mut self, uri: &str) {
        self.0.remove(uri);
    }

    /// An account is gone: what it wrote and what it was told.
    pub fn purge(&mut self, did: &str) {
        self.0.retain(|uri, _| author(uri) != did);
        for notices in self.0.values_mut() {
            notices.retain(|notice| notice.recipient != did);
        }
    }
}

/// The time that orders a record, as an index gives it back: that of its key, where the two are about the same.
pub(super) fn ordering_time(uri: &str, micros: i64) -> i64 {
    let micros = micros.max(0);
    match key(uri).parse::<Tid>() {
        Ok(tid) if (tid.micros() - micros).abs() <= MINUTE => tid.micros(),
        _ => micros,
    }
}
