//! What accounts declare of themselves: what they are doing now, who may subscribe to them and write to them, and what else they have.

use std::time::{SystemTime, UNIX_EPOCH};

use appviewd::atproto::Cid;
use appviewd::atproto::cbor::Value;
use appviewd::atproto::datetime;
use serde_json::{Value as Json, json};

use super::world::{ALICE, BOB, World, blob, key, post, reference, time, uri};

const POST: &str = "app.bsky.feed.post";
const STATUS: &str = "app.bsky.actor.status";
const SUBSCRIPTIONS: &str = "app.bsky.notification.declaration";
const CHAT: &str = "chat.bsky.actor.declaration";
const GERM: &str = "com.germnetwork.declaration";
const LABELER: &str = "app.bsky.labeler.service";

fn record(collection: &str, fields: Vec<(&str, Value)>) -> Value {
    Value::map([("$type", Value::text(collection))].into_iter().chain(fields))
}

/// Microseconds since 1970 by the clock, with whole milliseconds as times are written.
fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap() * 1000
}

const MINUTE: i64 = 60_000_000;

fn live(began: i64, minutes: Option<i64>, more: Vec<(&str, Value)>) -> Value {
    let fields = vec![("status", Value::text("app.bsky.actor.status#live")), ("createdAt", Value::text(datetime::format_micros(began)))];
    let minutes = minutes.map(|minutes| ("durationMinutes", Value::Int(minutes)));
    record(STATUS, fields.into_iter().chain(minutes).chain(more).collect())
}

/// ALICE as author of a post, seen by `viewer` (`None`: nobody). Her own page must say the same of her status.
async fn alice(world: &World, viewer: Option<&str>) -> Json {
    let get = async |query: String| match viewer {
        Some(did) => world.get_as(did, &format!("/xrpc/{query}")).await.json(),
        None => world.get(&format!("/xrpc/{query}")).await.json(),
    };
    let author = get(format!("app.bsky.feed.getPosts?uris={}", uri(ALICE, POST, &key(1)))).await["posts"][0]["author"].clone();
    let profile = get(format!("app.bsky.actor.getProfile?actor={ALICE}")).await;
    assert_eq!(author["status"], profile["status"]);
    assert_eq!(author["associated"]["chat"], profile["associated"]["chat"]);
    author
}

async fn world() -> World {
    let mut world = World::start().await;
    world.put(ALICE, POST, &key(1), &post("x", 1, vec![])).await;
    assert_eq!(alice(&world, None).await["status"], Json::Null);
    world
}

#[tokio::test]
async fn a_status_is_shown_with_what_it_embeds_and_when_it_ends() {
    let mut world = world().await;
    let (thumb, picture) = blob("thumb", "image/png");
    let external = Value::map([
        ("uri", Value::text("https://live.example")),
        ("title", Value::text("Alice plays")),
        ("description", Value::text("")),
        ("thumb", thumb),
    ]);
    let embed = Value::map([("$type", Value::text("app.bsky.embed.external")), ("external", external)]);
    let began = now() - MINUTE;
    let cid = world.put(ALICE, STATUS, "self", &live(began, Some(30), vec![("embed", embed)])).await;
    let shown = alice(&world, None).await["status"].clone();
    let expected = json!({
        "uri": uri(ALICE, STATUS, "self"), "cid": cid.to_string(), "status": "app.bsky.actor.status#live", "record": shown["record"],
        "embed": {"$type": "app.bsky.embed.external#view", "external": {"uri": "https://live.example", "title": "Alice plays",
            "description": "", "thumb": format!("https://appview.example/img/feed_thumbnail/plain/{ALICE}/{picture}@jpeg")}},
        "labels": [], "expiresAt": datetime::format_micros(began + 30 * MINUTE), "isActive": true,
    });
    assert_eq!((&shown, &shown["record"]["durationMinutes"]), (&expected, &json!(30)));
    assert_eq!(alice(&world, Some(ALICE)).await["status"]["isDisabled"], json!(false), "its owner is told that it is not taken down");
    world.delete(ALICE, STATUS, "self").await;
    assert_eq!(alice(&world, None).await["status"], Json::Null);
}

#[tokio::test]
async fn a_status_holds_five_minutes_at_least_and_four_hours_at_most() {
    let mut world = world().await;
    for (ago, minutes, ends, active) in
        [(4, 1, 5, true), (6, 1, 5, false), (239, 9999, 240, true), (241, 9999, 240, false), (40, 30, 30, false)]
    {
        let began = now() - ago * MINUTE;
        world.put(ALICE, STATUS, "self", &live(began, Some(minutes), vec![])).await;
        let shown = alice(&world, None).await["status"].clone();
        let expected = (json!(datetime::format_micros(began + ends * MINUTE)), json!(active));
        assert_eq!((shown["expiresAt"].clone(), shown["isActive"].clone()), expected, "{minutes} minutes, {ago} ago");
    }
    world.put(ALICE, STATUS, "self", &live(now(), None, vec![])).await;
    let shown = alice(&world, None).await["status"].clone();
    assert_eq!((shown.get("expiresAt"), shown.get("isActive")), (None, None));
}

/// Nobody is live from now on until tomorrow. A clock that is a little ahead does no harm.
#[tokio::test]
async fn a_status_dated_in_the_future_does_not_hold_yet() {
    let mut world = world().await;
    for (ahead, active) in [(24 * 60, false), (6, false), (3, true)] {
        let began = now() + ahead * MINUTE;
        world.put(ALICE, STATUS, "self", &live(began, Some(30), vec![])).await;
        let shown = alice(&world, None).await["status"].clone();
        assert_eq!((&shown["isActive"], &shown["expiresAt"]), (&json!(active), &json!(datetime::format_micros(began + 30 * MINUTE))));
    }
}

