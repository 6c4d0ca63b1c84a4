//! A network of a few identities, and who is taken for whom in it.

mod callers;
mod tokens;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use data_encoding::BASE64URL_NOPAD;
use hyper::HeaderMap;
use serde_json::{Value, json};

use super::documents::{Documents, Keys, Unresolved};
use super::{Access, Auth, Caller, now};
use crate::atproto::{Did, PublicKey, SigningKey};
use crate::config::Config;
use crate::http::Failure;

const OWN: &str = "did:web:appview.example";
const ALICE: &str = "did:plc:alice";
const BOB: &str = "did:plc:bob";
/// Has a key of P-256.
const CAROL: &str = "did:plc:carol";
const MOD: &str = "did:plc:mod";
/// Has no keys.
const DAVE: &str = "did:plc:dave";
/// Has a key that changed since it was cached.
const ERIN: &str = "did:plc:erin";
/// The directory does not answer for it.
const FRANK: &str = "did:plc:frank";
const METHOD: &str = "app.bsky.feed.getTimeline";

fn k256(seed: u8) -> SigningKey {
    SigningKey::from_bytes([seed; 32]).unwrap()
}

/// A key pair of P-256, and its public half as documents have it.
fn p256() -> (EcdsaKeyPair, PublicKey) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let compressed: Vec<u8> = [[2 + (point[64] & 1)].as_slice(), &point[1..33]].concat();
    let text = format!("z{}", base58(&compressed));
    let key = PublicKey::from_verification_method("EcdsaSecp256r1VerificationKey2019", &text).unwrap();
    (pair, key)
}

fn base58(bytes: &[u8]) -> String {
    let alphabet = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut digits: Vec<u32> = Vec::new();
    for &byte in bytes {
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
    digits.iter().rev().map(|&digit| char::from(alphabet[usize::try_from(digit).unwrap()])).collect()
}

/// A network of a few identities.
struct World {
    auth: Auth,
    cached: HashMap<&'static str, Keys>,
    fresh: HashMap<&'static str, Keys>,
    refreshed: AtomicUsize,
    carol: EcdsaKeyPair,
}

impl Documents for World {
    async fn keys(&self, did: &Did, fresh: bool) -> Result<Keys, Unresolved> {
        self.refreshed.fetch_add(usize::from(fresh), Ordering::Relaxed);
        if did.as_str() == FRANK {
            return Err(Unresolved::Unreachable);
        }
        let keys = if fresh { self.fresh.get(did.as_str()) } else { None };
        keys.or_else(|| self.cached.get(did.as_str())).cloned().ok_or(Unresolved::Unknown)
    }
}

impl World {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.service.did = Some(OWN.to_owned());
        config.service.alternate_dids = vec!["did:web:old.example".to_owned()];
        config.service.mod_service_did = Some(MOD.to_owned());
        config.admin.password = Some("swordfish".to_owned());
        change(&mut config);
        let (carol, carol_key) = p256();
        let keys = |seed: u8| Keys { account: Some(k256(seed).public_key()), labeler: None };
        let moderator = Keys { labeler: Some(k256(5).public_key()), ..keys(4) };
        let carols = Keys { account: Some(carol_key), labeler: None };
        let known = [(ALICE, keys(1)), (BOB, keys(2)), (CAROL, carols), (MOD, moderator), (DAVE, Keys::default()), (ERIN, keys(6))];
        Self {
            auth: Auth::new(&config),
            cached: HashMap::from(known),
            fresh: HashMap::from([(ERIN, keys(7))]),
            refreshed: AtomicUsize::new(0),
            carol,
        }
    }

    async fn caller(&self, access: Access, authorization: &str) -> Result<Caller, Failure> {
        self.caller_of(METHOD, access, authorization).await
    }

    async fn caller_of(&self, nsid: &str, access: Access, authorization: &str) -> Result<Caller, Failure> {
        let mut headers = HeaderMap::new();
        if !authorization.is_empty() {
            headers.insert("authorization", authorization.parse().unwrap());
        }
        self.auth.caller(nsid, access, &headers, self).await
    }

    /// Who a token makes of a request to a method that needs somebody.
    async fn viewer(&self, token: &str) -> Result<String, String> {
        let caller = self.caller(Access::Required, &format!("Bearer {token}")).await;
        caller.map(|caller| caller.viewer().unwrap().to_string()).map_err(name)
    }

    /// A token of ALICE with claims changed: null takes one away.
    #[allow(clippy::unused_self, reason = "reads as what it is: a token in this world")]
    fn alice(&self, changes: Value) -> String {
        signed(&header(json!({})), &claims(changes), Signer::K256(1))
    }
}

/// A token whose parts may be changed.
fn signed(header: &Value, claims: &Value, key: Signer<'_>) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = match key {
        Signer::K256(seed) => k256(seed).sign(signed.as_bytes()).to_vec(),
        Signer::HighS(seed) => high_s(&k256(seed).sign(signed.as_bytes())),
        Signer::P256(pair) => pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec(),
        Signer::None => Vec::new(),
    };
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

#[derive(Clone, Copy)]
enum Signer<'a> {
    K256(u8),
    HighS(u8),
    P256(&'a EcdsaKeyPair),
    None,
}

/// The other form of a signature of K-256: `s` becomes order - `s`.
fn high_s(signature: &[u8; 64]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
        0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
    ];
    let mut high = signature.to_vec();
    let mut borrow = 0_i16;
    for at in (0..32).rev() {
        let digit = i16::from(ORDER[at]) - i16::from(signature[32 + at]) - borrow;
        borrow = i16::from(digit < 0);
        high[32 + at] = u8::try_from(digit.rem_euclid(256)).unwrap();
    }
    high
}

fn merged(mut base: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (key, value) in changes {
        if value.is_null() {
            base.as_object_mut().unwrap().remove(&key);
        } else {
            base[key] = value;
        }
    }
    base
}

fn header(changes: Value) -> Value {
    merged(json!({"alg": "ES256K", "typ": "JWT"}), changes)
}

fn claims(changes: Value) -> Value {
    merged(json!({"iss": ALICE, "aud": OWN, "exp": now() + 60.0, "lxm": METHOD}), changes)
}

/// Name and text of a refusal, which is a 401.
#[allow(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn name(failure: Failure) -> String {
    assert_eq!(failure.status, 401, "{failure}");
    failure.to_string()
}

fn refusal<T>(name: &str, message: &str) -> Result<T, String> {
    Err(format!("{name}: {message}"))
}

const MISMATCH: &str = "jwt signature does not match jwt issuer";
const UNVERIFIABLE: &str = "could not verify jwt signature";
const MALFORMED: &str = "poorly formatted jwt";
