//! What a post says to who reads it, by which names it is found, and who is told of with it.

use appviewd::atproto::Cid;
use appviewd::atproto::cbor::Value;
use serde_json::{Value as Json, json};

use super::world::{ALICE, BOB, CAROL, World, edge, follow, key, post, reference, time, uri};

const POST: &str = "app.bsky.feed.post";
const LIKE: &str = "app.bsky.feed.like";
const REPOST: &str = "app.bsky.feed.repost";
const FOLLOW: &str = "app.bsky.graph.follow";
const BLOCK: &str = "app.bsky.graph.block";
const GATE: &str = "app.bsky.feed.postgate";
const PACK: &str = "app.bsky.graph.starterpack";
const DAVE: &str = "did:plc:daveaaaaaaaaaaaaaaaaaaaa";
const EVE: &str = "did:plc:eveaaaaaaaaaaaaaaaaaaaaa";

fn record(collection: &str, fields: Vec<(&str, Value)>) -> Value {
    Value::map([("$type", Value::text(collection)), ("createdAt", Value::text(time(1)))].into_iter().chain(fields))
}

fn quote(of: &str, cid: Cid) -> Vec<(&'static str, Value)> {
    vec![("embed", Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", reference(of, cid))]))]
}

/// ALICE's post 1, with its address.
async fn world() -> (World, String, Cid) {
    let mut world = World::start().await;
    let cid = world.put(ALICE, POST, &key(1), &post("alice", 1, vec![])).await;
    (world, uri(ALICE, POST, &key(1)), cid)
}

async fn handle(world: &World, did: &str, handle: &str) {
    let client = world.postgres.connect().await;
    assert_eq!(client.execute("UPDATE account SET handle = $1 WHERE did = $2", &[&handle, &did]).await.unwrap(), 1);
}

async fn get(world: &World, viewer: &str, query: &str) -> Json {
    let answer = world.get_as(viewer, &format!("/xrpc/{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

fn dids(list: &Json, key: &[&str]) -> Vec<String> {
    let did = |item: &Json| key.iter().fold(item, |item, key| &item[*key]).as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(did).collect()
}

#[tokio::test]
async fn a_post_says_to_its_author_whether_it_is_pinned() {
    let (mut world, of, cid) = world().await;
    world.put(ALICE, POST, &key(2), &post("other", 2, vec![])).await;
    world.put(BOB, POST, &key(3), &post("bob", 3, vec![])).await;
    let path = format!("app.bsky.feed.getPosts?uris={of}&uris={}", uri(ALICE, POST, &key(2)));
    let pinned = async |world: &World, viewer: &str| {
        let posts = get(world, viewer, &path).await["posts"].clone();
        [posts[0]["viewer"].get("pinned").cloned(), posts[1]["viewer"].get("pinned").cloned()]
    };
    assert_eq!(pinned(&world, ALICE).await, [None, None], "nothing is pinned");
    let profile = |fields| record("app.bsky.actor.profile", fields);
    world.put(ALICE, "app.bsky.actor.profile", "self", &profile(vec![("pinnedPost", reference(&of, cid))])).await;
    assert_eq!(pinned(&world, ALICE).await, [Some(json!(true)), Some(json!(false))]);
    assert_eq!(pinned(&world, BOB).await, [None, None], "who is not its author");
    world.put(ALICE, "app.bsky.actor.profile", "self", &profile(vec![])).await;
    assert_eq!(pinned(&world, ALICE).await, [None, None]);
}

#[tokio::test]
async fn the_anchor_of_a_thread_shows_who_likes_it_that_the_viewer_follows() {
    let (mut world, of, cid) = world().await;
    for (did, at) in [(BOB, 10), (CAROL, 11), (DAVE, 12)] {
        world.put(did, LIKE, &key(at), &edge(LIKE, &of, cid, at)).await;
    }
    let answer = post("reply", 13, vec![("reply", Value::map([("root", reference(&of, cid)), ("parent", reference(&of, cid))]))]);
    world.put(BOB, POST, &key(13), &answer).await;
    let thread = async |world: &World, viewer: &str| get(world, viewer, &format!("app.bsky.unspecced.getPostThreadV2?anchor={of}")).await;
    let known = async |world: &World| thread(world, EVE).await["thread"][0]["value"]["post"]["viewer"]["knownLikers"].clone();
    world.put(EVE, POST, &key(14), &post("eve", 14, vec![])).await;
    assert_eq!(known(&world).await, Json::Null, "she follows nobody");
    for (subject, at) in [(BOB, 20), (DAVE, 21), (ALICE, 22)] {
        world.put(EVE, FOLLOW, &key(at), &follow(FOLLOW, subject, at)).await;
    }
    let likers = known(&world).await;
    assert_eq!(
        (&likers["count"], dids(&likers["actors"], &["did"])),
        (&json!(2), vec![DAVE.to_owned(), BOB.to_owned()]),
        "the newest first"
    );
    assert_eq!(thread(&world, EVE).await["thread"][1]["value"]["post"]["viewer"].get("knownLikers"), None, "only of the anchor");
    world.put(ALICE, BLOCK, &key(30), &follow(BLOCK, DAVE, 30)).await;
    assert_eq!(dids(&known(&world).await["actors"], &["did"]), [BOB], "whom its author blocks");
    world.put(BOB, BLOCK, &key(31), &follow(BLOCK, EVE, 31)).await;
    assert_eq!(known(&world).await["actors"], json!([]), "who blocks her");
}

/// The gate is written after both posts, and all was shown before.
#[tokio::test]
async fn a_quote_that_who_is_quoted_has_detached_is_not_shown() {
    let (mut world, of, cid) = world().await;
    for at in [10, 11] {
        world.put(BOB, POST, &key(at), &post("see", at, quote(&of, cid))).await;
    }
    let quotes = [10, 11].map(|at| uri(BOB, POST, &key(at)));
    let path = format!("app.bsky.feed.getPosts?uris={}&uris={}", quotes[0], quotes[1]);
    let kinds = async |world: &World| {
        let posts = get(world, EVE, &path).await["posts"].clone();
        [0, 1].map(|at| posts[at]["embed"]["record"]["$type"].as_str().unwrap().rsplit_once('#').unwrap().1.to_owned())
    };
    assert_eq!(kinds(&world).await, ["viewRecord", "viewRecord"]);
    let gate = |post: &str, detached: &[&str]| {
        let detached = detached.iter().map(|uri| Value::text(*uri)).collect();
        record(GATE, vec![("post", Value::text(post)), ("detachedEmbeddingUris", Value::Array(detached))])
    };
    world.put(ALICE, GATE, &key(1), &gate(&of, &[&quotes[1]])).await;
    assert_eq!(kinds(&world).await, ["viewRecord", "viewDetached"]);
    let shown = get(&world, EVE, &path).await["posts"][1]["embed"]["record"].clone();
    assert_eq!(shown, json!({"$type": "app.bsky.embed.record#viewDetached", "uri": of, "detached": true}));
    world.put(ALICE, GATE, &key(1), &gate(&of, &[&quotes[0]])).await;
    assert_eq!(kinds(&world).await, ["viewDetached", "viewRecord"]);
    world.put(ALICE, GATE, &key(1), &gate(&uri(ALICE, POST, &key(2)), &[&quotes[0]])).await;
    assert_eq!(kinds(&world).await, ["viewRecord", "viewRecord"], "the gate of another post");
    world.put(ALICE, GATE, &key(1), &gate(&of, &[&quotes[0]])).await;
    world.delete(ALICE, GATE, &key(1)).await;
    assert_eq!(kinds(&world).await, ["viewRecord", "viewRecord"]);
}

/// Who is quoted is not shown in the quote; that it is one is no secret.
#[tokio::test]
async fn a_quote_that_breaks_the_rules_of_who_is_quoted_is_listed_without_what_it_quotes() {
    let (mut world, of, cid) = world().await;
    let closed = Value::map([("$type", Value::text("app.bsky.feed.postgate#disableRule"))]);
    world.put(ALICE, GATE, &key(1), &record(GATE, vec![("post", Value::text(&*of)), ("embeddingRules", Value::Array(vec![closed]))])).await;
    world.put(BOB, POST, &key(10), &post("see", 10, quote(&of, cid))).await;
    let posts = get(&world, EVE, &format!("app.bsky.feed.getQuotes?uri={of}")).await["posts"].clone();
    assert_eq!(posts[0]["uri"], json!(uri(BOB, POST, &key(10))));
    assert_eq!(posts[0]["embed"]["record"]["$type"], json!("app.bsky.embed.record#viewDetached"));
}

#[tokio::test]
async fn a_follow_that_came_through_a_starter_pack_is_told_with_it() {
    let (mut world, ..) = world().await;
    let list = Value::text(uri(CAROL, "app.bsky.graph.list", &key(9)));
    let cid = world.put(CAROL, PACK, &key(5), &record(PACK, vec![("name", Value::text("Start")), ("list", list)])).await;
    let of = uri(CAROL, PACK, &key(5));
    let fields = vec![("subject", Value::text(ALICE)), ("via", reference(&of, cid))];
    world.put(BOB, FOLLOW, &key(10), &record(FOLLOW, fields)).await;
    world.put(DAVE, FOLLOW, &key(11), &follow(FOLLOW, ALICE, 11)).await;
    let told = async |world: &World| get(world, ALICE, "app.bsky.notification.listNotifications").await["notifications"].clone();
    let shown = told(&world).await;
    assert_eq!((dids(&shown, &["author", "did"]), shown[0].get("starterPack")), (vec![DAVE.to_owned(), BOB.to_owned()], None));
    let pack = &shown[1]["starterPack"];
    assert_eq!((&pack["uri"], &pack["creator"]["did"], &pack["joinedAllTimeCount"]), (&json!(of), &json!(CAROL), &json!(0)));
    world.delete(CAROL, PACK, &key(5)).await;
    let shown = told(&world).await;
    assert_eq!((&shown[1]["reason"], shown[1].get("starterPack")), (&json!("follow"), None), "the pack is gone");
}

#[tokio::test]
async fn posts_are_found_by_the_handle_of_their_author_too() {
    let (mut world, of, cid) = world().await;
    world.put(BOB, LIKE, &key(10), &edge(LIKE, &of, cid, 10)).await;
    world.put(BOB, REPOST, &key(11), &edge(REPOST, &of, cid, 11)).await;
    let quoting = world.put(BOB, POST, &key(12), &post("see", 12, quote(&of, cid))).await;
    handle(&world, ALICE, "alice.example").await;
    let by_handle = format!("at://Alice.example/{POST}/{}", key(1));
    let posts = [("uris", &*by_handle), ("uris", &*of), ("uris", "at://nobody.example/app.bsky.feed.post/3jzfcijpj2z2a")];
    let shown = world.query("app.bsky.feed.getPosts", &posts).await;
    assert_eq!(dids(&shown["posts"], &["uri"]), [&*of], "once");
    assert_eq!(world.query("app.bsky.feed.getPostThread", &[("uri", &by_handle)]).await["thread"]["post"]["uri"], of);
    let ask = async |nsid: &str, list: &str| world.query(nsid, &[("uri", &by_handle)]).await[list].clone();
    assert_eq!(dids(&ask("app.bsky.feed.getLikes", "likes").await, &["actor", "did"]), [BOB]);
    assert_eq!(dids(&ask("app.bsky.feed.getRepostedBy", "repostedBy").await, &["did"]), [BOB]);
    assert_eq!(dids(&ask("app.bsky.feed.getQuotes", "posts").await, &["cid"]), [quoting.to_string()]);
    handle(&world, ALICE, "alison.example").await;
    assert_eq!(world.query("app.bsky.feed.getPosts", &posts[..1]).await["posts"], json!([]), "who has it no longer");
}

/// BOB and CAROL did it with one version of the post, DAVE with another.
#[tokio::test]
async fn lists_of_one_version_of_a_post_leave_out_what_was_done_with_others() {
    let (mut world, of, cid) = world().await;
    let other = world.put(ALICE, POST, &key(1), &post("changed", 1, vec![])).await;
    let mut quotes = Vec::new();
    for (did, version, at) in [(BOB, cid, 10), (CAROL, cid, 20), (DAVE, other, 30)] {
        world.put(did, LIKE, &key(at), &edge(LIKE, &of, version, at)).await;
        world.put(did, REPOST, &key(at + 1), &edge(REPOST, &of, version, at + 1)).await;
        quotes.push(world.put(did, POST, &key(at + 2), &post("see", at + 2, quote(&of, version))).await.to_string());
    }
    let (none, cid, other) = (Cid::raw(b"none").to_string(), cid.to_string(), other.to_string());
    let (first, second) = ([CAROL, BOB].map(str::to_owned).to_vec(), vec![DAVE.to_owned()]);
    for (version, did, quoting) in [
        (Some(&cid), first.clone(), vec![quotes[1].clone(), quotes[0].clone()]),
        (Some(&other), second, vec![quotes[2].clone()]),
        (Some(&none), vec![], vec![]),
        (None, [DAVE, CAROL, BOB].map(str::to_owned).to_vec(), quotes.iter().rev().cloned().collect()),
    ] {
        let mut params = vec![("uri", &*of), ("limit", "100")];
        params.extend(version.map(|version| ("cid", &**version)));
        let likes = world.query("app.bsky.feed.getLikes", &params).await;
        assert_eq!((dids(&likes["likes"], &["actor", "did"]), likes["cid"].as_str()), (did.clone(), version.map(|v| &**v)));
        assert_eq!(dids(&world.query("app.bsky.feed.getRepostedBy", &params).await["repostedBy"], &["did"]), did);
        assert_eq!(dids(&world.query("app.bsky.feed.getQuotes", &params).await["posts"], &["cid"]), quoting);
    }
    // One at a time: what is left out leaves no hole.
    let page = world.query("app.bsky.feed.getLikes", &[("uri", &*of), ("cid", &*cid), ("limit", "1")]).await;
    assert_eq!(dids(&page["likes"], &["actor", "did"]), [CAROL]);
    let next = [("uri", &*of), ("cid", &*cid), ("limit", "1"), ("cursor", page["cursor"].as_str().unwrap())];
    let page = world.query("app.bsky.feed.getLikes", &next).await;
    assert_eq!((dids(&page["likes"], &["actor", "did"]), page.get("cursor")), (vec![BOB.to_owned()], None));
}

/// As the reference has it: likes are left out, reposts are not.
#[tokio::test]
async fn who_is_kept_apart_from_a_post_s_author_is_not_among_its_likers() {
    let (mut world, of, cid) = world().await;
    world.put(BOB, LIKE, &key(10), &edge(LIKE, &of, cid, 10)).await;
    world.put(BOB, REPOST, &key(11), &edge(REPOST, &of, cid, 11)).await;
    let list = uri(CAROL, "app.bsky.graph.list", &key(20));
    let fields = vec![("name", Value::text("Bad")), ("purpose", Value::text("app.bsky.graph.defs#modlist"))];
    world.put(CAROL, "app.bsky.graph.list", &key(20), &record("app.bsky.graph.list", fields)).await;
    let item = record("app.bsky.graph.listitem", vec![("list", Value::text(&*list)), ("subject", Value::text(BOB))]);
    world.put(CAROL, "app.bsky.graph.listitem", &key(21), &item).await;
    let likers = async |world: &World| dids(&world.query("app.bsky.feed.getLikes", &[("uri", &of)]).await["likes"], &["actor", "did"]);
    assert_eq!(likers(&world).await, [BOB]);
    let blocked = record("app.bsky.graph.listblock", vec![("subject", Value::text(&*list))]);
    world.put(ALICE, "app.bsky.graph.listblock", &key(22), &blocked).await;
    assert_eq!(likers(&world).await, Vec::<String>::new(), "blocked by a list");
    let reposted = world.query("app.bsky.feed.getRepostedBy", &[("uri", &of)]).await;
    assert_eq!(dids(&reposted["repostedBy"], &["did"]), [BOB]);
}

/// What only few accounts and posts have is asked for only where one has it.
#[tokio::test]
async fn a_feed_of_ordinary_accounts_asks_for_nothing_that_is_rare() {
    let (mut world, of, cid) = world().await;
    world.put(BOB, POST, &key(10), &post("see", 10, quote(&of, cid))).await;
    let client = world.postgres.connect().await;
    for sql in ["ALTER SYSTEM SET log_statement = 'all'", "ALTER SYSTEM SET log_line_prefix = '%a|'", "SELECT pg_reload_conf()"] {
        client.batch_execute(sql).await.unwrap();
    }
    let feed = get(&world, EVE, &format!("app.bsky.feed.getAuthorFeed?actor={BOB}")).await;
    assert_eq!(feed["feed"][0]["post"]["embed"]["record"]["$type"], "app.bsky.embed.record#viewRecord");
    world.stop().await;
    let said = world.postgres.said();
    assert!(said.contains("-- read::post::shown") && said.contains("-- read::actor::by_id"), "{said}");
    for rare in [
        "read::verification::of",
        "read::pack::joined",
        "read::relation::muted_lists",
        "read::list::known_likers",
        "read::list::members",
        "read::record::kept",
        "read::takedown::of",
        "postgate::of",
        "alias::ids",
        "identity::owners",
    ] {
        assert!(!said.contains(&format!("-- {rare}\n")), "{rare}");
    }
}