#[tokio::test]
async fn a_status_that_was_taken_down_is_shown_to_its_owner_alone() {
    let mut world = world().await;
    world.put(ALICE, STATUS, "self", &live(now(), Some(30), vec![])).await;
    assert_eq!(alice(&world, None).await["status"]["isActive"], json!(true));
    let client = world.postgres.connect().await;
    client.batch_execute("INSERT INTO takedown_record SELECT rkey, author, coll, 1 FROM record_other WHERE coll = 16").await.unwrap();
    assert_eq!((&alice(&world, None).await["status"], &alice(&world, Some(BOB)).await["status"]), (&Json::Null, &Json::Null));
    assert_eq!(alice(&world, Some(ALICE)).await["status"]["isDisabled"], json!(true));
    client.batch_execute("DELETE FROM takedown_record").await.unwrap();
    assert_eq!(alice(&world, None).await["status"]["isActive"], json!(true));
}

/// Each is shown, and goes, as soon as it was written or deleted, though the account was shown before.
#[tokio::test]
async fn an_account_says_who_may_subscribe_and_write_to_it() {
    let mut world = world().await;
    let plain = json!({"activitySubscription": {"allowSubscriptions": "followers"}});
    assert_eq!(alice(&world, None).await["associated"], plain);
    let text = |value: &str| Value::text(value);
    world.put(ALICE, CHAT, "self", &record(CHAT, vec![("allowIncoming", text("following"))])).await;
    assert_eq!(alice(&world, None).await["associated"]["chat"], json!({"allowIncoming": "following"}));
    let both = vec![("allowIncoming", text("all")), ("allowGroupInvites", text("none"))];
    world.put(ALICE, CHAT, "self", &record(CHAT, both)).await;
    assert_eq!(alice(&world, None).await["associated"]["chat"], json!({"allowIncoming": "all", "allowGroupInvites": "none"}));
    for (said, shown) in [("mutuals", "mutuals"), ("none", "none"), ("whoever", "followers"), ("followers", "followers")] {
        world.put(ALICE, SUBSCRIPTIONS, "self", &record(SUBSCRIPTIONS, vec![("allowSubscriptions", text(said))])).await;
        assert_eq!(alice(&world, None).await["associated"]["activitySubscription"], json!({"allowSubscriptions": shown}), "{said}");
    }
    let button = Value::map([("messageMeUrl", text("https://germ.example/me")), ("showButtonTo", text("everyone"))]);
    let germ =
        |more| record(GERM, vec![("version", text("1.1.0")), ("currentKey", Value::Bytes(vec![3; 33]))].into_iter().chain(more).collect());
    world.put(ALICE, GERM, "self", &germ(Some(("messageMe", button)))).await;
    let shown = json!({"messageMeUrl": "https://germ.example/me", "showButtonTo": "everyone"});
    assert_eq!(alice(&world, None).await["associated"]["germ"], shown);
    world.put(ALICE, GERM, "self", &germ(None)).await;
    assert_eq!(alice(&world, None).await["associated"].get("germ"), None);
    let policies = Value::map([("labelValues", Value::Array(vec![]))]);
    world.put(ALICE, LABELER, "self", &record(LABELER, vec![("policies", policies), ("createdAt", text(&time(1)))])).await;
    assert_eq!(alice(&world, None).await["associated"]["labeler"], json!(true));
    for collection in [CHAT, SUBSCRIPTIONS, GERM, LABELER] {
        world.delete(ALICE, collection, "self").await;
    }
    assert_eq!(alice(&world, None).await["associated"], plain);
}

/// ALICE has a starter pack of BOB's, through which she came.
#[tokio::test]
async fn the_starter_pack_through_which_an_account_came_is_on_its_page() {
    let mut world = world().await;
    let pack = record(
        "app.bsky.graph.starterpack",
        vec![
            ("name", Value::text("Start")),
            ("list", Value::text(uri(BOB, "app.bsky.graph.list", &key(9)))),
            ("createdAt", Value::text(time(3))),
        ],
    );
    let of = uri(BOB, "app.bsky.graph.starterpack", &key(3));
    let cid = world.put(BOB, "app.bsky.graph.starterpack", &key(3), &pack).await;
    let profile = |of: &str, cid: Cid| record("app.bsky.actor.profile", vec![("joinedViaStarterPack", reference(of, cid))]);
    world.put(ALICE, "app.bsky.actor.profile", "self", &profile(&of, cid)).await;
    let joined = async |world: &World| world.query("app.bsky.actor.getProfile", &[("actor", ALICE)]).await["joinedViaStarterPack"].clone();
    let shown = joined(&world).await;
    assert_eq!((&shown["uri"], &shown["joinedAllTimeCount"], &shown["creator"]["did"]), (&json!(of), &json!(1), &json!(BOB)));
    let both = world.query("app.bsky.actor.getProfiles", &[("actors", ALICE), ("actors", BOB)]).await;
    assert_eq!((&both["profiles"][0]["joinedViaStarterPack"], both["profiles"][1].get("joinedViaStarterPack")), (&shown, None));
    world.account(BOB, false, Some("deactivated")).await;
    assert_eq!(joined(&world).await, Json::Null);
    world.account(BOB, true, None).await;
    world.put(ALICE, "app.bsky.actor.profile", "self", &profile(&uri(BOB, POST, &key(3)), cid)).await;
    assert_eq!(joined(&world).await, Json::Null, "what is no starter pack");
}
