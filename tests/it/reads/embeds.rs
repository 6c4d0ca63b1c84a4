//! Records inside posts that are no posts: lists, labelers and starter packs.

use appviewd::atproto::cbor::Value;
use appviewd::atproto::{Cid, Tid};
use serde_json::{Value as Json, json};

use super::world::{ALICE, BOB, CAROL, World, blob, edge, follow, key, post, reference, time, uri};

const POST: &str = "app.bsky.feed.post";
const LIKE: &str = "app.bsky.feed.like";
const BLOCK: &str = "app.bsky.graph.block";
const LIST: &str = "app.bsky.graph.list";
const ITEM: &str = "app.bsky.graph.listitem";
const LISTBLOCK: &str = "app.bsky.graph.listblock";
const PACK: &str = "app.bsky.graph.starterpack";
const LABELER: &str = "app.bsky.labeler.service";
const DAVE: &str = "did:plc:daveaaaaaaaaaaaaaaaaaaaa";
const EVE: &str = "did:plc:eveaaaaaaaaaaaaaaaaaaaaa";

fn record(collection: &str, at: i64, fields: Vec<(&str, Value)>) -> Value {
    let base = [("$type", Value::text(collection)), ("createdAt", Value::text(time(at)))];
    Value::map(base.into_iter().chain(fields))
}

fn list(fields: Vec<(&str, Value)>) -> Value {
    let base = vec![("name", Value::text("Birders")), ("purpose", Value::text("app.bsky.graph.defs#modlist"))];
    record(LIST, 2, base.into_iter().chain(fields).collect())
}

fn labeler() -> Value {
    let policies = Value::map([("labelValues", Value::Array(vec![Value::text("spam")]))]);
    let label = Value::Array(vec![Value::map([("val", Value::text("porn"))])]);
    let labels = Value::map([("$type", Value::text("com.atproto.label.defs#selfLabels")), ("values", label)]);
    record(LABELER, 3, vec![("policies", policies), ("labels", labels)])
}

fn pack() -> Value {
    record(PACK, 4, vec![("name", Value::text("Start here")), ("list", Value::text(uri(ALICE, LIST, &key(2))))])
}

/// ALICE's list, labeler and starter pack; BOB embeds them in posts 12, 13 and 14.
async fn world() -> (World, [(String, Cid); 3]) {
    let mut world = World::start().await;
    let mut things = Vec::new();
    for (collection, rkey, record) in [(LIST, key(2), list(vec![])), (LABELER, "self".to_owned(), labeler()), (PACK, key(4), pack())] {
        let cid = world.put(ALICE, collection, &rkey, &record).await;
        things.push((uri(ALICE, collection, &rkey), cid));
    }
    for (at, (uri, cid)) in (12..).zip(&things) {
        world.put(BOB, POST, &key(at), &post("look", at, vec![("embed", embed(uri, *cid))])).await;
    }
    (world, things.try_into().unwrap())
}

fn embed(uri: &str, cid: Cid) -> Value {
    Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", reference(uri, cid))])
}

/// What post `at` of BOB embeds, as `viewer` sees it.
async fn seen(world: &World, viewer: &str, at: i64) -> Json {
    let answer = world.get_as(viewer, &format!("/xrpc/app.bsky.feed.getPosts?uris={}", uri(BOB, POST, &key(at)))).await;
    let embed = answer.json()["posts"][0]["embed"].clone();
    assert_eq!(embed["$type"], "app.bsky.embed.record#view");
    embed["record"].clone()
}

async fn kinds(world: &World, viewer: &str) -> [String; 3] {
    let mut kinds = Vec::new();
    for at in 12..15 {
        kinds.push(seen(world, viewer, at).await["$type"].as_str().unwrap().to_owned());
    }
    kinds.try_into().unwrap()
}

const ALL: [&str; 3] = ["app.bsky.graph.defs#listView", "app.bsky.labeler.defs#labelerView", "app.bsky.graph.defs#starterPackViewBasic"];
const NOT_FOUND: [&str; 3] = ["app.bsky.embed.record#viewNotFound"; 3];
const BLOCKED: [&str; 3] = ["app.bsky.embed.record#viewBlocked"; 3];

