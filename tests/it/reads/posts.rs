//! `app.bsky.feed.getPosts`: views, counts and embeds.

use appviewd::atproto::cbor::Value;
use serde_json::json;

use super::world::{ALICE, BOB, CAROL, World, blob, edge, key, post, reference, time, uri};

const GET: &str = "app.bsky.feed.getPosts";
const POST: &str = "app.bsky.feed.post";

fn embed(kind: &str, more: Vec<(&str, Value)>) -> Vec<(&'static str, Value)> {
    vec![("embed", Value::map(std::iter::once(("$type", Value::text(format!("app.bsky.embed.{kind}")))).chain(more)))]
}

fn images() -> Vec<(&'static str, Value)> {
    let ratio = Value::map([("width", Value::Int(4)), ("height", Value::Int(3))]);
    let image = Value::map([("image", blob("picture", "image/png").0), ("alt", Value::text("alt \"text\"")), ("aspectRatio", ratio)]);
    vec![("images", Value::Array(vec![image]))]
}

async fn view(world: &World, did: &str, at: i64) -> serde_json::Value {
    let output = world.query(GET, &[("uris", &uri(did, POST, &key(at)))]).await;
    output["posts"][0].clone()
}

#[tokio::test]
async fn posts_come_in_the_order_asked_for_with_exact_counts() {
    let mut world = World::start().await;
    let first = world.put(ALICE, POST, &key(1), &post("first \0 \u{1F469}\u{200D}\u{1F680}", 1, vec![])).await;
    let root = uri(ALICE, POST, &key(1));
    let reply = Value::map([("root", reference(&root, first)), ("parent", reference(&root, first))]);
    world.put(BOB, POST, &key(2), &post("reply", 2, vec![("reply", reply)])).await;
    world.put(BOB, POST, &key(3), &post("quote", 3, embed("record", vec![("record", reference(&root, first))]))).await;
    for (did, collection, at) in [
        (BOB, "app.bsky.feed.like", 4),
        (CAROL, "app.bsky.feed.like", 5),
        (CAROL, "app.bsky.feed.like", 6),
        (BOB, "app.bsky.feed.repost", 7),
    ] {
        world.put(did, collection, &key(at), &edge(collection, &root, first, at)).await;
    }
    let asked = [uri(BOB, POST, &key(2)), root.clone(), uri(BOB, POST, &key(99)), root.clone(), uri(BOB, "app.bsky.feed.like", &key(4))];
    let params: Vec<(&str, &str)> = asked.iter().map(|uri| ("uris", uri.as_str())).collect();
    let output = world.query(GET, &params).await;
    let posts = output["posts"].as_array().unwrap();
    assert_eq!(posts.iter().map(|p| p["uri"].as_str().unwrap()).collect::<Vec<_>>(), [asked[0].as_str(), root.as_str()]);
    let expected = json!({
        "uri": root, "cid": first.to_string(), "author": {"did": ALICE, "handle": "handle.invalid", "labels": [],
            "associated": {"activitySubscription": {"allowSubscriptions": "followers"}}},
        "record": {"$type": POST, "text": "first \0 \u{1F469}\u{200D}\u{1F680}", "createdAt": time(1)},
        "bookmarkCount": 0, "replyCount": 1, "repostCount": 1, "likeCount": 2, "quoteCount": 1, "indexedAt": time(1), "labels": [],
    });
    assert_eq!(posts[1], expected);
}

