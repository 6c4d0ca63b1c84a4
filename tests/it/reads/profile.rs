//! `app.bsky.actor.getProfile`.

use appviewd::atproto::cbor::Value;
use serde_json::json;

use super::world::{ALICE, BOB, CAROL, World, blob, follow, key, post, reference, time, uri};

const GET: &str = "app.bsky.actor.getProfile";

fn labels(value: &str) -> Value {
    let values = Value::Array(vec![Value::map([("val", Value::text(value))])]);
    Value::map([("$type", Value::text("com.atproto.label.defs#selfLabels")), ("values", values)])
}

#[tokio::test]
async fn a_profile_shows_what_its_owner_wrote_and_exact_counts() {
    let mut world = World::start().await;
    let (avatar, avatar_cid) = blob("avatar", "image/png");
    let (banner, banner_cid) = blob("banner", "image/jpeg");
    let pinned = world.put(ALICE, "app.bsky.feed.post", &key(1), &post("one", 1, vec![])).await;
    world.put(ALICE, "app.bsky.feed.post", &key(2), &post("two", 2, vec![])).await;
    let pin = uri(ALICE, "app.bsky.feed.post", &key(1));
    let profile = Value::map([
        ("$type", Value::text("app.bsky.actor.profile")),
        ("displayName", Value::text("Alice <script>\0\u{1F600}")),
        ("description", Value::text("\"\\")),
        ("website", Value::text("https://alice.example")),
        ("avatar", avatar),
        ("banner", banner),
        ("labels", labels("!no-unauthenticated")),
        ("pinnedPost", reference(&pin, pinned)),
        ("createdAt", Value::text("2023-01-02T03:04:05+02:00")),
    ]);
    let cid = world.put(ALICE, "app.bsky.actor.profile", "self", &profile).await;
    for (did, subject, at) in [(BOB, ALICE, 3), (CAROL, ALICE, 4), (BOB, ALICE, 5), (ALICE, BOB, 6)] {
        world.put(did, "app.bsky.graph.follow", &key(at), &follow("app.bsky.graph.follow", subject, at)).await;
    }
    let list = Value::map([
        ("$type", Value::text("app.bsky.graph.list")),
        ("name", Value::text("l")),
        ("purpose", Value::text("app.bsky.graph.defs#curatelist")),
        ("createdAt", Value::text(time(7))),
    ]);
    world.put(ALICE, "app.bsky.graph.list", &key(7), &list).await;
    let view = world.query(GET, &[("actor", ALICE)]).await;
    let image = |preset, cid: appviewd::atproto::Cid| format!("https://appview.example/img/{preset}/plain/{ALICE}/{cid}@jpeg");
    let expected = json!({
        "did": ALICE, "handle": "handle.invalid", "displayName": "Alice <script>\0\u{1F600}", "description": "\"\\",
        "website": "https://alice.example", "avatar": image("avatar", avatar_cid), "banner": image("banner", banner_cid),
        "followersCount": 2, "followsCount": 1, "postsCount": 2, "createdAt": "2023-01-02T01:04:05.000Z",
        "indexedAt": "2023-01-02T01:04:05.000Z",
        "associated": {"lists": 1, "feedgens": 0, "starterPacks": 0, "labeler": false,
            "activitySubscription": {"allowSubscriptions": "followers"}},
        "pinnedPost": {"uri": pin, "cid": pinned.to_string()},
        "labels": [{"src": ALICE, "uri": uri(ALICE, "app.bsky.actor.profile", "self"), "cid": cid.to_string(),
            "val": "!no-unauthenticated", "cts": "2023-01-02T01:04:05.000Z"}],
    });
    assert_eq!(view, expected);
    // Known by an event of its own, without a profile.
    let bare = world.query(GET, &[("actor", CAROL)]).await;
    assert_eq!((&bare["did"], &bare["followsCount"], bare.get("displayName")), (&json!(CAROL), &json!(1), None));
}

#[tokio::test]
async fn hidden_and_unknown_accounts_have_named_errors() {
    let mut world = World::start().await;
    let ask = async |world: &World, actor: &str| world.try_query(GET, &[("actor", actor)]).await.error();
    let refused = |name: &str, text: &str| (400, name.to_owned(), text.to_owned());
    world.put(ALICE, "app.bsky.graph.follow", &key(1), &follow("app.bsky.graph.follow", BOB, 1)).await;
    for unknown in [BOB, CAROL, "alice.example"] {
        assert_eq!(ask(&world, unknown).await, refused("InvalidRequest", "Profile not found"), "{unknown}");
    }
    let texts = [
        ("takendown", "AccountTakedown", "Account has been suspended"),
        ("suspended", "AccountTakedown", "Account has been suspended"),
        ("deactivated", "AccountDeactivated", "Account is deactivated"),
        ("deleted", "InvalidRequest", "Profile not found"),
    ];
    for (status, name, text) in texts {
        world.account(ALICE, false, Some(status)).await;
        assert_eq!(ask(&world, ALICE).await, refused(name, text), "{status}");
    }
    world.account(ALICE, true, None).await;
    assert_eq!(world.query(GET, &[("actor", ALICE)]).await["did"], ALICE);
}