#[tokio::test]
async fn a_list_embedded_in_a_post_is_shown_there() {
    let (mut world, _) = world().await;
    let (avatar, picture) = blob("picture", "image/png");
    let link = Value::map([("$type", Value::text("app.bsky.richtext.facet#link")), ("uri", Value::text("https://x.example"))]);
    let index = Value::map([("byteStart", Value::Int(0)), ("byteEnd", Value::Int(3))]);
    let facets = Value::Array(vec![Value::map([("index", index), ("features", Value::Array(vec![link]))])]);
    let fields = vec![("description", Value::text("see")), ("descriptionFacets", facets), ("avatar", avatar)];
    let cid = world.put(ALICE, LIST, &key(2), &list(fields)).await;
    let of = uri(ALICE, LIST, &key(2));
    for (at, subject) in [(20, BOB), (21, CAROL)] {
        let item = record(ITEM, at, vec![("list", Value::text(&*of)), ("subject", Value::text(subject))]);
        world.put(ALICE, ITEM, &key(at), &item).await;
    }
    let shown = seen(&world, BOB, 12).await;
    let mut expected = json!({
        "$type": "app.bsky.graph.defs#listView", "uri": of, "cid": cid.to_string(), "name": "Birders",
        "purpose": "app.bsky.graph.defs#modlist", "creator": shown["creator"], "description": "see", "labels": [], "listItemCount": 2,
        "descriptionFacets": [{"index": {"byteStart": 0, "byteEnd": 3},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://x.example"}]}],
        "avatar": format!("https://appview.example/img/avatar/plain/{ALICE}/{picture}@jpeg"),
        "viewer": {"muted": false}, "indexedAt": time(2),
    });
    assert_eq!((&shown, &shown["creator"]["did"]), (&expected, &json!(ALICE)));
    // Who mutes and blocks the list is told so, with the block's own address.
    world.put(BOB, LISTBLOCK, &key(22), &record(LISTBLOCK, 22, vec![("subject", Value::text(&*of))])).await;
    let client = world.postgres.connect().await;
    let muted = "INSERT INTO list_mute SELECT b.id, l.author, l.rkey, 1 FROM account b, record_other l WHERE b.did = $1 AND l.coll = 8";
    assert_eq!(client.execute(muted, &[&BOB]).await.unwrap(), 1);
    expected["viewer"] = json!({"muted": true, "blocked": uri(BOB, LISTBLOCK, &key(22))});
    assert_eq!(seen(&world, BOB, 12).await, expected);
    assert_eq!(seen(&world, EVE, 12).await["viewer"], json!({"muted": false}));
    let anybody = world.query("app.bsky.feed.getPosts", &[("uris", &uri(BOB, POST, &key(12)))]).await;
    assert_eq!(anybody["posts"][0]["embed"]["record"].get("viewer"), None);
}

#[tokio::test]
async fn a_labeler_embedded_in_a_post_is_shown_there() {
    let (mut world, [_, (of, cid), _]) = world().await;
    world.put(BOB, LIKE, &key(20), &edge(LIKE, &of, cid, 20)).await;
    world.put(CAROL, LIKE, &key(21), &edge(LIKE, &of, cid, 21)).await;
    let shown = seen(&world, BOB, 13).await;
    let expected = json!({
        "$type": "app.bsky.labeler.defs#labelerView", "uri": of, "cid": cid.to_string(), "creator": shown["creator"], "likeCount": 2,
        "viewer": {"like": uri(BOB, LIKE, &key(20))}, "indexedAt": time(3),
        "labels": [{"src": ALICE, "uri": of, "cid": cid.to_string(), "val": "porn", "cts": time(3)}],
    });
    assert_eq!((&shown, &shown["creator"]["did"]), (&expected, &json!(ALICE)));
    assert_eq!(seen(&world, ALICE, 13).await["viewer"], json!({}));
}

#[tokio::test]
async fn a_starter_pack_embedded_in_a_post_is_shown_there_with_who_came_through_it() {
    let (mut world, [_, _, (of, cid)]) = world().await;
    for did in [CAROL, DAVE] {
        let profile = record("app.bsky.actor.profile", 30, vec![("joinedViaStarterPack", reference(&of, cid))]);
        world.put(did, "app.bsky.actor.profile", "self", &profile).await;
    }
    let shown = seen(&world, BOB, 14).await;
    let record: Json = json!({
        "$type": PACK, "name": "Start here", "list": uri(ALICE, LIST, &key(2)), "createdAt": time(4),
    });
    let expected = json!({
        "$type": "app.bsky.graph.defs#starterPackViewBasic", "uri": of, "cid": cid.to_string(), "record": record,
        "creator": shown["creator"], "joinedAllTimeCount": 2, "joinedWeekCount": 0, "labels": [], "indexedAt": time(4),
    });
    assert_eq!((&shown, &shown["creator"]["did"]), (&expected, &json!(ALICE)));
    let client = world.postgres.connect().await;
    let lately = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros();
    let lately = Tid::from_micros(i64::try_from(lately).unwrap() - 6 * 24 * 3_600_000_000, 0).value();
    let moved = "UPDATE pack_join j SET time = $1 FROM account a WHERE a.id = j.author AND a.did = $2";
    assert_eq!(client.execute(moved, &[&lately, &DAVE]).await.unwrap(), 1);
    let shown = seen(&world, BOB, 14).await;
    assert_eq!((&shown["joinedAllTimeCount"], &shown["joinedWeekCount"]), (&json!(2), &json!(1)));
}

/// Also where its author and who embeds it block each other, and by whom nobody knows.
#[tokio::test]
async fn an_embedded_record_of_who_is_kept_apart_is_blocked() {
    let (mut world, _) = world().await;
    world.put(DAVE, POST, &key(40), &post("x", 40, vec![])).await;
    assert_eq!(kinds(&world, DAVE).await, ALL);
    world.put(DAVE, BLOCK, &key(41), &follow(BLOCK, ALICE, 41)).await;
    assert_eq!(kinds(&world, DAVE).await, BLOCKED);
    assert_eq!(kinds(&world, EVE).await, ALL);
    world.put(ALICE, BLOCK, &key(42), &follow(BLOCK, BOB, 42)).await;
    assert_eq!(kinds(&world, EVE).await, BLOCKED, "its author blocks who embeds it");
}

#[tokio::test]
async fn an_embedded_record_that_is_hidden_or_gone_is_not_found() {
    let (mut world, [(list, _), ..]) = world().await;
    let client = world.postgres.connect().await;
    assert_eq!(kinds(&world, BOB).await, ALL);
    let down = "INSERT INTO takedown_record SELECT rkey, author, coll, 1 FROM record_other WHERE coll IN (8, 9, 10)";
    assert_eq!(client.execute(down, &[]).await.unwrap(), 3);
    assert_eq!(kinds(&world, BOB).await, NOT_FOUND);
    client.batch_execute("DELETE FROM takedown_record").await.unwrap();
    world.account(ALICE, false, Some("deactivated")).await;
    assert_eq!(kinds(&world, BOB).await, NOT_FOUND);
    world.account(ALICE, true, None).await;
    assert_eq!(kinds(&world, BOB).await, ALL);
    for (collection, rkey) in [(LIST, key(2)), (LABELER, "self".to_owned()), (PACK, key(4))] {
        world.delete(ALICE, collection, &rkey).await;
    }
    assert_eq!(kinds(&world, BOB).await, NOT_FOUND);
    assert_eq!(seen(&world, BOB, 12).await, json!({"$type": NOT_FOUND[0], "uri": list, "notFound": true}));
}

/// One inside a quote, and one beside pictures.
#[tokio::test]
async fn an_embedded_record_is_shown_in_a_quote_and_with_media() {
    let (mut world, [(of, cid), ..]) = world().await;
    let bytes = world.query("app.bsky.feed.getPosts", &[("uris", &uri(BOB, POST, &key(14)))]).await;
    let quoted: Cid = bytes["posts"][0]["cid"].as_str().unwrap().parse().unwrap();
    world.put(BOB, POST, &key(50), &post("q", 50, vec![("embed", embed(&uri(BOB, POST, &key(14)), quoted))])).await;
    assert_eq!(seen(&world, EVE, 50).await["embeds"][0]["record"]["$type"], ALL[2]);
    let (image, _) = blob("picture", "image/png");
    let images = Value::Array(vec![Value::map([("image", image), ("alt", Value::text(""))])]);
    let media = Value::map([("$type", Value::text("app.bsky.embed.images")), ("images", images)]);
    let both = [("$type", Value::text("app.bsky.embed.recordWithMedia")), ("media", media), ("record", embed(&of, cid))];
    world.put(BOB, POST, &key(51), &post("m", 51, vec![("embed", Value::map(both))])).await;
    let shown = world.query("app.bsky.feed.getPosts", &[("uris", &uri(BOB, POST, &key(51)))]).await;
    assert_eq!(shown["posts"][0]["embed"]["record"]["record"]["$type"], ALL[0]);
}
