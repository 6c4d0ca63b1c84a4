//! What a token's check needs of an identity: its keys. Where they come from is another's affair, so that tests need no network.

use crate::atproto::{Did, PublicKey};
use crate::identity::{Freshness, Identities};

/// The keys that an account's document names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::api) struct Keys {
    /// `#atproto`
    pub account: Option<PublicKey>,
    /// `#atproto_label`
    pub labeler: Option<PublicKey>,
}

/// Why there are no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Unresolved {
    /// There is no such identity.
    Unknown,
    /// Who would know does not answer; another try can help.
    Unreachable,
}

/// Where keys come from.
pub(in crate::api) trait Documents: Sync {
    /// The keys of `did`; `fresh`: what is cached does not do.
    fn keys(&self, did: &Did, fresh: bool) -> impl Future<Output = Result<Keys, Unresolved>> + Send;
}

impl Documents for Identities {
    async fn keys(&self, did: &Did, fresh: bool) -> Result<Keys, Unresolved> {
        let document = self.document(did, if fresh { Freshness::Forced } else { Freshness::Cached }).await;
        match document {
            Ok(document) => Ok(Keys { account: document.signing_key.clone(), labeler: document.labeler_key.clone() }),
            Err(error) if error.is_transient() => Err(Unresolved::Unreachable),
            Err(_) => Err(Unresolved::Unknown),
        }
    }
}
