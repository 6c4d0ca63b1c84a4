//! Who a request is taken for, through a real server and a directory. The rules one by one stand beside their code (`api/xrpc/auth/tests.rs`).

use appviewd::atproto::jwt;
use appviewd::sandbox::directory::{Account, Question};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::json;

use crate::reads::world::{self, ALICE, BOB, World};
use crate::support::sign_in::{claims, key};

const PROFILE: &str = "app.bsky.actor.getProfile";

async fn world() -> (World, String) {
    let mut world = World::with(|config| config.admin.password = Some("swordfish".to_owned())).await;
    world.put(ALICE, "app.bsky.feed.post", &world::key(1), &world::post("x", 1, vec![])).await;
    (world, format!("/xrpc/{PROFILE}?actor={ALICE}"))
}

fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}

#[tokio::test]
async fn a_good_token_signs_in_and_a_bad_one_is_told_why() {
    let (world, path) = world().await;
    assert_eq!(world.get_as(BOB, &path).await.status, 200);
    let good = jwt::issue(&claims(BOB, &path), &key(BOB));
    let unsigned = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let (signed, _) = good.rsplit_once('.').unwrap();
    let (_, payload) = signed.split_once('.').unwrap();
    for (token, name) in [
        (jwt::issue(&claims(BOB, &path), &key(ALICE)), "BadJwtSignature"),
        (format!("{}.{payload}.", unsigned("{\"alg\":\"none\"}")), "BadJwtSignature"),
        (format!("{signed}."), "BadJwtSignature"),
        (jwt::issue(&claims(BOB, "/xrpc/app.bsky.feed.getTimeline"), &key(BOB)), "BadJwtLexiconMethod"),
        (jwt::issue(&jwt::Claims { exp: 1.into(), ..claims(BOB, &path) }, &key(BOB)), "JwtExpired"),
        (jwt::issue(&jwt::Claims { aud: "did:web:other.example".to_owned(), ..claims(BOB, &path) }, &key(BOB)), "BadJwtAudience"),
        (jwt::issue(&jwt::Claims { iss: "bob".to_owned(), ..claims(BOB, &path) }, &key(BOB)), "BadJwtIss"),
        (jwt::issue(&claims("did:plc:nobodyaaaaaaaaaaaaaaaaaa", &path), &key(BOB)), "AuthenticationRequired"),
        ("x".repeat(20_000), "BadJwt"),
        (String::new(), "BadJwt"),
    ] {
        let answer = world.ask("GET", &path, &bearer(&token)).await;
        assert_eq!((answer.error().0, answer.error().1.as_str()), (401, name), "{token:.80}");
        assert_eq!((answer.header("www-authenticate"), answer.header("access-control-allow-origin")), (Some("Bearer"), Some("*")));
    }
}

#[tokio::test]
async fn keys_are_asked_for_once_and_again_where_they_changed() {
    let (world, path) = world().await;
    for _ in 0..5 {
        assert_eq!(world.get_as(BOB, &path).await.status, 200);
    }
    assert_eq!(world.directory.directory.asked(Question::Plc, BOB), 1);
    world.directory.directory.set(BOB, Account::new(None, key("another").multibase()));
    let token = jwt::issue(&claims(BOB, &path), &key("another"));
    assert_eq!(world.ask("GET", &path, &bearer(&token)).await.status, 200);
    assert_eq!(world.directory.directory.asked(Question::Plc, BOB), 2);
    let old = jwt::issue(&claims(BOB, &path), &key(BOB));
    assert_eq!(world.ask("GET", &path, &bearer(&old)).await.error().1, "BadJwtSignature");
}

#[tokio::test]
async fn while_the_directory_is_away_known_accounts_stay_signed_in() {
    let (world, path) = world().await;
    assert_eq!(world.get_as(BOB, &path).await.status, 200);
    world.directory.directory.go_away();
    assert_eq!(world.get_as(BOB, &path).await.status, 200);
    let stranger = "did:plc:strangeraaaaaaaaaaaaaaaa";
    let (status, name, _) = world.get_as(stranger, &path).await.error();
    assert_eq!((status, name.as_str()), (502, "UpstreamFailure"));
    assert_eq!(world.get(&path).await.status, 200, "who is nobody needs no directory");
}

#[tokio::test]
async fn an_admin_is_known_by_the_password() {
    let (world, path) = world().await;
    let basic = |text: &str| format!("authorization: Basic {}\r\n", BASE64.encode(text.as_bytes()));
    assert_eq!(world.ask("GET", &path, &basic("admin:swordfish")).await.status, 200);
    let wrong = world.ask("GET", &path, &basic("admin:wordfish")).await;
    assert_eq!(wrong.error(), (401, "AuthenticationRequired".to_owned(), "Authentication Required".to_owned()));
    let trust = json!({"did": BOB, "trusted": true});
    for headers in [String::new(), basic("admin:x"), world.bearer(BOB, "/api/admin/trusted-verifiers")] {
        assert_eq!(world.post("/api/admin/trusted-verifiers", &headers, &trust).await.status, 401);
    }
}

#[tokio::test]
async fn a_method_that_needs_somebody_says_so() {
    let (world, _) = world().await;
    let path = "/xrpc/app.bsky.notification.updateSeen";
    let seen = json!({"seenAt": "2026-01-01T00:00:00Z"});
    assert_eq!(world.post(path, "", &seen).await.error(), (401, "AuthMissing".to_owned(), "Authentication Required".to_owned()));
    // Nothing can be written here, which is told only to who was let in.
    assert_eq!(world.post(path, &world.bearer(BOB, path), &seen).await.status, 501);
}
