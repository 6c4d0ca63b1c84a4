//! Feed generators: their views, also inside posts, and feeds that their services put together.

use std::time::Duration;

use appviewd::atproto::cbor::Value;
use appviewd::atproto::jwt::{self, Claims};
use appviewd::atproto::{Cid, SigningKey};
use appviewd::sandbox::directory::{Account, FEEDS_DID, FEEDS_URL, Fault, Question};
use serde_json::{Value as Json, json};

use super::world::{ALICE, Answer, BOB, CAROL, World, blob, edge, follow, key, post, reference, time, uri};
use crate::support::sign_in;

const POST: &str = "app.bsky.feed.post";
const LIKE: &str = "app.bsky.feed.like";
const REPOST: &str = "app.bsky.feed.repost";
const BLOCK: &str = "app.bsky.graph.block";
const GENERATOR: &str = "app.bsky.feed.generator";
const FEED: &str = "/xrpc/app.bsky.feed.getFeed";
const OWN_KEY: [u8; 32] = [9; 32];

fn generator(fields: Vec<(&str, Value)>) -> Value {
    generator_of(FEEDS_DID, fields)
}

fn generator_of(did: &str, fields: Vec<(&str, Value)>) -> Value {
    let base = [
        ("$type", Value::text(GENERATOR)),
        ("did", Value::text(did)),
        ("displayName", Value::text("Birds")),
        ("createdAt", Value::text(time(1))),
    ];
    Value::map(base.into_iter().chain(fields))
}

/// ALICE has a feed whose service is the sandbox's, and it has two posts of BOB and a repost of one of them by CAROL.
async fn world_with(change: impl FnOnce(&mut appviewd::config::Config)) -> (World, String, Cid) {
    let mut world = World::with(change).await;
    world.directory.directory.add_feeds(SigningKey::from_bytes([1; 32]).unwrap().multibase());
    let cid = world.put(ALICE, GENERATOR, "birds", &generator(vec![])).await;
    let first = world.put(BOB, POST, &key(2), &post("bob 2", 2, vec![])).await;
    world.put(BOB, POST, &key(3), &post("bob 3", 3, vec![])).await;
    world.put(CAROL, REPOST, &key(4), &edge(REPOST, &uri(BOB, POST, &key(2)), first, 4)).await;
    (world, uri(ALICE, GENERATOR, "birds"), cid)
}

/// The same, with every host under `.test` where the directory is, as its `connect_to` in a test of `identity/`.
async fn world() -> (World, String, Cid) {
    world_with(detoured).await
}

fn detoured(config: &mut appviewd::config::Config) {
    let to = config.identity.plc_url.clone();
    config.net.connect_to = Some(format!("test={to}"));
}

fn bobs(at: i64) -> String {
    uri(BOB, POST, &key(at))
}

async fn answer(world: &World, feed: &str, query: &str, headers: &str) -> Answer {
    world.ask("GET", &format!("{FEED}?feed={feed}{query}"), headers).await
}

async fn texts(world: &World, feed: &str, headers: &str) -> Vec<String> {
    let answer = answer(world, feed, "", headers).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let text = |item: &Json| item["post"]["record"]["text"].as_str().unwrap().to_owned();
    answer.json()["feed"].as_array().unwrap().iter().map(text).collect()
}

/// A token of `did` for the generator, as hosts make it for `getFeed`; the directory knows the account.
fn for_generator(world: &World, did: &str) -> String {
    world.bearer(did, FEED);
    let claims = sign_in::claims(did, "/xrpc/app.bsky.feed.getFeedSkeleton");
    format!("Bearer {}", jwt::issue(&Claims { aud: FEEDS_DID.to_owned(), ..claims }, &sign_in::key(did)))
}

