//! What the one who reads has made of others, and others of each other: what is told of it, and what it hides.

use appviewd::atproto::Cid;
use appviewd::atproto::cbor::Value;
use serde_json::json;

use super::world::{ALICE, BOB, CAROL, World, edge, follow, key, post, reference, time, uri};

/// Reads, and has made nothing of anyone. (An account of the directory: only those can sign in.)
const EVE: &str = "did:plc:eveaaaaaaaaaaaaaaaaaaaaa";
const POST: &str = "app.bsky.feed.post";
const LIKE: &str = "app.bsky.feed.like";
const REPOST: &str = "app.bsky.feed.repost";
const FOLLOW: &str = "app.bsky.graph.follow";
const BLOCK: &str = "app.bsky.graph.block";
const LIST: &str = "app.bsky.graph.list";
const ITEM: &str = "app.bsky.graph.listitem";
const LISTBLOCK: &str = "app.bsky.graph.listblock";

fn reply(to: (&str, Cid)) -> Vec<(&'static str, Value)> {
    vec![("reply", Value::map([("root", reference(to.0, to.1)), ("parent", reference(to.0, to.1))]))]
}

fn quote(of: (&str, Cid)) -> Vec<(&'static str, Value)> {
    vec![("embed", Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", reference(of.0, of.1))]))]
}

/// A moderation list of `owner` with one member.
async fn list(world: &mut World, owner: &str, member: &str) -> String {
    list_for(world, owner, member, "modlist").await
}

async fn list_for(world: &mut World, owner: &str, member: &str, purpose: &str) -> String {
    let list = Value::map([
        ("$type", Value::text(LIST)),
        ("name", Value::text("Bad")),
        ("purpose", Value::text(format!("app.bsky.graph.defs#{purpose}"))),
        ("createdAt", Value::text(time(1))),
    ]);
    world.put(owner, LIST, &key(1), &list).await;
    let uri = uri(owner, LIST, &key(1));
    let item = [("$type", Value::text(ITEM)), ("list", Value::text(&*uri)), ("subject", Value::text(member))];
    world.put(owner, ITEM, &key(2), &Value::map(item.into_iter().chain([("createdAt", Value::text(time(2)))]))).await;
    uri
}

async fn block_list(world: &mut World, did: &str, list: &str) {
    let block = [("$type", Value::text(LISTBLOCK)), ("subject", Value::text(list)), ("createdAt", Value::text(time(3)))];
    world.put(did, LISTBLOCK, &key(3), &Value::map(block)).await;
}

/// Each has a post, so that each is known.
async fn three() -> (World, [(String, Cid); 3]) {
    let mut world = World::start().await;
    let mut posts = Vec::new();
    for (n, did) in [ALICE, BOB, CAROL].into_iter().enumerate() {
        let n = i64::try_from(n).unwrap();
        let cid = world.put(did, POST, &key(n), &post(&format!("post {n}"), n, vec![])).await;
        posts.push((uri(did, POST, &key(n)), cid));
    }
    (world, posts.try_into().unwrap())
}

async fn profile(world: &World, viewer: &str, of: &str) -> serde_json::Value {
    world.get_as(viewer, &format!("/xrpc/app.bsky.actor.getProfile?actor={of}")).await.json()["viewer"].clone()
}

async fn feed(world: &World, viewer: &str, of: &str) -> serde_json::Value {
    world.get_as(viewer, &format!("/xrpc/app.bsky.feed.getAuthorFeed?actor={of}")).await.json()
}

#[tokio::test]
async fn a_viewer_is_told_what_it_made_of_accounts_and_posts() {
    let (mut world, [_, (bobs, cid), _]) = three().await;
    assert_eq!(profile(&world, ALICE, BOB).await, json!({"muted": false, "blockedBy": false}));
    assert_eq!(profile(&world, ALICE, ALICE).await, json!({"muted": false, "blockedBy": false}), "nobody follows themselves");
    world.put(ALICE, FOLLOW, &key(10), &follow(FOLLOW, BOB, 10)).await;
    world.put(BOB, FOLLOW, "self-made", &follow(FOLLOW, ALICE, 11)).await;
    world.put(ALICE, LIKE, &key(12), &edge(LIKE, &bobs, cid, 12)).await;
    world.put(ALICE, REPOST, &key(13), &edge(REPOST, &bobs, cid, 13)).await;
    let (following, followed_by) = (uri(ALICE, FOLLOW, &key(10)), uri(BOB, FOLLOW, "self-made"));
    let expected = json!({"muted": false, "blockedBy": false, "following": following, "followedBy": followed_by});
    assert_eq!(profile(&world, ALICE, BOB).await, expected);
    let path = format!("/xrpc/app.bsky.feed.getPosts?uris={bobs}");
    let post = world.get_as(ALICE, &path).await.json()["posts"][0].clone();
    let (like, repost) = (uri(ALICE, LIKE, &key(12)), uri(ALICE, REPOST, &key(13)));
    assert_eq!((&post["viewer"]["like"], &post["viewer"]["repost"]), (&json!(like), &json!(repost)));
    assert_eq!(post["author"]["viewer"]["following"], json!(following));
    assert_eq!(world.get_as(EVE, &path).await.json()["posts"][0]["viewer"]["like"], json!(null), "another one did not like it");
    assert_eq!(world.get(&path).await.json()["posts"][0]["viewer"], json!(null), "nobody in particular has a view");
    assert_eq!(world.get_as("did:plc:nevermetaaaaaaaaaaaaaaaa", &path).await.json()["posts"][0]["author"]["viewer"]["muted"], json!(false));
}

#[tokio::test]
async fn a_block_is_told_and_hides_follows_on_both_sides() {
    let (mut world, _) = three().await;
    world.put(ALICE, FOLLOW, &key(10), &follow(FOLLOW, BOB, 10)).await;
    world.put(ALICE, BLOCK, &key(11), &follow(BLOCK, BOB, 11)).await;
    assert_eq!(profile(&world, ALICE, BOB).await, json!({"muted": false, "blockedBy": false, "blocking": uri(ALICE, BLOCK, &key(11))}));
    assert_eq!(profile(&world, BOB, ALICE).await, json!({"muted": false, "blockedBy": true}));
    assert_eq!(profile(&world, EVE, BOB).await, json!({"muted": false, "blockedBy": false}));
}

#[tokio::test]
async fn a_blocked_list_blocks_its_members_as_long_as_it_stands() {
    let (mut world, _) = three().await;
    let list = list(&mut world, CAROL, BOB).await;
    block_list(&mut world, ALICE, &list).await;
    let viewer = profile(&world, ALICE, BOB).await;
    assert_eq!((&viewer["blocking"], &viewer["blockingByList"]["uri"]), (&json!(list), &json!(list)), "{viewer}");
    assert_eq!((&viewer["blockingByList"]["name"], &viewer["blockingByList"]["listItemCount"]), (&json!("Bad"), &json!(1)));
    assert_eq!(profile(&world, BOB, ALICE).await["blockedBy"], json!(true));
    assert_eq!(feed(&world, BOB, ALICE).await["error"], json!("BlockedByActor"));
    world.account(CAROL, false, Some("takendown")).await;
    assert_eq!(profile(&world, ALICE, BOB).await["blocking"], json!(null), "its owner is taken down");
    world.account(CAROL, true, None).await;
    world.delete(CAROL, LIST, &key(1)).await;
    assert_eq!(profile(&world, BOB, ALICE).await["blockedBy"], json!(false), "the list is gone");
}

#[tokio::test]
async fn a_list_that_is_to_be_read_blocks_and_mutes_nobody() {
    for (purpose, holds) in [("modlist", true), ("curatelist", false)] {
        let (mut world, [(alices, cid), ..]) = three().await;
        let list = list_for(&mut world, CAROL, BOB, purpose).await;
        block_list(&mut world, ALICE, &list).await;
        let mute = format!(
            "INSERT INTO list_mute (account, sa, sr, time) SELECT a.id, l.author, l.rkey, 1 FROM account a, record_other l
             WHERE a.did = '{EVE}' AND l.coll = {}",
            appviewd::collection::Coll::LIST.number()
        );
        world.put(EVE, POST, &key(9), &post("eve", 9, vec![])).await;
        assert_eq!(world.postgres.connect().await.execute(&mute, &[]).await.unwrap(), 1);
        assert_eq!(profile(&world, ALICE, BOB).await["blocking"].is_string(), holds, "{purpose}");
        assert_eq!(profile(&world, BOB, ALICE).await["blockedBy"], json!(holds), "{purpose}");
        let eves = profile(&world, EVE, BOB).await;
        assert_eq!((&eves["muted"], eves["mutedByList"].is_object()), (&json!(holds), holds), "{purpose}");
        world.put(BOB, LIKE, &key(20), &edge(LIKE, &alices, cid, 20)).await;
        let likes = world.query("app.bsky.feed.getLikes", &[("uri", &alices)]).await;
        assert_eq!(likes["likes"].as_array().unwrap().is_empty(), holds, "{purpose}: between two others");
        // A list of an owner whom operators took down holds no more than one whose owner is away.
        let gone = format!("INSERT INTO takedown_account (subject, time) SELECT id, 1 FROM account WHERE did = '{CAROL}'");
        assert_eq!(world.postgres.connect().await.execute(&gone, &[]).await.unwrap(), 1);
        assert_eq!(profile(&world, BOB, ALICE).await["blockedBy"], json!(false), "{purpose}: its owner was taken down");
        assert_eq!(profile(&world, EVE, BOB).await["muted"], json!(false), "{purpose}: its owner was taken down");
    }
}

#[tokio::test]
async fn the_feed_of_a_blocked_or_blocking_account_is_refused() {
    let (mut world, _) = three().await;
    world.put(ALICE, BLOCK, &key(11), &follow(BLOCK, BOB, 11)).await;
    let refused = feed(&world, ALICE, BOB).await;
    assert_eq!((&refused["error"], &refused["message"]), (&json!("BlockedActor"), &json!(format!("Requester has blocked actor: {BOB}"))));
    let refused = feed(&world, BOB, ALICE).await;
    assert_eq!(
        (&refused["error"], &refused["message"]),
        (&json!("BlockedByActor"), &json!(format!("Requester is blocked by actor: {ALICE}")))
    );
    assert_eq!(feed(&world, EVE, BOB).await["feed"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_viewer_and_an_account_that_block_each_other_made_is_not_shown_to_it() {
    let (mut world, [(alices, cid), (bobs, bobs_cid), _]) = three().await;
    world.put(BOB, LIKE, &key(20), &edge(LIKE, &alices, cid, 20)).await;
    world.put(CAROL, LIKE, &key(21), &edge(LIKE, &alices, cid, 21)).await;
    world.put(CAROL, POST, &key(22), &post("an answer", 22, reply((&bobs, bobs_cid)))).await;
    world.put(CAROL, POST, &key(23), &post("a quote", 23, quote((&bobs, bobs_cid)))).await;
    let likers = async |world: &World, viewer: &str| {
        let output = world.get_as(viewer, &format!("/xrpc/app.bsky.feed.getLikes?uri={alices}")).await.json();
        output["likes"].as_array().unwrap().iter().map(|like| like["actor"]["did"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(likers(&world, ALICE).await, [CAROL, BOB]);
    world.put(ALICE, BLOCK, &key(30), &follow(BLOCK, BOB, 30)).await;
    assert_eq!(likers(&world, ALICE).await, [CAROL]);
    assert_eq!(likers(&world, EVE).await, [CAROL], "who is kept apart from the post's author is not listed to others either");
    let posts = world.get_as(ALICE, &format!("/xrpc/app.bsky.feed.getPosts?uris={bobs}&uris={alices}")).await.json();
    assert_eq!(posts["posts"].as_array().unwrap().len(), 1);
    let carols = feed(&world, ALICE, CAROL).await;
    let embed = &carols["feed"][0]["post"]["embed"]["record"];
    assert_eq!((&embed["$type"], &embed["uri"]), (&json!("app.bsky.embed.record#viewBlocked"), &json!(bobs)));
    assert_eq!(embed["author"], json!({"did": BOB, "viewer": {"blockedBy": false, "blocking": uri(ALICE, BLOCK, &key(30))}}));
    let parent = &carols["feed"][1]["reply"]["parent"];
    assert_eq!((&parent["$type"], &parent["uri"]), (&json!("app.bsky.feed.defs#blockedPost"), &json!(bobs)));
    assert_eq!(feed(&world, EVE, CAROL).await["feed"][1]["reply"]["parent"]["$type"], json!("app.bsky.feed.defs#postView"));
}

#[tokio::test]
async fn two_others_that_block_each_other_are_kept_apart_for_everyone() {
    let (mut world, [(alices, cid), ..]) = three().await;
    world.put(BOB, POST, &key(20), &post("an answer", 20, reply((&alices, cid)))).await;
    world.put(BOB, POST, &key(21), &post("a quote", 21, quote((&alices, cid)))).await;
    world.put(ALICE, BLOCK, &key(30), &follow(BLOCK, BOB, 30)).await;
    let path = format!("/xrpc/app.bsky.feed.getAuthorFeed?actor={BOB}");
    for seen in [world.get(&path).await.json(), world.get_as(EVE, &path).await.json()] {
        assert_eq!(seen["feed"][0]["post"]["embed"]["record"]["$type"], json!("app.bsky.embed.record#viewBlocked"), "{seen:#}");
        let (root, parent) = (&seen["feed"][1]["reply"]["root"], &seen["feed"][1]["reply"]["parent"]);
        assert_eq!(
            (&root["$type"], &parent["$type"]),
            (&json!("app.bsky.feed.defs#blockedPost"), &json!("app.bsky.feed.defs#blockedPost"))
        );
    }
    let quotes = world.query("app.bsky.feed.getQuotes", &[("uri", &alices)]).await;
    assert_eq!(quotes["posts"], json!([]));
}

#[tokio::test]
async fn known_followers_are_those_that_the_viewer_follows_all_of_them() {
    let (mut world, _) = three().await;
    let friends: Vec<String> = (0..8).map(|n| format!("did:plc:friend{n}{}", "a".repeat(17))).collect();
    for (n, friend) in friends.iter().enumerate() {
        let at = 40 + i64::try_from(n).unwrap();
        world.put(friend, FOLLOW, &key(at), &follow(FOLLOW, BOB, at)).await;
        world.put(ALICE, FOLLOW, &key(at), &follow(FOLLOW, friend, at)).await;
    }
    world.put(CAROL, FOLLOW, &key(60), &follow(FOLLOW, BOB, 60)).await;
    let known = profile(&world, ALICE, BOB).await["knownFollowers"].clone();
    assert_eq!((&known["count"], known["followers"].as_array().unwrap().len()), (&json!(8), 5));
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/xrpc/app.bsky.graph.getKnownFollowers?actor={BOB}&limit=3{cursor}");
        let page = world.get_as(ALICE, &path).await.json();
        all.extend(page["followers"].as_array().unwrap().iter().map(|f| f["did"].as_str().unwrap().to_owned()));
        let Some(next) = page["cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(all, friends);
    world.put(ALICE, BLOCK, &key(70), &follow(BLOCK, &friends[0], 70)).await;
    let path = format!("/xrpc/app.bsky.graph.getKnownFollowers?actor={BOB}&limit=100");
    assert_eq!(world.get_as(ALICE, &path).await.json()["followers"].as_array().unwrap().len(), 7, "a blocked one is not listed");
}

#[tokio::test]
async fn known_followers_who_and_the_account_block_each_other_are_not_named() {
    let (mut world, _) = three().await;
    world.put(CAROL, FOLLOW, &key(40), &follow(FOLLOW, BOB, 40)).await;
    world.put(ALICE, FOLLOW, &key(41), &follow(FOLLOW, CAROL, 41)).await;
    let names = |known: &serde_json::Value| known["followers"].as_array().unwrap().len();
    let known = profile(&world, ALICE, BOB).await["knownFollowers"].clone();
    assert_eq!((&known["count"], names(&known)), (&json!(1), 1));
    world.put(BOB, BLOCK, &key(42), &follow(BLOCK, CAROL, 42)).await;
    let known = profile(&world, ALICE, BOB).await["knownFollowers"].clone();
    assert_eq!((&known["count"], names(&known)), (&json!(1), 0));
}

#[tokio::test]
async fn known_followers_are_told_across_a_block_too() {
    let (mut world, _) = three().await;
    world.put(CAROL, FOLLOW, &key(40), &follow(FOLLOW, BOB, 40)).await;
    world.put(ALICE, FOLLOW, &key(41), &follow(FOLLOW, CAROL, 41)).await;
    world.put(ALICE, BLOCK, &key(42), &follow(BLOCK, BOB, 42)).await;
    let viewer = profile(&world, ALICE, BOB).await;
    assert_eq!((&viewer["knownFollowers"]["count"], &viewer["knownFollowers"]["followers"][0]["did"]), (&json!(1), &json!(CAROL)));
    assert_eq!(viewer.get("following"), None);
}
