//! Counts, gates, follows and blocks are remembered by the API, and shown as they are all the same.

use std::collections::HashSet;

use appviewd::atproto::cbor::Value;
use serde_json::{Value as Json, json};
use tokio_postgres::Client;

use super::world::{ALICE, BOB, World, edge, follow, key, post, time, uri};

const POST: &str = "app.bsky.feed.post";
const LIKE: &str = "app.bsky.feed.like";
const FOLLOW: &str = "app.bsky.graph.follow";
const BLOCK: &str = "app.bsky.graph.block";
const LIST: &str = "app.bsky.graph.list";
const THREADGATE: &str = "app.bsky.feed.threadgate";

async fn world() -> (World, String) {
    let mut world = World::with(|config| config.http.requests_per_second = 0).await;
    world.put(ALICE, POST, &key(1), &post("first", 1, vec![])).await;
    world.put(BOB, POST, &key(2), &post("second", 2, vec![])).await;
    (world, uri(ALICE, POST, &key(1)))
}

/// ALICE's post as it is shown twice, so that the second time it is remembered.
async fn shown(world: &World, reader: &str) -> Json {
    let path = format!("/xrpc/app.bsky.feed.getPosts?uris={}", uri(ALICE, POST, &key(1)));
    world.get_as(reader, &path).await;
    world.get_as(reader, &path).await.json()["posts"][0].clone()
}

async fn profile(world: &World) -> Json {
    let get = [("actor", ALICE)];
    world.query("app.bsky.actor.getProfile", &get).await;
    world.query("app.bsky.actor.getProfile", &get).await
}

#[tokio::test]
async fn the_counts_of_a_post_are_shown_as_they_are() {
    let (mut world, of) = world().await;
    let counts = |post: &Json| ["likeCount", "replyCount"].map(|count| post[count].as_i64().unwrap());
    let post_now = shown(&world, BOB).await;
    assert_eq!(counts(&post_now), [0, 0]);
    let cid = post_now["cid"].as_str().unwrap().parse().unwrap();
    for n in 1..4 {
        world.put(BOB, LIKE, &key(3), &edge(LIKE, &of, cid, 3)).await;
        assert_eq!(counts(&shown(&world, BOB).await), [1, n - 1]);
        let to = super::world::reference(&of, cid);
        let reply = Value::map([("root", to.clone()), ("parent", to)]);
        world.put(BOB, POST, &key(10 + n), &post("reply", 10 + n, vec![("reply", reply)])).await;
        assert_eq!(counts(&shown(&world, BOB).await), [1, n]);
        world.delete(BOB, LIKE, &key(3)).await;
        assert_eq!(counts(&shown(&world, BOB).await), [0, n]);
    }
}

#[tokio::test]
async fn the_counts_of_an_account_are_shown_as_they_are() {
    let (mut world, _) = world().await;
    let counts = |profile: &Json| ["followersCount", "postsCount"].map(|count| profile[count].as_i64().unwrap());
    assert_eq!(counts(&profile(&world).await), [0, 1]);
    world.put(BOB, FOLLOW, &key(3), &follow(FOLLOW, ALICE, 3)).await;
    assert_eq!(counts(&profile(&world).await), [1, 1]);
    world.put(ALICE, POST, &key(4), &post("more", 4, vec![])).await;
    assert_eq!(counts(&profile(&world).await), [1, 2]);
    world.delete(BOB, FOLLOW, &key(3)).await;
    assert_eq!(counts(&profile(&world).await), [0, 2]);
}

#[tokio::test]
async fn what_an_account_has_published_is_counted_as_it_is() {
    let (mut world, _) = world().await;
    let list = Value::map([
        ("$type", Value::text(LIST)),
        ("purpose", Value::text("app.bsky.graph.defs#curatelist")),
        ("name", Value::text("Those")),
        ("createdAt", Value::text(time(3))),
    ]);
    let lists = |profile: &Json| profile["associated"]["lists"].clone();
    assert_eq!(lists(&profile(&world).await), json!(0));
    world.put(ALICE, LIST, &key(3), &list).await;
    assert_eq!(lists(&profile(&world).await), json!(1));
    world.delete(ALICE, LIST, &key(3)).await;
    assert_eq!(lists(&profile(&world).await), json!(0));
}

