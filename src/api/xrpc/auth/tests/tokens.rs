//! Tokens that are good, and every way that we know of to make one that is not: each is refused by its name.

use std::sync::atomic::Ordering;

use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Access, now};
use super::{
    ALICE, CAROL, DAVE, ERIN, FRANK, MALFORMED, METHOD, MISMATCH, MOD, OWN, Signer, UNVERIFIABLE, World, claims, header, refusal, signed,
};

#[tokio::test]
async fn accounts_of_both_curves_are_who_they_prove_to_be() {
    let world = World::new();
    assert_eq!(world.viewer(&world.alice(json!({}))).await, Ok(ALICE.to_owned()));
    let carol = signed(&header(json!({"alg": "ES256"})), &claims(json!({"iss": CAROL})), Signer::P256(&world.carol));
    assert_eq!(world.viewer(&carol).await, Ok(CAROL.to_owned()));
    assert_eq!(world.refreshed.load(Ordering::Relaxed), 0);
    let fractions = world.alice(json!({"exp": now() + 0.9, "iat": 1, "jti": "x", "nonce": {"a": [1]}}));
    assert_eq!(world.viewer(&fractions).await, Ok(ALICE.to_owned()));
}

#[tokio::test]
async fn either_s_of_a_service_token_is_taken() {
    let world = World::new();
    let token = signed(&header(json!({})), &claims(json!({})), Signer::HighS(1));
    assert_eq!(world.viewer(&token).await, Ok(ALICE.to_owned()));
    let mut carols = 0;
    while carols < 8 {
        // Half of these have the larger `s`: the library does not choose.
        let token = signed(&header(json!({"alg": "ES256"})), &claims(json!({"iss": CAROL, "n": carols})), Signer::P256(&world.carol));
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
        (signed(&none, &claims(json!({})), Signer::None), "alg none, unsigned", UNVERIFIABLE),
        (signed(&none, &claims(json!({})), Signer::K256(1)), "alg none, signed", UNVERIFIABLE),
        (signed(&header(json!({"alg": "None"})), &claims(json!({})), Signer::None), "alg None", UNVERIFIABLE),
        (signed(&header(json!({"alg": "HS256"})), &claims(json!({})), Signer::K256(1)), "HS256", UNVERIFIABLE),
        (signed(&header(json!({"alg": "es256k"})), &claims(json!({})), Signer::K256(1)), "es256k", UNVERIFIABLE),
        (signed(&header(json!({"alg": "ES256"})), &claims(json!({})), Signer::K256(1)), "the other curve's alg", UNVERIFIABLE),
        (signed(&header(json!({"alg": "ES256"})), &claims(json!({})), Signer::P256(&world.carol)), "the other curve's key", UNVERIFIABLE),
        (signed(&header(json!({})), &claims(json!({"iss": CAROL})), Signer::P256(&world.carol)), "another alg than signed", UNVERIFIABLE),
        (signed(&header(json!({})), &claims(json!({})), Signer::None), "unsigned", MISMATCH),
        (signed(&header(json!({})), &claims(json!({})), Signer::K256(2)), "another account's key", MISMATCH),
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
        signed(&header(json!({"crit": ["b64"], "b64": false})), &claims(json!({})), Signer::K256(1)),
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
    let from = |iss: &str, kid: Value, seed: u8| signed(&header(json!({"kid": kid})), &claims(json!({"iss": iss})), Signer::K256(seed));
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
    let of = |seed| signed(&header(json!({})), &claims(json!({"iss": ERIN})), Signer::K256(seed));
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
}
