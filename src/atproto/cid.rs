//! Content identifiers: the hash that names a block. Never a codec for other CID forms than the two that AT Protocol blesses.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// Bytes of a CID in binary form: version, codec, hash name, hash length, 32 bytes of SHA-256.
pub const CID_LEN: usize = 36;

const DAG_CBOR: [u8; 4] = [0x01, 0x71, 0x12, 0x20];
const RAW: [u8; 4] = [0x01, 0x55, 0x12, 0x20];

/// A CIDv1 with SHA-256, codec dag-cbor (records, commits, MST nodes) or raw (blobs).
///
/// Source: <https://atproto.com/specs/data-model#link-and-cid-formats>.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid([u8; CID_LEN]);

/// The bytes or the text are no CID of the two blessed forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a CIDv1 of codec dag-cbor or raw with SHA-256")]
pub struct CidError;

impl Cid {
    /// The CID of a DAG-CBOR block.
    #[must_use]
    pub fn dag_cbor(block: &[u8]) -> Self {
        Self::hash(DAG_CBOR, block)
    }

    /// The CID of a blob.
    #[must_use]
    pub fn raw(blob: &[u8]) -> Self {
        Self::hash(RAW, blob)
    }

    fn hash(prefix: [u8; 4], bytes: &[u8]) -> Self {
        let mut cid = [0; CID_LEN];
        cid[..4].copy_from_slice(&prefix);
        cid[4..].copy_from_slice(&Sha256::digest(bytes));
        Self(cid)
    }

    /// Reads exactly 36 bytes.
    ///
    /// # Errors
    /// Another length, version, codec or hash.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CidError> {
        let cid: [u8; CID_LEN] = bytes.try_into().map_err(|_| CidError)?;
        if cid[..4] == DAG_CBOR || cid[..4] == RAW { Ok(Self(cid)) } else { Err(CidError) }
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8; CID_LEN] {
        &self.0
    }

    /// Whether `text` may be a CID of any version but 0, in any base: the check that lexicons ask for (format `cid`), which decodes nothing.
    #[must_use]
    pub fn is_valid_text(text: &str) -> bool {
        (8..=256).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=".contains(&b)) && !text.starts_with("Qmb")
    }

    /// Whether the codec is dag-cbor (else it is raw).
    #[must_use]
    pub fn is_dag_cbor(&self) -> bool {
        self.0[..4] == DAG_CBOR
    }

    /// Whether `bytes` hash to this CID.
    #[must_use]
    pub fn matches(&self, bytes: &[u8]) -> bool {
        self.0[4..] == Sha256::digest(bytes)[..]
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 58];
        BASE32_LOWER.encode_mut(&self.0, &mut text);
        f.write_str("b")?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Cid {
    type Err = CidError;

    /// Reads the base32 form (`b...`, 59 characters).
    fn from_str(text: &str) -> Result<Self, CidError> {
        let body = text.strip_prefix('b').filter(|b| b.len() == 58).ok_or(CidError)?;
        let mut cid = [0; CID_LEN];
        BASE32_LOWER.decode_mut(body.as_bytes(), &mut cid).map_err(|_| CidError)?;
        Self::from_bytes(&cid)
    }
}

/// RFC 4648 base32, lower case, without padding: multibase `b`.
static BASE32_LOWER: std::sync::LazyLock<data_encoding::Encoding> = std::sync::LazyLock::new(base32_lower);

fn base32_lower() -> data_encoding::Encoding {
    let mut spec = data_encoding::Specification::new();
    spec.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    spec.encoding().unwrap_or(data_encoding::BASE32_NOPAD_NOCASE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_round_trip() {
        let cid = Cid::dag_cbor(b"\xa0");
        assert_eq!(cid.to_string(), "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua");
        assert_eq!(cid.to_string().parse(), Ok(cid));
        assert_eq!(Cid::from_bytes(cid.as_bytes()), Ok(cid));
        assert!(cid.matches(b"\xa0") && !cid.matches(b"\xa1"));
    }
}
