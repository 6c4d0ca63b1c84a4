//! Decentralized identifiers: the permanent name of an account.

use std::fmt;
use std::str::FromStr;

/// Longest DID that AT Protocol accepts, in bytes.
pub const MAX_DID_LEN: usize = 2048;

/// A DID whose syntax was checked; any method.
///
/// Source: <https://atproto.com/specs/did>.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Did(Box<str>);

/// The text is no DID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a DID")]
pub struct DidError;

impl Did {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` is a DID.
    #[must_use]
    pub fn is_valid(text: &str) -> bool {
        let Some((method, id)) = text.strip_prefix("did:").and_then(|rest| rest.split_once(':')) else { return false };
        text.len() <= MAX_DID_LEN
            && !method.is_empty()
            && method.bytes().all(|b| b.is_ascii_lowercase())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:%-".contains(&b))
            && !id.is_empty()
            && !id.ends_with([':', '%'])
    }
}

impl FromStr for Did {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        if Self::is_valid(text) { Ok(Self(text.into())) } else { Err(DidError) }
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
