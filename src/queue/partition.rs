//! How repos are spread over partitions; fixed for the life of a queue.

use sha2::{Digest, Sha256};

use crate::atproto::Did;

/// Name of [`partition`]'s hash, kept beside the queue and in PostgreSQL.
pub const HASH_NAME: &str = "sha256-be64";

/// The partition of a repo among `n` (0 where `n` is 0): the first 8 bytes of SHA-256 of its DID, big endian, modulo `n`.
#[must_use]
pub fn partition(did: &Did, n: u16) -> u16 {
    let hash = Sha256::digest(did.as_str().as_bytes());
    let first = hash.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    first.checked_rem(u64::from(n)).and_then(|part| u16::try_from(part).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_as_ever() {
        let did: Did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz".parse().unwrap();
        let hash = Sha256::digest(did.as_str());
        let expected = hash[..8].iter().fold(0u128, |sum, b| (sum << 8) | u128::from(*b)) % 16;
        assert_eq!(u128::from(partition(&did, 16)), expected);
        assert_eq!(partition(&did, 1), 0);
    }
}
