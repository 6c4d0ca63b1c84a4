//! A labeler's key of P-256: this program signs with K-256 only.

use appviewd::atproto::cbor::Value;
use appviewd::sandbox::labeler::Said;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};

use super::rig::LABELER;

const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

pub struct P256(EcdsaKeyPair);

impl P256 {
    pub fn generate() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// The public half as a `Multikey`.
    pub fn multibase(&self) -> String {
        let point = self.0.public_key().as_ref();
        // The prefix of the curve, whether `y` is odd, and `x`.
        let key = [&[0x80, 0x24, 2 + (point[64] & 1)], &point[1..33]].concat();
        let mut digits: Vec<u32> = Vec::new();
        for byte in key {
            let mut carry = u32::from(byte);
            for digit in &mut digits {
                carry += *digit << 8;
                (*digit, carry) = (carry % 58, carry / 58);
            }
            while carry > 0 {
                digits.push(carry % 58);
                carry /= 58;
            }
        }
        let text = digits.iter().rev().map(|digit| char::from(BASE58[*digit as usize]));
        std::iter::once('z').chain(text).collect()
    }

    /// A label with a signature whose `s` is the smaller one.
    pub fn signed(&self, said: &Said) -> Value {
        self.signed_as(said, false)
    }

    /// The same with the larger one.
    pub fn signed_high(&self, said: &Said) -> Value {
        self.signed_as(said, true)
    }

    fn signed_as(&self, said: &Said, high: bool) -> Value {
        let fields = said.fields(LABELER);
        let bytes = Value::map(fields.clone()).encode();
        loop {
            let sig = self.0.sign(&SystemRandom::new(), &bytes).unwrap().as_ref().to_vec();
            // Half of the order begins so; that a signature comes so near to it does not happen.
            if (sig[32] >= 0x80) == high && sig[32..36] != [0x7f, 0xff, 0xff, 0xff] {
                return Value::map(fields.into_iter().chain([("sig", Value::Bytes(sig))]));
            }
        }
    }
}
