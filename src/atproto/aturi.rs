//! `at://` addresses of records, borrowed from the text that holds them.

use super::{Did, Nsid, RecordKey, handle};

/// Longest address, in bytes.
const MAX_AT_URI: usize = 8192;

/// Whether `text` is an address in the restricted form of lexicons: an account by DID or handle, then perhaps a collection, then perhaps a
/// record key; no query, no fragment, no trailing slash.
///
/// Source: <https://atproto.com/specs/at-uri-scheme#restricted-at-uri-syntax>.
#[must_use]
pub fn is_valid(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("at://").filter(|_| text.len() <= MAX_AT_URI) else { return false };
    let mut parts = rest.split('/');
    parts.next().is_some_and(handle::is_at_identifier)
        && parts.next().is_none_or(Nsid::is_valid)
        && parts.next().is_none_or(RecordKey::is_valid)
        && parts.next().is_none()
}

/// The address of one record by DID: `at://did/collection/rkey`, each part checked. Addresses by handle are legal in the protocol's
/// syntax (see [`is_valid`]) but name no record for an index, since a handle moves.
///
/// Source: <https://atproto.com/specs/at-uri-scheme>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AtUri<'a> {
    pub did: &'a str,
    pub collection: &'a str,
    pub rkey: &'a str,
}

impl<'a> AtUri<'a> {
    /// Reads the address of a record; `None` for every other text.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("at://")?.split('/');
        let (did, collection, rkey) = (parts.next()?, parts.next()?, parts.next()?);
        let holds = parts.next().is_none() && Did::is_valid(did) && Nsid::is_valid(collection) && RecordKey::is_valid(rkey);
        holds.then_some(Self { did, collection, rkey })
    }
}

impl std::fmt::Display for AtUri<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "at://{}/{}/{}", self.did, self.collection, self.rkey)
    }
}