#[tokio::test]
async fn embeds_have_addresses_and_nest_twice() {
    let mut world = World::start().await;
    let picture = blob("picture", "image/png").1;
    let url = |preset: &str| format!("https://appview.example/img/{preset}/plain/{ALICE}/{picture}@jpeg");
    world.put(ALICE, POST, &key(1), &post("images", 1, embed("images", images()))).await;
    let view_images = json!({"$type": "app.bsky.embed.images#view", "images": [{"thumb": url("feed_thumbnail"),
        "fullsize": url("feed_fullsize"), "alt": "alt \"text\"", "aspectRatio": {"width": 4, "height": 3}}]});
    assert_eq!(view(&world, ALICE, 1).await["embed"], view_images);

    let card = Value::map([
        ("uri", Value::text("https://example.com/?a=<b>")),
        ("title", Value::text("t")),
        ("description", Value::text("")),
        ("thumb", blob("picture", "image/png").0),
    ]);
    let external = world.put(ALICE, POST, &key(2), &post("external", 2, embed("external", vec![("external", card)]))).await;
    let view_external = json!({"$type": "app.bsky.embed.external#view", "external": {"uri": "https://example.com/?a=<b>", "title": "t",
        "description": "", "thumb": url("feed_thumbnail")}});
    assert_eq!(view(&world, ALICE, 2).await["embed"], view_external);

    let (video, video_cid) = blob("video", "video/mp4");
    world.put(ALICE, POST, &key(3), &post("video", 3, embed("video", vec![("video", video), ("alt", Value::text("moves"))]))).await;
    let watch = format!("https://video.bsky.app/watch/{}/{video_cid}", ALICE.replace(':', "%3A"));
    let view_video = json!({"$type": "app.bsky.embed.video#view", "cid": video_cid.to_string(), "alt": "moves",
        "playlist": format!("{watch}/playlist.m3u8"), "thumbnail": format!("{watch}/thumbnail.jpg")});
    assert_eq!(view(&world, ALICE, 3).await["embed"], view_video);

    // 4 quotes 2 with pictures, 5 quotes 4, 6 quotes 5.
    let quoted = Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", reference(&uri(ALICE, POST, &key(2)), external))]);
    let media = Value::map(std::iter::once(("$type", Value::text("app.bsky.embed.images"))).chain(images()));
    let both =
        world.put(ALICE, POST, &key(4), &post("both", 4, embed("recordWithMedia", vec![("record", quoted), ("media", media)]))).await;
    let four = embed("record", vec![("record", reference(&uri(ALICE, POST, &key(4)), both))]);
    let five = world.put(BOB, POST, &key(5), &post("quote", 5, four)).await;
    let six = embed("record", vec![("record", reference(&uri(BOB, POST, &key(5)), five))]);
    world.put(CAROL, POST, &key(6), &post("quote of a quote", 6, six)).await;
    let embedded = view(&world, ALICE, 4).await["embed"].clone();
    assert_eq!((&embedded["$type"], &embedded["media"]), (&json!("app.bsky.embed.recordWithMedia#view"), &view_images));
    assert_eq!(embedded["record"]["record"]["embeds"], json!([view_external]));
    let outer = view(&world, CAROL, 6).await["embed"]["record"].clone();
    assert_eq!((&outer["uri"], &outer["author"]["did"]), (&json!(uri(BOB, POST, &key(5))), &json!(BOB)));
    let inner = &outer["embeds"][0]["record"];
    assert_eq!((&inner["uri"], inner.get("embeds")), (&json!(uri(ALICE, POST, &key(4))), None));
}

#[tokio::test]
async fn a_quote_of_what_is_gone_says_so() {
    let mut world = World::start().await;
    let cid = world.put(ALICE, POST, &key(1), &post("x", 1, vec![])).await;
    let target = uri(ALICE, POST, &key(1));
    world.put(BOB, POST, &key(2), &post("quote", 2, embed("record", vec![("record", reference(&target, cid))]))).await;
    let gone = json!({"$type": "app.bsky.embed.record#view", "record": {"$type": "app.bsky.embed.record#viewNotFound", "uri": target, "notFound": true}});
    assert_eq!(view(&world, BOB, 2).await["embed"]["record"]["$type"], "app.bsky.embed.record#viewRecord");
    world.account(ALICE, false, Some("deactivated")).await;
    assert_eq!(view(&world, BOB, 2).await["embed"], gone);
    assert_eq!(world.query(GET, &[("uris", &target)]).await, json!({"posts": []}));
    world.account(ALICE, true, None).await;
    assert_eq!(view(&world, BOB, 2).await["embed"]["record"]["uri"], target);
    world.delete(ALICE, POST, &key(1)).await;
    assert_eq!(view(&world, BOB, 2).await["embed"], gone);
}
