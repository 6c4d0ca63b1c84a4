//! Whether accounts are who they say: by whom operators trust, as things are now.

use appviewd::atproto::cbor::Value;
use serde_json::{Value as Json, json};

use super::world::{ALICE, BOB, CAROL, World, key, post, time, uri};

const POST: &str = "app.bsky.feed.post";
const PROFILE: &str = "app.bsky.actor.profile";
const VERIFICATION: &str = "app.bsky.graph.verification";
const MODERATION: &str = "did:plc:moderationaaaaaaaaaaaaa";

fn profile(name: &str) -> Value {
    Value::map([("$type", Value::text(PROFILE)), ("displayName", Value::text(name))])
}

fn verification(subject: &str, handle: &str, name: &str, at: i64) -> Value {
    Value::map([
        ("$type", Value::text(VERIFICATION)),
        ("subject", Value::text(subject)),
        ("handle", Value::text(handle)),
        ("displayName", Value::text(name)),
        ("createdAt", Value::text(time(at))),
    ])
}

async fn sql(world: &World, statement: &str) -> u64 {
    world.postgres.connect().await.execute(statement, &[]).await.unwrap()
}

async fn rename(world: &World, did: &str, handle: &str) {
    assert_eq!(sql(world, &format!("UPDATE account SET handle = '{handle}' WHERE did = '{did}'")).await, 1);
}

async fn trust(world: &World, did: &str) {
    assert_eq!(sql(world, &format!("INSERT INTO trusted_verifier SELECT id, 1 FROM account WHERE did = '{did}'")).await, 1);
}

/// ALICE is verified by BOB, who is trusted, and by CAROL, who is not. She has written post 1.
async fn world() -> World {
    let mut world = World::with(|config| config.labels.default_labelers = vec![MODERATION.to_owned()]).await;
    for (did, name, handle) in [(ALICE, "Alice", "alice.example"), (BOB, "Bob", "bob.example"), (CAROL, "Carol", "carol.example")] {
        world.put(did, PROFILE, "self", &profile(name)).await;
        rename(&world, did, handle).await;
    }
    world.put(ALICE, POST, &key(1), &post("x", 1, vec![])).await;
    for (did, at) in [(BOB, 5), (CAROL, 6)] {
        world.put(did, VERIFICATION, &key(at), &verification(ALICE, "alice.example", "Alice", at)).await;
    }
    trust(&world, BOB).await;
    world
}

/// What the author of ALICE's post is said to be, which her profile must say as well.
async fn shown(world: &World) -> Json {
    let posts = world.query("app.bsky.feed.getPosts", &[("uris", &uri(ALICE, POST, &key(1)))]).await;
    let author = posts["posts"][0]["author"]["verification"].clone();
    assert_eq!(author, of(world, ALICE).await);
    author
}

async fn of(world: &World, did: &str) -> Json {
    world.query("app.bsky.actor.getProfile", &[("actor", did)]).await["verification"].clone()
}

fn by_bob(valid: bool) -> Json {
    json!({"issuer": BOB, "issuerDisplayName": "Bob", "issuerHandle": "bob.example", "uri": uri(BOB, VERIFICATION, &key(5)),
        "isValid": valid, "createdAt": time(5)})
}

#[tokio::test]
async fn who_is_verified_by_a_trusted_account_is_shown_so() {
    let world = world().await;
    assert_eq!(shown(&world).await, json!({"verifications": [by_bob(true)], "verifiedStatus": "valid", "trustedVerifierStatus": "none"}));
    assert_eq!(of(&world, BOB).await, json!({"verifications": [], "verifiedStatus": "none", "trustedVerifierStatus": "valid"}));
    assert_eq!(of(&world, CAROL).await, Json::Null);
}

#[tokio::test]
async fn a_verification_holds_as_long_as_name_and_handle_are_what_they_were() {
    let mut world = world().await;
    let invalid = json!({"verifications": [by_bob(false)], "verifiedStatus": "invalid", "trustedVerifierStatus": "none"});
    let valid = shown(&world).await;
    world.put(ALICE, PROFILE, "self", &profile("Alison")).await;
    assert_eq!(shown(&world).await, invalid, "another name");
    world.put(ALICE, PROFILE, "self", &profile("Alice")).await;
    assert_eq!(shown(&world).await, valid);
    rename(&world, ALICE, "alison.example").await;
    assert_eq!(shown(&world).await, invalid, "another handle");
    world.put(BOB, VERIFICATION, &key(5), &verification(ALICE, "alison.example", "Alice", 5)).await;
    assert_eq!(shown(&world).await["verifiedStatus"], "valid", "the same verification, written anew");
    sql(&world, &format!("UPDATE account SET handle = NULL WHERE did = '{ALICE}'")).await;
    assert_eq!(shown(&world).await, Json::Null, "whose handle is not known");
}

/// All of it was shown before, and so is remembered.
#[tokio::test]
async fn who_is_trusted_and_verified_no_longer_is_so_at_once() {
    let mut world = world().await;
    assert_eq!(shown(&world).await["verifiedStatus"], "valid");
    sql(&world, "DELETE FROM trusted_verifier").await;
    assert_eq!((shown(&world).await, of(&world, BOB).await), (Json::Null, Json::Null));
    // Read anew while nobody is trusted, so that this is what is remembered.
    world.put(ALICE, PROFILE, "self", &profile("Alice")).await;
    assert_eq!(shown(&world).await, Json::Null);
    trust(&world, CAROL).await;
    assert_eq!(shown(&world).await["verifications"][0]["issuer"], CAROL);
    trust(&world, BOB).await;
    let both = shown(&world).await;
    assert_eq!((&both["verifications"][0]["issuer"], &both["verifications"][1]["issuer"]), (&json!(BOB), &json!(CAROL)));
    world.delete(BOB, VERIFICATION, &key(5)).await;
    assert_eq!(shown(&world).await["verifications"].as_array().unwrap().len(), 1);
    world.delete(CAROL, VERIFICATION, &key(6)).await;
    assert_eq!(shown(&world).await, Json::Null);
    world.put(BOB, VERIFICATION, &key(7), &verification(ALICE, "alice.example", "Alice", 7)).await;
    assert_eq!(shown(&world).await["verifications"][0]["uri"], uri(BOB, VERIFICATION, &key(7)));
    world.account(BOB, false, Some("deactivated")).await;
    let hidden = shown(&world).await["verifications"][0].clone();
    assert_eq!((&hidden["issuer"], hidden.get("issuerHandle"), hidden.get("issuerDisplayName")), (&json!(BOB), None, None));
}

#[tokio::test]
async fn an_impersonator_is_neither_verified_nor_trusted() {
    let mut world = world().await;
    world.account(MODERATION, true, None).await;
    let labels = format!(
        "WITH l AS (INSERT INTO labeler SELECT 0, id, 0, 0 FROM account WHERE did = '{MODERATION}'),
           v AS (INSERT INTO label_value (val) VALUES ('impersonation') RETURNING id)
         INSERT INTO label (sr, cts, sa, val, coll, labeler, neg) SELECT 0, 1, a.id, v.id, 0, 0, false FROM account a, v
         WHERE a.did IN ('{ALICE}', '{BOB}')"
    );
    assert_eq!(sql(&world, &labels).await, 2);
    let state = shown(&world).await;
    assert_eq!((&state["verifiedStatus"], &state["verifications"][0]["isValid"]), (&json!("invalid"), &json!(true)));
    assert_eq!(of(&world, BOB).await["trustedVerifierStatus"], "invalid");
}
