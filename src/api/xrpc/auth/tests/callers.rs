//! Who is let in where, and what they may see.

use data_encoding::BASE64;
use hyper::HeaderMap;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::Access::{Admin, AdminOrModService, Open, Optional, OptionalOrAdmin, Required};
use super::super::{Access, Caller, now};
use super::{ALICE, METHOD, MOD, OWN, Signer, World, claims, header, k256, merged, name, refusal, signed};
use crate::atproto::Did;

#[tokio::test]
async fn tokens_of_other_kinds_are_told_apart() {
    let world = World::new();
    let of = |typ: &str| signed(&header(json!({"typ": typ})), &claims(json!({})), Signer::K256(1));
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
    let of = |changes: Value, signer| signed(&header(json!({"typ": "at+jwt"})), &merged(base.clone(), changes), signer);
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
    let moderator = format!("Bearer {}", signed(&header(json!({})), &claims(json!({"iss": MOD})), Signer::K256(4)));
    let (admin, wrong, other) = (basic("admin:swordfish"), basic("admin:sword"), "DPoP x".to_owned());
    let account = |did: &str| Ok(Caller::account(did.parse().unwrap()));
    let watching = Ok(Caller::mod_service_as_viewer(MOD.parse().unwrap()));
    let (nobody, admins, acting) = (Ok(Caller::nobody()), Ok(Caller::admin()), Ok(Caller::mod_service()));
    let (missing, required) =
        (refusal("AuthMissing", "Authentication Required"), refusal("AuthenticationRequired", "Authentication Required"));
    let (untrusted, bad) = (refusal("UntrustedIss", "Untrusted issuer"), refusal("AuthenticationRequired", "bad credentials"));
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
    let of = |changes: Value, seed| format!("Bearer {}", signed(&header(json!({})), &claims(changes), Signer::K256(seed)));
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