#[tokio::test]
async fn the_gate_of_a_thread_is_shown_as_it_is() {
    let (mut world, of) = world().await;
    let gate = |allow: Option<Value>| {
        let mut fields = vec![("$type", Value::text(THREADGATE)), ("post", Value::text(&*of)), ("createdAt", Value::text(time(3)))];
        fields.extend(allow.map(|rules| ("allow", rules)));
        Value::map(fields)
    };
    assert_eq!(shown(&world, BOB).await["viewer"].get("replyDisabled"), None);
    world.put(ALICE, THREADGATE, &key(1), &gate(Some(Value::Array(vec![])))).await;
    assert_eq!(shown(&world, BOB).await["viewer"]["replyDisabled"], json!(true));
    world.put(ALICE, THREADGATE, &key(1), &gate(None)).await;
    assert_eq!(shown(&world, BOB).await["viewer"]["replyDisabled"], json!(false));
    world.delete(ALICE, THREADGATE, &key(1)).await;
    assert_eq!(shown(&world, BOB).await["viewer"].get("replyDisabled"), None);
}

/// How BOB is answered who asks for ALICE's feed.
async fn feed(world: &World) -> Json {
    let answer = world.get_as(BOB, &format!("/xrpc/app.bsky.feed.getAuthorFeed?actor={ALICE}")).await.json();
    answer.get("error").cloned().unwrap_or_else(|| json!(answer["feed"].as_array().unwrap().len()))
}

#[tokio::test]
async fn a_block_holds_at_once_and_ends_at_once() {
    let (mut world, _) = world().await;
    for _ in 0..2 {
        assert_eq!(feed(&world).await, json!(1));
        world.put(ALICE, BLOCK, &key(3), &follow(BLOCK, BOB, 3)).await;
        assert_eq!(feed(&world).await, json!("BlockedByActor"));
        world.put(BOB, BLOCK, &key(4), &follow(BLOCK, ALICE, 4)).await;
        assert_eq!(feed(&world).await, json!("BlockedActor"));
        world.delete(ALICE, BLOCK, &key(3)).await;
        assert_eq!(feed(&world).await, json!("BlockedActor"));
        world.delete(BOB, BLOCK, &key(4)).await;
    }
    assert_eq!(feed(&world).await, json!(1));
}

/// Whoever blocks hundreds is asked for each pair: one row more does not make the first ones be forgotten.
#[tokio::test]
async fn whoever_blocks_too_many_to_be_remembered_blocks_all_of_them() {
    let (world, _) = world().await;
    let client = world.postgres.connect().await;
    let id = |did: &str| format!("(SELECT id FROM account WHERE did = '{did}')");
    let many = format!("INSERT INTO block (rkey, author, subject) SELECT n, {}, 1000000 + n FROM generate_series(1, 300) n", id(ALICE));
    assert_eq!(feed(&world).await, json!(1));
    client.batch_execute(&many).await.unwrap();
    assert_eq!(feed(&world).await, json!(1));
    let one = format!("INSERT INTO block (rkey, author, subject) SELECT 7, {}, {}", id(ALICE), id(BOB));
    client.batch_execute(&one).await.unwrap();
    assert_eq!(feed(&world).await, json!("BlockedByActor"));
    client.batch_execute(&format!("DELETE FROM block WHERE subject = {}", id(BOB))).await.unwrap();
    assert_eq!(feed(&world).await, json!(1));
}

/// Whether BOB follows ALICE, and she him, as he is told.
async fn ties(world: &World) -> [bool; 2] {
    let profile = world.get_as(BOB, &format!("/xrpc/app.bsky.actor.getProfile?actor={ALICE}")).await.json();
    ["following", "followedBy"].map(|tie| profile["viewer"].get(tie).is_some())
}

#[tokio::test]
async fn who_follows_whom_is_told_as_it_is() {
    let (mut world, _) = world().await;
    for n in 0..2 {
        assert_eq!(ties(&world).await, [false, false]);
        world.put(BOB, FOLLOW, &key(3 + n), &follow(FOLLOW, ALICE, 3 + n)).await;
        assert_eq!(ties(&world).await, [true, false]);
        world.put(ALICE, FOLLOW, &key(5 + n), &follow(FOLLOW, BOB, 5 + n)).await;
        assert_eq!(ties(&world).await, [true, true]);
        world.delete(BOB, FOLLOW, &key(3 + n)).await;
        assert_eq!(ties(&world).await, [false, true]);
        world.delete(ALICE, FOLLOW, &key(5 + n)).await;
    }
}

