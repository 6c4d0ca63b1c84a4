//! Signatures of the two curves that AT Protocol knows, and the text forms of their keys. What is kept is never accepted in two forms: 64
//! bytes, the smaller `s` only.

use std::fmt;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey, UnparsedPublicKey};
use secp256k1::{Message, SecretKey, ecdsa};
use sha2::{Digest, Sha256};

/// Multicodec prefixes of compressed public keys, as varints.
const K256_PREFIX: [u8; 2] = [0xe7, 0x01];
const P256_PREFIX: [u8; 2] = [0x80, 0x24];
/// Half of P-256's order, big-endian: the largest `s` of a low-S signature.
const P256_HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b,
    0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];
/// Longest text of a key that is read: 65 bytes and a prefix take 92 characters of base58.
const MAX_KEY_TEXT: usize = 128;

/// A public key, parsed once and used often.
///
/// Source: <https://atproto.com/specs/cryptography>.
#[derive(Clone)]
pub struct PublicKey(Curve);

#[derive(Clone)]
enum Curve {
    K256(secp256k1::PublicKey),
    P256(ParsedPublicKey),
}

/// The text or the bytes are no key of the two curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key of K-256 or P-256")]
pub struct KeyError;

impl PublicKey {
    /// Reads `did:key:z...`.
    ///
    /// # Errors
    /// Another method, curve or form.
    pub fn from_did_key(text: &str) -> Result<Self, KeyError> {
        Self::from_multibase(text.strip_prefix("did:key:").ok_or(KeyError)?)
    }

    /// Reads the `publicKeyMultibase` of a verification method of type `Multikey`: base58btc of a curve prefix and a compressed point.
    ///
    /// # Errors
    /// Another base, curve or form.
    pub fn from_multibase(text: &str) -> Result<Self, KeyError> {
        match *multibase(text)?.as_slice() {
            [a, b, ref point @ ..] if [a, b] == K256_PREFIX && point.len() == 33 => Self::k256(point),
            [a, b, ref point @ ..] if [a, b] == P256_PREFIX && point.len() == 33 => Self::p256(point),
            _ => Err(KeyError),
        }
    }

    /// Reads the `publicKeyMultibase` of a verification method of this `type`, the two old ones included, whose keys are bare points.
    ///
    /// # Errors
    /// Another type or form.
    pub fn from_verification_method(kind: &str, text: &str) -> Result<Self, KeyError> {
        match kind {
            "Multikey" => Self::from_multibase(text),
            "EcdsaSecp256k1VerificationKey2019" => Self::k256(&multibase(text)?),
            "EcdsaSecp256r1VerificationKey2019" => Self::p256(&multibase(text)?),
            _ => Err(KeyError),
        }
    }

    fn k256(point: &[u8]) -> Result<Self, KeyError> {
        secp256k1::PublicKey::from_slice(point).map(|key| Self(Curve::K256(key))).map_err(|_| KeyError)
    }

    fn p256(point: &[u8]) -> Result<Self, KeyError> {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        key.parse().map(|key| Self(Curve::P256(key))).map_err(|_| KeyError)
    }

    /// Whether `signature` (64 bytes, low S) is of SHA-256(`message`) by this key.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some((_, s)) = signature.split_first_chunk::<32>().filter(|(_, s)| s.len() == 32) else { return false };
        match &self.0 {
            Curve::K256(key) => ecdsa::Signature::from_compact(signature).is_ok_and(|sig| sig.verify(digest(message), key).is_ok()),
            Curve::P256(key) => *s <= P256_HALF_ORDER[..] && key.verify_sig(message, signature).is_ok(),
        }
    }
}

impl PublicKey {
    /// As [`PublicKey::verify`], with either `s`: tokens are used once, and libraries that know nothing of the rule sign them.
    #[must_use]
    pub fn verify_malleable(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Curve::K256(key) => ecdsa::Signature::from_compact(signature).is_ok_and(|mut sig| {
                sig.normalize_s();
                sig.verify(digest(message), key).is_ok()
            }),
            Curve::P256(key) => signature.len() == 64 && key.verify_sig(message, signature).is_ok(),
        }
    }

    /// What a JSON web token calls signatures of this key.
    #[must_use]
    pub fn alg(&self) -> &'static str {
        match self.0 {
            Curve::K256(_) => "ES256K",
            Curve::P256(_) => "ES256",
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Curve::K256(a), Curve::K256(b)) => a == b,
            (Curve::P256(a), Curve::P256(b)) => a.as_ref() == b.as_ref(),
            _ => false,
        }
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Curve::K256(_) => "PublicKey(K-256)",
            Curve::P256(_) => "PublicKey(P-256)",
        })
    }
}

/// A secret key of K-256, for those who play a host. Its signatures are deterministic (RFC 6979).
#[derive(Clone)]
pub struct SigningKey(SecretKey);

impl SigningKey {
    /// # Errors
    /// Zero, or not below the curve's order.
    pub fn from_bytes(secret: [u8; 32]) -> Result<Self, KeyError> {
        SecretKey::from_secret_bytes(secret).map(Self).map_err(|_| KeyError)
    }

    /// From 64 hexadecimal digits; `None` where the text is no key.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?;
        Self::from_bytes(bytes.try_into().ok()?).ok()
    }

    /// Signs SHA-256(`message`): 64 bytes, low S.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        ecdsa::sign(digest(message), &self.0).serialize_compact()
    }

    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(Curve::K256(self.0.public_key()))
    }

    /// `did:key:z...`
    #[must_use]
    pub fn did_key(&self) -> String {
        format!("did:key:{}", self.multibase())
    }

    /// The `publicKeyMultibase` of a `Multikey`.
    #[must_use]
    pub fn multibase(&self) -> String {
        let key = [&K256_PREFIX[..], &self.0.public_key().serialize()].concat();
        format!("z{}", base58(&key))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

fn digest(message: &[u8]) -> Message {
    Message::from_digest(Sha256::digest(message).into())
}

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Multibase `z`: base58btc.
fn multibase(text: &str) -> Result<Vec<u8>, KeyError> {
    let digits = text.strip_prefix('z').filter(|t| t.len() <= MAX_KEY_TEXT).ok_or(KeyError)?;
    let mut little_endian: Vec<u8> = Vec::new();
    for digit in digits.bytes() {
        let mut carry = BASE58.iter().position(|&b| b == digit).ok_or(KeyError)?;
        for byte in &mut little_endian {
            carry += usize::from(*byte) * 58;
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        if carry > 0 {
            little_endian.push(carry.to_le_bytes()[0]);
        }
    }
    little_endian.extend(digits.bytes().take_while(|&b| b == b'1').map(|_| 0));
    little_endian.reverse();
    Ok(little_endian)
}

fn base58(bytes: &[u8]) -> String {
    let mut little_endian: Vec<usize> = Vec::new();
    for &byte in bytes {
        let mut carry = usize::from(byte);
        for digit in &mut little_endian {
            carry += *digit << 8;
            *digit = carry % 58;
            carry /= 58;
        }
        while carry > 0 {
            little_endian.push(carry % 58);
            carry /= 58;
        }
    }
    little_endian.extend(bytes.iter().take_while(|&&b| b == 0).map(|_| 0));
    little_endian.iter().rev().filter_map(|&digit| BASE58.get(digit)).copied().map(char::from).collect()
}