#[tokio::test]
async fn a_generator_is_shown_with_its_likes_and_the_viewer_s() {
    let mut world = World::start().await;
    world.directory.directory.add_feeds("z".to_owned());
    let (avatar, picture) = blob("picture", "image/png");
    let link = Value::map([("$type", Value::text("app.bsky.richtext.facet#link")), ("uri", Value::text("https://x.example"))]);
    let index = Value::map([("byteStart", Value::Int(0)), ("byteEnd", Value::Int(3))]);
    let facets = Value::Array(vec![Value::map([("index", index), ("features", Value::Array(vec![link]))])]);
    let record = generator(vec![
        ("description", Value::text("see")),
        ("descriptionFacets", facets),
        ("avatar", avatar),
        ("acceptsInteractions", Value::Bool(true)),
        ("contentMode", Value::text("app.bsky.feed.defs#contentModeVideo")),
    ]);
    let cid = world.put(ALICE, GENERATOR, "birds", &record).await;
    let of = uri(ALICE, GENERATOR, "birds");
    world.put(BOB, LIKE, &key(5), &edge(LIKE, &of, cid, 5)).await;
    world.put(CAROL, LIKE, &key(6), &edge(LIKE, &of, cid, 6)).await;
    let output = world.query("app.bsky.feed.getFeedGenerator", &[("feed", &of)]).await;
    let expected = json!({
        "uri": of, "cid": cid.to_string(), "did": FEEDS_DID, "creator": {"did": ALICE, "handle": "handle.invalid", "labels": [],
            "associated": {"activitySubscription": {"allowSubscriptions": "followers"}}},
        "displayName": "Birds", "description": "see", "likeCount": 2, "acceptsInteractions": true, "labels": [],
        "descriptionFacets": [{"index": {"byteStart": 0, "byteEnd": 3},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://x.example"}]}],
        "avatar": format!("https://appview.example/img/avatar/plain/{ALICE}/{picture}@jpeg"),
        "contentMode": "app.bsky.feed.defs#contentModeVideo", "indexedAt": time(1),
    });
    assert_eq!(output, json!({"view": expected, "isOnline": true, "isValid": true}));
    let path = format!("/xrpc/app.bsky.feed.getFeedGenerators?feeds={of}");
    let view = world.get_as(BOB, &path).await.json()["feeds"][0].clone();
    assert_eq!(view["viewer"], json!({"like": uri(BOB, LIKE, &key(5))}));
    assert_eq!(world.get_as(ALICE, &path).await.json()["feeds"][0]["viewer"], json!({}));
}

#[tokio::test]
async fn generators_come_in_the_order_asked_for_without_those_that_are_hidden_or_gone() {
    let (mut world, birds, _) = world().await;
    world.put(BOB, GENERATOR, &key(9), &generator(vec![])).await;
    let (other, nowhere) = (uri(BOB, GENERATOR, &key(9)), uri(ALICE, GENERATOR, "fish"));
    let asked = [("feeds", &*other), ("feeds", &*nowhere), ("feeds", &*birds), ("feeds", &*birds)];
    let uris = async |world: &World| {
        let output = world.query("app.bsky.feed.getFeedGenerators", &asked).await;
        output["feeds"].as_array().unwrap().iter().map(|feed| feed["uri"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(uris(&world).await, [&*other, &*birds, &*birds]);
    world.account(BOB, false, Some("deactivated")).await;
    assert_eq!(uris(&world).await, [&*birds, &*birds]);
    let client = world.postgres.connect().await;
    client.batch_execute("INSERT INTO takedown_record SELECT rkey, author, coll, 1 FROM record_other WHERE coll = 7").await.unwrap();
    assert_eq!(uris(&world).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_generator_that_is_not_there_or_has_no_service_is_refused_in_known_words() {
    let (mut world, birds, _) = world().await;
    let invalid = |message: String| (400, "InvalidRequest".to_owned(), message);
    for nsid in ["app.bsky.feed.getFeedGenerator", "app.bsky.feed.getFeed"] {
        let nowhere = uri(ALICE, GENERATOR, "fish");
        assert_eq!(world.try_query(nsid, &[("feed", &nowhere)]).await.error(), invalid("could not find feed".to_owned()), "{nsid}");
    }
    let unknown = "did:plc:nobodyaaaaaaaaaaaaaaaaaa";
    let serviceless = "did:plc:noserviceaaaaaaaaaaaaaaa";
    world.directory.directory.set(serviceless, Account::new(None, "z".to_owned()));
    for (rkey, did, message) in [
        ("a", unknown, format!("could not resolve identity: {unknown}")),
        ("b", serviceless, format!("invalid feed generator service details in did document: {serviceless}")),
    ] {
        let record = generator_of(did, vec![]);
        world.put(ALICE, GENERATOR, rkey, &record).await;
        let of = uri(ALICE, GENERATOR, rkey);
        for nsid in ["app.bsky.feed.getFeedGenerator", "app.bsky.feed.getFeed"] {
            assert_eq!(world.try_query(nsid, &[("feed", &of)]).await.error(), invalid(message.clone()), "{nsid}");
        }
    }
    world.directory.directory.go_away();
    let fresh = world.try_query("app.bsky.feed.getFeed", &[("feed", &birds)]).await.error();
    assert_eq!(fresh, (502, "UpstreamFailure".to_owned(), "feed unavailable".to_owned()));
}

#[tokio::test]
async fn a_generator_embedded_in_a_post_is_shown_there() {
    let (mut world, birds, cid) = world().await;
    let embed = || Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", reference(&birds, cid))]);
    world.put(BOB, POST, &key(10), &post("look", 10, vec![("embed", embed())])).await;
    let path = format!("/xrpc/app.bsky.feed.getPosts?uris={}", bobs(10));
    let shown = async |world: &World, viewer: &str| world.get_as(viewer, &path).await.json()["posts"][0]["embed"].clone();
    let embed = shown(&world, BOB).await;
    assert_eq!(
        (&embed["$type"], &embed["record"]["$type"]),
        (&json!("app.bsky.embed.record#view"), &json!("app.bsky.feed.defs#generatorView"))
    );
    assert_eq!((&embed["record"]["uri"], &embed["record"]["creator"]["did"]), (&json!(birds), &json!(ALICE)));
    let dave = "did:plc:daveaaaaaaaaaaaaaaaaaaaa";
    world.put(dave, POST, &key(11), &post("x", 11, vec![])).await;
    world.put(dave, BLOCK, &key(12), &follow(BLOCK, ALICE, 12)).await;
    assert_eq!(shown(&world, dave).await["record"]["$type"], "app.bsky.embed.record#viewBlocked", "who blocks its owner");
    world.put(ALICE, BLOCK, &key(13), &follow(BLOCK, BOB, 13)).await;
    let other = "did:plc:erinaaaaaaaaaaaaaaaaaaaa";
    assert_eq!(shown(&world, other).await["record"]["$type"], "app.bsky.embed.record#viewBlocked", "whose owner blocks the author");
    world.delete(ALICE, BLOCK, &key(13)).await;
    world.delete(ALICE, GENERATOR, "birds").await;
    assert_eq!(shown(&world, BOB).await["record"]["$type"], "app.bsky.embed.record#viewNotFound");
}

#[tokio::test]
async fn a_feed_is_what_its_generator_says_with_its_contexts_and_reasons() {
    let (world, birds, _) = world().await;
    let repost = json!({"$type": "app.bsky.feed.defs#skeletonReasonRepost", "repost": uri(CAROL, REPOST, &key(4))});
    let pin = json!({"$type": "app.bsky.feed.defs#skeletonReasonPin"});
    let wrong = json!({"$type": "app.bsky.feed.defs#skeletonReasonRepost", "repost": uri(CAROL, REPOST, &key(99))});
    let feed = json!({"cursor": "next", "reqId": "request 1", "feed": [
        {"post": bobs(3), "reason": pin, "feedContext": "c"},
        {"post": bobs(2), "reason": repost},
        {"post": bobs(3), "reason": repost},
        {"post": bobs(3), "reason": wrong},
        {"post": bobs(99)},
        {"post": bobs(2), "reason": {"$type": "com.example.reason"}},
    ]});
    world.directory.directory.feeds.set(&birds, feed);
    let output = answer(&world, &birds, "", "").await.json();
    let shown = |item: &Json| (item["post"]["record"]["text"].clone(), item["reason"]["$type"].clone(), item["feedContext"].clone());
    let items: Vec<_> = output["feed"].as_array().unwrap().iter().map(shown).collect();
    let expected = [
        (json!("bob 3"), json!("app.bsky.feed.defs#reasonPin"), json!("c")),
        (json!("bob 2"), json!("app.bsky.feed.defs#reasonRepost"), Json::Null),
        (json!("bob 2"), Json::Null, Json::Null),
    ];
    assert_eq!(items, expected, "a repost that is not there, or of another post, is not shown");
    assert_eq!(output["feed"][1]["reason"]["by"]["did"], CAROL);
    assert!(output["feed"].as_array().unwrap().iter().all(|item| item["reqId"] == "request 1"));
    assert_eq!(output["cursor"], "next");
}

#[tokio::test]
async fn a_feed_is_not_filled_up_and_its_cursor_goes_through() {
    let (world, birds, _) = world().await;
    let feeds = &world.directory.directory.feeds;
    feeds.set(&birds, json!({"cursor": "2", "feed": [{"post": bobs(98)}, {"post": bobs(2)}, {"post": bobs(3)}]}));
    let output = answer(&world, &birds, "&limit=2&cursor=a%26b%20c", "").await.json();
    assert_eq!((output["feed"].as_array().unwrap().len(), &output["cursor"]), (1, &json!("2")), "cut to what was asked for, then hidden");
    let asked = feeds.last().unwrap();
    assert_eq!((asked.feed, asked.limit, asked.cursor), (birds.clone(), Some(2), Some("a&b c".to_owned())));
    assert_eq!(world.directory.directory.asked(Question::Feed, &birds), 1);
    assert_eq!(answer(&world, &birds, "&cursor=2", "").await.json().get("cursor"), None, "one that leads to itself ends");
    feeds.set(&birds, json!({"cursor": "3", "feed": []}));
    assert_eq!(answer(&world, &birds, "", "").await.json(), json!({"feed": []}), "a page of nothing is the last");
}

#[tokio::test]
async fn mutes_and_blocks_hold_in_a_generated_feed() {
    let (mut world, birds, _) = world().await;
    world.directory.directory.feeds.set(&birds, json!({"feed": [{"post": bobs(2)}, {"post": bobs(3)}]}));
    let token = format!("authorization: {}\r\n", for_generator(&world, ALICE));
    assert_eq!(texts(&world, &birds, &token).await, ["bob 2", "bob 3"]);
    world.put(ALICE, BLOCK, &key(20), &follow(BLOCK, BOB, 20)).await;
    assert_eq!(texts(&world, &birds, &token).await, Vec::<String>::new());
    assert_eq!(texts(&world, &birds, "").await, ["bob 2", "bob 3"], "for nobody in particular");
}

#[tokio::test]
async fn the_caller_s_token_goes_to_the_generator_only_where_it_is_made_for_it() {
    let (world, birds, _) = world().await;
    let feeds = &world.directory.directory.feeds;
    feeds.offer(&birds);
    feeds.post(&bobs(2));
    let token = for_generator(&world, ALICE);
    let headers = format!("authorization: {token}\r\naccept-language: pt-BR\r\nx-bsky-topics: birds\r\ncookie: secret\r\n");
    let told = answer(&world, &birds, "", &headers).await;
    assert_eq!((&told.json()["feed"][0]["feedContext"], told.header("content-language")), (&json!(format!("for {ALICE}")), Some("pt-BR")));
    let asked = feeds.last().unwrap();
    assert_eq!((asked.authorization, asked.language.as_deref(), asked.topics.as_deref()), (Some(token), Some("pt-BR"), Some("birds")));
    // One that is for this service would let the generator speak as the caller here.
    let ours = world.bearer(ALICE, FEED);
    assert_eq!(answer(&world, &birds, "", &ours).await.status, 200);
    assert_eq!(feeds.last().unwrap().authorization, None);
}

#[tokio::test]
async fn a_generator_gets_a_token_of_this_service_where_the_caller_brought_none() {
    let (world, birds, _) = world_with(|config| {
        detoured(config);
        config.service.signing_key = Some("09".repeat(32));
    })
    .await;
    let own = SigningKey::from_bytes(OWN_KEY).unwrap();
    world.directory.directory.set(sign_in::SERVICE, Account::new(None, own.multibase()));
    world.directory.directory.feeds.offer(&birds);
    world.directory.directory.feeds.post(&bobs(2));
    let output = answer(&world, &birds, "", "").await.json();
    assert_eq!(output["feed"][0]["feedContext"], json!(format!("for {}", sign_in::SERVICE)), "the generator has checked it");
}

#[tokio::test]
async fn a_generator_that_does_not_believe_this_service_is_asked_as_nobody() {
    let (world, birds, _) = world_with(|config| {
        detoured(config);
        config.service.signing_key = Some("09".repeat(32));
    })
    .await;
    let directory = &world.directory.directory;
    directory.feeds.offer(&birds);
    directory.feeds.post(&bobs(2));
    let context = async |headers: &str| answer(&world, &birds, "", headers).await.json()["feed"][0]["feedContext"].clone();
    assert_eq!(context("").await, "for nobody", "no directory has its key");
    directory.fault(Question::Feed, &birds, Fault::Status(401));
    let token = format!("authorization: {}\r\n", for_generator(&world, ALICE));
    let before = directory.asked(Question::Feed, &birds);
    assert_eq!(answer(&world, &birds, "", &token).await.status, 502);
    assert_eq!(directory.asked(Question::Feed, &birds) - before, 1, "a caller who is refused is not shown what nobody is");
}

#[tokio::test]
async fn what_is_no_feed_is_refused_with_its_name() {
    let (world, birds, _) = world().await;
    let (directory, of) = (&world.directory.directory, &birds);
    assert_eq!(answer(&world, of, "", "").await.error().1, "UnknownFeed", "in the generator's own words");
    for wrong in [json!({"feed": [{"post": "x"}]}), json!({}), json!([]), json!({"feed": [], "reqId": 7})] {
        directory.feeds.set(of, wrong.clone());
        let refused = answer(&world, of, "", "").await.error();
        assert_eq!((refused.0, refused.1.as_str()), (502, "InvalidFeedResponse"), "{wrong}");
    }
    for (fault, name) in [(Fault::Garbage, "InvalidFeedResponse"), (Fault::Long(2 << 20), "InvalidFeedResponse")] {
        directory.fault(Question::Feed, of, fault);
        assert_eq!(answer(&world, of, "", "").await.error().1, name);
    }
    directory.fault(Question::Feed, of, Fault::Redirect("http://127.0.0.1:1/".to_owned()));
    assert_eq!(answer(&world, of, "", "").await.error().1, "UpstreamFailure", "no redirect is followed");
    directory.fault(Question::Feed, of, Fault::Status(503));
    let refused = answer(&world, of, "", "").await.error();
    assert_eq!((refused.0, refused.1.as_str(), refused.2.as_str()), (502, "UpstreamFailure", "feed unavailable"));
}

#[tokio::test]
async fn a_generator_that_does_not_answer_is_given_up_and_holds_no_connection() {
    let (world, birds, _) = world().await;
    world.directory.directory.fault(Question::Feed, &birds, Fault::Slow(Duration::from_mins(1)));
    let began = std::time::Instant::now();
    let slow = answer(&world, &birds, "", "");
    let others = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let began = std::time::Instant::now();
        for _ in 0..20 {
            world.query("app.bsky.feed.getPosts", &[("uris", &bobs(2))]).await;
        }
        began.elapsed()
    };
    let (refused, others) = tokio::join!(slow, others);
    assert_eq!(refused.error(), (502, "UpstreamFailure".to_owned(), "feed unavailable".to_owned()));
    assert!(began.elapsed() < Duration::from_secs(14) && others < Duration::from_secs(5), "{others:?}");
}

#[tokio::test]
async fn a_generator_cannot_be_inside() {
    // Without the detour its host is this machine, which no stranger may name.
    let (world, birds, _) = world_with(|_| ()).await;
    let inside = format!("http://localhost:{}", world.directory.port());
    world.directory.directory.change(FEEDS_DID, |account| account.services = vec![("#bsky_fg", "BskyFeedGenerator", inside)]);
    world.directory.directory.feeds.set(&birds, json!({"feed": []}));
    assert_eq!(answer(&world, &birds, "", "").await.error().1, "UpstreamFailure");
    assert_eq!(world.directory.directory.asked(Question::Feed, &birds), 0);
    assert!(FEEDS_URL.starts_with("https://"));
}
