//! Namespaced identifiers: the names of collections and methods.

use std::fmt;
use std::str::FromStr;

/// An NSID whose syntax was checked, as `app.bsky.feed.post`.
///
/// Source: <https://atproto.com/specs/nsid>.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nsid(Box<str>);

/// The text is no NSID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an NSID")]
pub struct NsidError;

impl Nsid {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` is an NSID.
    #[must_use]
    pub fn is_valid(text: &str) -> bool {
        let mut count = 0;
        let mut last_starts_with_letter = false;
        let labels_hold = text.split('.').all(|label| {
            count += 1;
            last_starts_with_letter = label.starts_with(|c: char| c.is_ascii_alphabetic());
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
        let name_holds = !text.rsplit('.').next().is_some_and(|name| name.contains('-'));
        text.len() <= 317
            && labels_hold
            && count >= 3
            && last_starts_with_letter
            && name_holds
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
    }
}

impl FromStr for Nsid {
    type Err = NsidError;

    fn from_str(text: &str) -> Result<Self, NsidError> {
        if Self::is_valid(text) { Ok(Self(text.into())) } else { Err(NsidError) }
    }
}

impl fmt::Display for Nsid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Nsid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
