//! Why an identity is not known.

use std::sync::Arc;

/// There is no answer, or none that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// There is no such DID, or it is a tombstone.
    #[error("there is no such DID")]
    NotFound,
    /// AT Protocol knows did:plc and did:web, the latter without paths.
    #[error("DIDs of this kind are not resolved")]
    Unsupported,
    /// What was answered is no document of this DID.
    #[error("not a DID document: {0}")]
    Invalid(Arc<str>),
    /// The host that a stranger named does not answer, or may not be asked.
    #[error("{0}")]
    Unreachable(Arc<str>),
    /// The operator's directory or resolver does not answer: nothing can be said of anybody.
    #[error("{0}")]
    Away(Arc<str>),
}

impl IdentityError {
    /// Whether another try can give another answer soon.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Away(_))
    }

    pub(super) fn invalid(reason: impl Into<Arc<str>>) -> Self {
        Self::Invalid(reason.into())
    }
}