/// BOB follows ALICE and an account of which there are enough posts and reposts to fill a page, and many more by his counts, so that his
/// timeline is picked from everyone's.
async fn busy() -> (World, Client, i32) {
    let (mut world, _) = world().await;
    let client = world.postgres.connect().await;
    world.put(BOB, FOLLOW, &key(3), &follow(FOLLOW, ALICE, 3)).await;
    let bob: i32 = client.query_one("SELECT id FROM account WHERE did = $1", &[&BOB]).await.unwrap().get(0);
    let filled = format!(
        "INSERT INTO account (id, did) OVERRIDING SYSTEM VALUE VALUES (901, 'did:plc:moreaaaaaaaaaaaaaaaaaaaa');
         INSERT INTO repo (account) VALUES (901);
         INSERT INTO post (rkey, author, flags, rec) SELECT rkey + n * 1024, 901, 0, rec FROM post, generate_series(1, 40) n WHERE author = {bob};
         INSERT INTO repost (rkey, author, sr, sa) SELECT rkey + n * 1024, 901, rkey, author FROM post, generate_series(1, 40) n WHERE author = {bob};
         INSERT INTO follow (rkey, author, subject) VALUES (5, {bob}, 901);
         UPDATE actor_stat SET follows = 400 WHERE account = {bob}"
    );
    client.batch_execute(&filled).await.unwrap();
    (world, client, bob)
}

/// How many posts of an account BOB's timeline shows.
async fn in_timeline(world: &World, did: &str) -> usize {
    let page = world.get_as(BOB, "/xrpc/app.bsky.feed.getTimeline?limit=20").await.json();
    let items = page["feed"].as_array().unwrap().clone();
    assert_eq!(items.len(), 20, "a full page, or it is not found by walking");
    items.iter().filter(|item| item["post"]["author"]["did"] == json!(did)).count()
}

#[tokio::test]
async fn the_timeline_of_who_follows_many_knows_at_once_whom_it_follows() {
    let (mut world, _, _) = busy().await;
    world.put(ALICE, POST, &key(5_000), &post("newest", 5_000, vec![])).await;
    for n in 0..2 {
        assert_eq!(in_timeline(&world, ALICE).await, 1);
        world.delete(BOB, FOLLOW, &key(3 + n)).await;
        assert_eq!(in_timeline(&world, ALICE).await, 0);
        world.put(BOB, FOLLOW, &key(4 + n), &follow(FOLLOW, ALICE, 4 + n)).await;
    }
    assert_eq!(in_timeline(&world, ALICE).await, 1);
}

/// A number that passes the sieve of a few accounts and is none of them, by the arithmetic of the statement.
fn stranger(followed: &[i32]) -> i32 {
    const BITS: i64 = 65_536;
    let places = |account: i64| [account % BITS, ((account * 2_654_435_769) >> 15) % BITS];
    let set: HashSet<i64> = followed.iter().flat_map(|account| places(i64::from(*account))).collect();
    let passes = |account: &i64| places(*account).iter().all(|place| set.contains(place));
    let candidates = set.iter().flat_map(|place| (1..32_768).map(move |n| place + n * BITS));
    candidates.filter(passes).find_map(|account| i32::try_from(account).ok()).expect("some pass")
}

#[tokio::test]
async fn a_stranger_who_passes_the_sieve_is_not_in_the_timeline() {
    let (world, client, bob) = busy().await;
    let alice: i32 = client.query_one("SELECT id FROM account WHERE did = $1", &[&ALICE]).await.unwrap().get(0);
    let (id, did) = (stranger(&[alice, bob, 901]), "did:plc:strangeraaaaaaaaaaaaaaaa");
    let posts = format!(
        "INSERT INTO account (id, did) OVERRIDING SYSTEM VALUE VALUES ({id}, '{did}');
         INSERT INTO repo (account) VALUES ({id});
         INSERT INTO post (rkey, author, flags, rec) SELECT rkey + 60 * 1024, {id}, 0, rec FROM post WHERE author = {bob}"
    );
    client.batch_execute(&posts).await.unwrap();
    assert_eq!(in_timeline(&world, did).await, 0);
    client.batch_execute(&format!("INSERT INTO follow (rkey, author, subject) VALUES (6, {bob}, {id})")).await.unwrap();
    assert_eq!(in_timeline(&world, did).await, 1, "it is there to be seen");
}
