//! Tokens that are good, and every way that we know of to make one that is not: each is refused by its name.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use hyper::HeaderMap;
use proptest::prelude::*;
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

    /// A token whose parts may be changed.
    fn signed(&self, header: &Value, claims: &Value, key: Signer<'_>) -> String {
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

    /// A token of ALICE with claims changed: null takes one away.
    fn alice(&self, changes: Value) -> String {
        self.signed(&header(json!({})), &claims(changes), Signer::K256(1))
    }
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

#[tokio::test]
async fn accounts_of_both_curves_are_who_they_prove_to_be() {
    let world = World::new();
    assert_eq!(world.viewer(&world.alice(json!({}))).await, Ok(ALICE.to_owned()));
    let carol = world.signed(&header(json!({"alg": "ES256"})), &claims(json!({"iss": CAROL})), Signer::P256(&world.carol));
    assert_eq!(world.viewer(&carol).await, Ok(CAROL.to_owned()));
    assert_eq!(world.refreshed.load(Ordering::Relaxed), 0);
    let fractions = world.alice(json!({"exp": now() + 0.9, "iat": 1, "jti": "x", "nonce": {"a": [1]}}));
    assert_eq!(world.viewer(&fractions).await, Ok(ALICE.to_owned()));
}

#[tokio::test]
async fn either_s_of_a_service_token_is_taken() {
    let world = World::new();
    let token = world.signed(&header(json!({})), &claims(json!({})), Signer::HighS(1));
    assert_eq!(world.viewer(&token).await, Ok(ALICE.to_owned()));
    let mut carols = 0;
    while carols < 8 {
        // Half of these have the larger `s`: the library does not choose.
        let token = world.signed(&header(json!({"alg": "ES256"})), &claims(json!({"iss": CAROL, "n": carols})), Signer::P256(&world.carol));
        assert_eq!(world.viewer(&token).await, Ok(CAROL.to_owned()));
        carols += 1;
    }
}

#[tokio::test]
async fn a_token_without_a_signature_of_the_issuer_s_key_is_nobody_s() {
    let world = World::new();
    let good = world.alice(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let other = world.alice(json!({"exp": now() + 50.0}));
    let others: Vec<&str> = other.split('.').collect();
    let (mut flipped, last) = (BASE64URL_NOPAD.decode(parts[2].as_bytes()).unwrap(), 63);
    flipped[last] ^= 1;
    let none = header(json!({"alg": "none"}));
    for (token, what, refused) in [
        (world.signed(&none, &claims(json!({})), Signer::None), "alg none, unsigned", UNVERIFIABLE),
        (world.signed(&none, &claims(json!({})), Signer::K256(1)), "alg none, signed", UNVERIFIABLE),
        (world.signed(&header(json!({"alg": "None"})), &claims(json!({})), Signer::None), "alg None", UNVERIFIABLE),
        (world.signed(&header(json!({"alg": "HS256"})), &claims(json!({})), Signer::K256(1)), "HS256", UNVERIFIABLE),
        (world.signed(&header(json!({"alg": "es256k"})), &claims(json!({})), Signer::K256(1)), "es256k", UNVERIFIABLE),
        (world.signed(&header(json!({"alg": "ES256"})), &claims(json!({})), Signer::K256(1)), "the other curve's alg", UNVERIFIABLE),
        (
            world.signed(&header(json!({"alg": "ES256"})), &claims(json!({})), Signer::P256(&world.carol)),
            "the other curve's key",
            UNVERIFIABLE,
        ),
        (
            world.signed(&header(json!({})), &claims(json!({"iss": CAROL})), Signer::P256(&world.carol)),
            "another alg than signed",
            UNVERIFIABLE,
        ),
        (world.signed(&header(json!({})), &claims(json!({})), Signer::None), "unsigned", MISMATCH),
        (world.signed(&header(json!({})), &claims(json!({})), Signer::K256(2)), "another account's key", MISMATCH),
        (format!("{}.{}.{}", parts[0], others[1], parts[2]), "another payload", MISMATCH),
        (format!("{}.{}.{}", parts[0], parts[1], others[2]), "another signature", MISMATCH),
        (format!("{}.{}.{}", BASE64URL_NOPAD.encode(br#"{"alg":"ES256K"}"#), parts[1], parts[2]), "another header", MISMATCH),
        (format!("{}.{}.{}", parts[0], parts[1], BASE64URL_NOPAD.encode(&flipped)), "a bit of the signature", MISMATCH),
        (format!("{}.{}.{}", parts[0], parts[1], BASE64URL_NOPAD.encode(&flipped[..63])), "a short signature", MISMATCH),
        (format!("{}.{}.{}", parts[0], parts[1], BASE64URL_NOPAD.encode(&[0; 64])), "zeros", MISMATCH),
        (format!("{}.{}.{}", parts[0], parts[1], BASE64URL_NOPAD.encode(&[0xff; 64])), "ones", MISMATCH),
    ] {
        assert_eq!(world.viewer(&token).await, refusal("BadJwtSignature", refused), "{what}");
    }
}

#[tokio::test]
async fn what_is_no_token_is_named_so() {
    let world = World::new();
    let good = world.alice(json!({}));
    let parts: Vec<&str> = good.split('.').collect();
    let bytes = BASE64URL_NOPAD.encode(&[0xff; 20]);
    for token in [
        String::new(),
        "garbage".to_owned(),
        "..".to_owned(),
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}.{}", parts[2]),
        format!("{}.{}.{}", parts[1], parts[0], parts[2]),
        format!("{}.{bytes}.{}", parts[0], parts[2]),
        format!("{bytes}.{}.{}", parts[1], parts[2]),
        format!("{good}=="),
        world.alice(json!({"iss": null})),
        world.alice(json!({"aud": null})),
        world.alice(json!({"exp": null})),
        world.alice(json!({"exp": "9999999999"})),
        world.alice(json!({"aud": [OWN]})),
        world.alice(json!({"lxm": [METHOD]})),
        world.alice(json!({"padding": "x".repeat(10_000)})),
        world.signed(&header(json!({"crit": ["b64"], "b64": false})), &claims(json!({})), Signer::K256(1)),
    ] {
        assert_eq!(world.viewer(&token).await, refusal("BadJwt", MALFORMED), "{token}");
    }
    assert_eq!(world.refreshed.load(Ordering::Relaxed), 0, "nobody was asked");
}

#[tokio::test]
async fn tokens_end() {
    let world = World::new();
    for exp in [json!(now() - 1.0), json!(0), json!(-1), json!(now() - 0.001)] {
        assert_eq!(world.viewer(&world.alice(json!({"exp": exp}))).await, refusal("JwtExpired", "jwt expired"), "{exp}");
    }
    let late_and_lost = world.alice(json!({"exp": 1, "aud": "did:web:x", "iss": "nobody"}));
    assert_eq!(world.viewer(&late_and_lost).await, refusal("JwtExpired", "jwt expired"), "the end is looked at first");
}

#[tokio::test]
async fn tokens_are_for_one_service() {
    let world = World::new();
    for aud in [OWN, "did:web:appview.example#bsky_appview", "did:web:old.example", "did:web:old.example#bsky_appview"] {
        assert_eq!(world.viewer(&world.alice(json!({"aud": aud}))).await, Ok(ALICE.to_owned()), "{aud}");
    }
    let not_ours = || refusal("BadJwtAudience", "jwt audience does not match service did");
    for aud in
        ["", ALICE, "did:web:appview.exampl", "did:web:appview.example#", "did:web:appview.example#bsky_notif", "did:web:appview.example#x"]
    {
        assert_eq!(world.viewer(&world.alice(json!({"aud": aud}))).await, not_ours(), "{aud}");
    }
    let (aud, lxm) = ("did:web:appview.example#bsky_notif", "app.bsky.notification.updateSeen");
    let bearer = format!("Bearer {}", world.alice(json!({"aud": aud, "lxm": lxm})));
    assert!(world.caller_of(lxm, Access::Required, &bearer).await.is_ok());
    let nobody = World::with(|config| (config.service.did, config.service.alternate_dids) = (None, Vec::new()));
    assert_eq!(nobody.viewer(&nobody.alice(json!({}))).await, not_ours(), "a service without a name");
}

#[tokio::test]
async fn tokens_are_for_one_method() {
    let world = World::new();
    let text = |what| format!("{what} jwt lexicon method (\"lxm\"). must match: {METHOD}");
    for (lxm, what) in [(json!(null), "missing"), (json!(""), "bad"), (json!("app.bsky.feed.getTimelines"), "bad"), (json!("*"), "bad")] {
        assert_eq!(world.viewer(&world.alice(json!({"lxm": lxm}))).await, refusal("BadJwtLexiconMethod", &text(what)), "{lxm}");
    }
    let chat = format!("Bearer {}", world.alice(json!({"lxm": "chat.bsky.convo.listConvos"})));
    let feed = format!("Bearer {}", world.alice(json!({"lxm": "app.bsky.feed.getFeedSkeleton", "aud": "did:web:feeds.example"})));
    for (access, chats, feeds) in [
        (Access::Optional, false, false),
        (Access::OptionalOrAdmin, false, false),
        (Access::OptionalOfChat, true, false),
        (Access::OptionalOfFeed, false, true),
    ] {
        let (chat, feed) = (world.caller(access, &chat).await.is_ok(), world.caller(access, &feed).await.is_ok());
        assert_eq!((chat, feed), (chats, feeds), "{access:?}");
    }
}

#[tokio::test]
async fn the_issuer_is_an_account_and_names_its_key() {
    let world = World::new();
    for iss in ["", "alice.example", "did:plc:", "#atproto", "did:plc:alice#", "did:plc:alice#a#b", "did:plc:alice#a b"] {
        assert_eq!(world.viewer(&world.alice(json!({"iss": iss}))).await, refusal("BadJwtIss", "jwt iss is not a valid did"), "{iss}");
    }
    let from =
        |iss: &str, kid: Value, seed: u8| world.signed(&header(json!({"kid": kid})), &claims(json!({"iss": iss})), Signer::K256(seed));
    let service = "did:plc:mod#atproto_labeler";
    for (iss, kid, seed) in [
        (MOD, json!(null), 4),
        (MOD, json!("#atproto"), 4),
        (MOD, json!("#atproto_label"), 5),
        (service, json!(null), 5),
        (service, json!("#atproto_label"), 5),
        ("did:plc:mod#bsky_fg", json!(null), 4),
    ] {
        assert_eq!(world.viewer(&from(iss, kid.clone(), seed)).await, Ok(MOD.to_owned()), "{iss} {kid}");
    }
    for (iss, kid, seed) in
        [(MOD, json!(null), 5), (MOD, json!("#atproto"), 5), (MOD, json!("#atproto_label"), 4), (service, json!(null), 4)]
    {
        assert_eq!(world.viewer(&from(iss, kid.clone(), seed)).await, refusal("BadJwtSignature", MISMATCH), "{iss} {kid}");
    }
    for (iss, kid) in [
        (ALICE, "#other"),
        (ALICE, "atproto"),
        (ALICE, "did:plc:alice#atproto"),
        (service, "#atproto"),
        ("did:plc:mod#x", "#atproto_label"),
    ] {
        let refused = refusal("BadJwt", "jwt kid does not name a key of the issuer");
        assert_eq!(world.viewer(&from(iss, json!(kid), 1)).await, refused, "{iss} {kid}");
    }
    for (iss, refused) in
        [("did:plc:nobody", "identity unknown"), (DAVE, "missing or bad key"), ("did:plc:alice#atproto_labeler", "missing or bad key")]
    {
        assert_eq!(world.viewer(&from(iss, json!(null), 1)).await, refusal("AuthenticationRequired", refused), "{iss}");
    }
}

#[tokio::test]
async fn a_key_that_changed_is_asked_for_once_more() {
    let world = World::new();
    let of = |seed| world.signed(&header(json!({})), &claims(json!({"iss": ERIN})), Signer::K256(seed));
    assert_eq!(world.viewer(&of(7)).await, Ok(ERIN.to_owned()));
    assert_eq!(world.refreshed.load(Ordering::Relaxed), 1);
    assert_eq!(world.viewer(&of(1)).await, refusal("BadJwtSignature", MISMATCH));
    assert_eq!(world.refreshed.load(Ordering::Relaxed), 2, "once a token");
}

#[tokio::test]
async fn an_identity_that_cannot_be_asked_for_is_no_verdict() {
    let world = World::new();
    let failure = world.caller(Access::Required, &format!("Bearer {}", world.alice(json!({"iss": FRANK})))).await.unwrap_err();
    assert_eq!(
        (failure.status.as_u16(), failure.to_string().as_str()),
        (502, "UpstreamFailure: identity of the jwt issuer cannot be resolved")
    );
}

#[tokio::test]
async fn tokens_of_other_kinds_are_told_apart() {
    let world = World::new();
    let of = |typ: &str| world.signed(&header(json!({"typ": typ})), &claims(json!({})), Signer::K256(1));
    for typ in ["refresh+jwt", "dpop+jwt", "application/dpop+jwt", "DPoP+JWT"] {
        assert!(world.viewer(&of(typ)).await.unwrap_err().starts_with("BadJwtType: Invalid jwt type"), "{typ}");
    }
    assert_eq!(world.viewer(&of("at+jwt")).await, refusal("InvalidToken", "Malformed token"), "no entryway is known");
    let bearer = format!("Bearer {}", of("at+jwt"));
    assert_eq!(world.caller(Access::AdminOrModService, &bearer).await.map_err(name), refusal("BadJwtType", "Invalid jwt type \"at+jwt\""));
}

#[tokio::test]
async fn sessions_are_taken_from_the_entryway_that_is_known() {
    let world = World::with(|config| config.service.entryway_key = Some(k256(9).did_key()));
    let base = json!({"sub": ALICE, "aud": "did:web:x.bsky.network", "scope": "com.atproto.access", "exp": now() + 60.0});
    let of = |changes: Value, signer| world.signed(&header(json!({"typ": "at+jwt"})), &merged(base.clone(), changes), signer);
    assert_eq!(world.viewer(&of(json!({}), Signer::K256(9))).await, Ok(ALICE.to_owned()));
    for (changes, name, message) in [
        (json!({"exp": 1}), "ExpiredToken", "Token has expired"),
        (json!({"exp": null}), "InvalidToken", "Token could not be verified"),
        (json!({"sub": "alice"}), "InvalidToken", "Malformed token"),
        (json!({"sub": null}), "InvalidToken", "Malformed token"),
        (json!({"aud": "did:web:evil.example"}), "InvalidToken", "Bad token aud"),
        (json!({"aud": OWN}), "InvalidToken", "Bad token aud"),
        (json!({"scope": "com.atproto.refresh"}), "InvalidToken", "Bad token scope"),
        (json!({"cnf": {"jkt": "x"}}), "InvalidToken", "Malformed token"),
    ] {
        assert_eq!(world.viewer(&of(changes.clone(), Signer::K256(9))).await, refusal(name, message), "{changes}");
    }
    for signer in [Signer::K256(1), Signer::HighS(9), Signer::None] {
        assert_eq!(world.viewer(&of(json!({}), signer)).await, refusal("InvalidToken", "Token could not be verified"));
    }
    let bearer = format!("Bearer {}", of(json!({}), Signer::K256(9)));
    let for_a_feed = world.caller(Access::OptionalOfFeed, &bearer).await;
    assert_eq!(for_a_feed.map_err(name), refusal("InvalidToken", "Malformed token"));
}

#[tokio::test]
async fn each_kind_of_method_lets_in_its_own() {
    let world = World::new();
    let basic = |text: &str| format!("Basic {}", BASE64.encode(text.as_bytes()));
    let (none, alice) = (String::new(), format!("Bearer {}", world.alice(json!({}))));
    let moderator = format!("Bearer {}", world.signed(&header(json!({})), &claims(json!({"iss": MOD})), Signer::K256(4)));
    let (admin, wrong, other) = (basic("admin:swordfish"), basic("admin:sword"), "DPoP x".to_owned());
    let account = |did: &str| Ok(Caller::account(did.parse().unwrap()));
    let watching = Ok(Caller::mod_service_as_viewer(MOD.parse().unwrap()));
    let (nobody, admins, acting) = (Ok(Caller::nobody()), Ok(Caller::admin()), Ok(Caller::mod_service()));
    let (missing, required) =
        (refusal("AuthMissing", "Authentication Required"), refusal("AuthenticationRequired", "Authentication Required"));
    let (untrusted, bad) = (refusal("UntrustedIss", "Untrusted issuer"), refusal("AuthenticationRequired", "bad credentials"));
    use Access::{Admin, AdminOrModService, Open, Optional, OptionalOrAdmin, Required};
    for (access, given, expected) in [
        (Open, &none, &nobody),
        (Open, &"Bearer garbage".to_owned(), &nobody),
        (Open, &wrong, &nobody),
        (Optional, &none, &nobody),
        (Optional, &other, &nobody),
        (Optional, &alice, &account(ALICE)),
        (Optional, &alice.replace("Bearer", "bearer"), &account(ALICE)),
        (Optional, &moderator, &watching),
        (Optional, &admin, &bad),
        (OptionalOrAdmin, &none, &nobody),
        (OptionalOrAdmin, &alice, &account(ALICE)),
        (OptionalOrAdmin, &admin, &admins),
        (OptionalOrAdmin, &wrong, &required),
        (Required, &none, &missing),
        (Required, &other, &missing),
        (Required, &alice, &account(ALICE)),
        (Required, &admin, &bad),
        (Admin, &none, &required),
        (Admin, &alice, &required),
        (Admin, &moderator, &required),
        (Admin, &admin, &admins),
        (Admin, &wrong, &required),
        (AdminOrModService, &none, &required),
        (AdminOrModService, &alice, &untrusted),
        (AdminOrModService, &moderator, &acting),
        (AdminOrModService, &admin, &admins),
    ] {
        assert_eq!(world.caller(access, given).await.map_err(name), *expected, "{access:?} {given}");
    }
    let nobody_rules = World::with(|config| (config.admin.password, config.service.mod_service_did) = (None, None));
    for given in [&admin, &basic("admin:"), &moderator] {
        assert!(nobody_rules.caller(AdminOrModService, given).await.is_err(), "{given}");
    }
}

#[tokio::test]
async fn the_moderation_service_acts_only_as_itself_and_for_us() {
    let world = World::new();
    let of = |changes: Value, seed| format!("Bearer {}", world.signed(&header(json!({})), &claims(changes), Signer::K256(seed)));
    let caller = |bearer: String| async {
        let bearer = bearer;
        world.caller(Access::AdminOrModService, &bearer).await.map_err(name)
    };
    let labeler = "did:plc:mod#atproto_labeler";
    assert_eq!(caller(of(json!({"iss": labeler, "lxm": null}), 5)).await, Ok(Caller::mod_service()), "labelers of old leave out lxm");
    assert_eq!(caller(of(json!({"iss": MOD, "aud": format!("{OWN}#bsky_appview")}), 4)).await, Ok(Caller::mod_service()));
    for (bearer, name) in [
        (of(json!({"iss": labeler, "lxm": "a.b.c"}), 5), "BadJwtLexiconMethod"),
        (of(json!({"iss": MOD, "lxm": null}), 4), "BadJwtLexiconMethod"),
        (of(json!({"iss": "did:plc:mod#other"}), 4), "UntrustedIss"),
        (of(json!({"iss": MOD, "aud": "did:web:old.example"}), 4), "BadJwtAudience"),
        (of(json!({"iss": MOD}), 5), "BadJwtSignature"),
        (of(json!({"iss": MOD}), 1), "BadJwtSignature"),
    ] {
        assert!(caller(bearer.clone()).await.unwrap_err().starts_with(&format!("{name}: ")), "{name} {bearer}");
    }
}

#[tokio::test]
async fn a_password_shows_what_an_account_sees_only_where_that_is_switched_on() {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Basic {}", BASE64.encode(b"admin:swordfish")).parse().unwrap());
    headers.insert("appview-as-did", ALICE.parse().unwrap());
    for (switch, expected) in [(false, None), (true, Some(ALICE.parse().unwrap()))] {
        let world = World::with(|config| config.admin.impersonation = switch);
        let caller = world.auth.caller(METHOD, Access::Required, &headers, &world).await;
        assert_eq!(caller.ok().and_then(|caller| caller.viewer().cloned()), expected);
    }
    let world = World::with(|config| config.admin.impersonation = true);
    headers.insert("appview-as-did", "alice".parse().unwrap());
    let caller = world.auth.caller(METHOD, Access::Required, &headers, &world).await;
    assert_eq!(caller.map_err(name), refusal("AuthenticationRequired", "bad issuer"));
}

#[test]
fn switches_are_the_reference_s() {
    let did = || ALICE.parse::<Did>().unwrap();
    let switches =
        |caller: &Caller| [caller.sees_takedowns(), caller.sees_third_party_blocks(), caller.skips_viewer_blocks(), caller.can_take_down()];
    for (caller, expected) in [
        (Caller::nobody(), [false; 4]),
        (Caller::account(did()), [false; 4]),
        (Caller::mod_service_as_viewer(did()), [true, true, true, false]),
        (Caller::mod_service(), [true, true, false, true]),
        (Caller::admin(), [true, true, false, true]),
    ] {
        assert_eq!(switches(&caller), expected, "{caller:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// One changed character of a good token makes it nobody's: it is somewhere in what was signed, or in the signature.
    #[test]
    fn no_altered_token_passes(at in 0..10_000_usize, to in "[A-Za-z0-9_.=-]") {
        let world = World::new();
        let mut token = world.alice(json!({}));
        let at = at % token.len();
        prop_assume!(token[at..=at] != to);
        token.replace_range(at..=at, &to);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert!(runtime.block_on(world.viewer(&token)).is_err(), "{token}");
    }

    #[test]
    fn no_header_panics(authorization in "((Bearer|Basic|bearer) )?[ -~]{0,120}") {
        let world = World::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for access in [Access::Open, Access::Optional, Access::OptionalOrAdmin, Access::Required, Access::Admin, Access::AdminOrModService] {
            let caller = runtime.block_on(world.caller(access, authorization.trim()));
            prop_assert!(caller.map_or(true, |caller| caller == Caller::nobody()), "{authorization}");
        }
    }
}
