//! `at://` addresses of records, borrowed from the text that holds them.

use super::{Did, Nsid, RecordKey};

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
