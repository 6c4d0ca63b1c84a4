//! `app.bsky.feed.getAuthorFeed`: order, pages, filters, replies, reposts, pins.

use appviewd::atproto::Cid;
use appviewd::atproto::cbor::Value;
use serde_json::json;

use super::world::{ALICE, BOB, CAROL, World, blob, edge, key, post, reference, time, uri};

const GET: &str = "app.bsky.feed.getAuthorFeed";
const POST: &str = "app.bsky.feed.post";
const REPOST: &str = "app.bsky.feed.repost";

fn reply(root: (&str, Cid), parent: (&str, Cid)) -> Vec<(&'static str, Value)> {
    vec![("reply", Value::map([("root", reference(root.0, root.1)), ("parent", reference(parent.0, parent.1))]))]
}

/// What is shown, newest first: texts, with who reposted them.
fn texts(output: &serde_json::Value) -> Vec<String> {
    let items = output["feed"].as_array().unwrap().iter();
    let name = |item: &serde_json::Value| match item["reason"]["$type"].as_str() {
        Some("app.bsky.feed.defs#reasonRepost") => "repost of ",
        Some("app.bsky.feed.defs#reasonPin") => "pin ",
        _ => "",
    };
    items.map(|item| format!("{}{}", name(item), item["post"]["record"]["text"].as_str().unwrap())).collect()
}

async fn whole(world: &World, filter: &str) -> Vec<String> {
    texts(&world.query(GET, &[("actor", ALICE), ("filter", filter), ("limit", "100")]).await)
}

/// All pages of `limit` items, each of which must be full but the last.
async fn walk(world: &World, limit: usize) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let limit_text = limit.to_string();
        let mut params = vec![("actor", ALICE), ("limit", limit_text.as_str())];
        params.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let output = world.query(GET, &params).await;
        let page = texts(&output);
        all.extend(page.iter().cloned());
        assert!(all.len() < 1000, "the cursor goes in circles");
        match output["cursor"].as_str() {
            Some(next) => {
                assert_eq!(page.len(), limit);
                cursor = Some(next.to_owned());
            }
            None => return all,
        }
    }
}

#[tokio::test]
async fn a_cursor_walks_every_item_once_also_where_times_are_equal() {
    let mut world = World::start().await;
    let mut posts = Vec::new();
    for n in 0..6 {
        let cid = world.put(BOB, POST, &key(n), &post(&format!("bob {n}"), n, vec![])).await;
        posts.push((uri(BOB, POST, &key(n)), cid));
    }
    // Six posts and six reposts with one createdAt far from their keys: they share a second of sort keys; and six that do not.
    for n in 0..6 {
        world.put(ALICE, POST, &key(1000 + n), &post(&format!("import {n}"), -5000, vec![])).await;
        let (uri, cid) = &posts[usize::try_from(n).unwrap()];
        world.put(ALICE, REPOST, &key(1000 + n), &edge(REPOST, uri, *cid, -5000)).await;
        world.put(ALICE, POST, &key(n), &post(&format!("alice {n}"), n, vec![])).await;
    }
    let all = walk(&world, 100).await;
    assert_eq!(all.len(), 18);
    assert_eq!(all[..6], ["alice 5", "alice 4", "alice 3", "alice 2", "alice 1", "alice 0"]);
    for limit in 1..=19 {
        assert_eq!(walk(&world, limit).await, all, "pages of {limit}");
    }
    let mut once = all.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), 18, "{all:?}");
    // Hidden posts leave no hole in a page.
    world.account(BOB, false, Some("deactivated")).await;
    assert_eq!(walk(&world, 5).await.len(), 12);
    world.account(BOB, true, None).await;
    world.delete(BOB, POST, &key(3)).await;
    assert_eq!(walk(&world, 4).await.len(), 17);
}

#[tokio::test]
async fn the_same_sort_key_twice_is_two_items() {
    let mut world = World::start().await;
    let bobs = world.put(BOB, POST, &key(1), &post("bob", 1, vec![])).await;
    world.put(ALICE, POST, &key(5), &post("alice", 5, vec![])).await;
    world.put(ALICE, REPOST, &key(5), &edge(REPOST, &uri(BOB, POST, &key(1)), bobs, 5)).await;
    for limit in 1..=2 {
        assert_eq!(walk(&world, limit).await, ["repost of bob", "alice"]);
    }
}

#[tokio::test]
async fn filters_are_the_reference_s() {
    let mut world = World::start().await;
    let bob = (uri(BOB, POST, &key(1)), world.put(BOB, POST, &key(1), &post("bob", 1, vec![])).await);
    let own = (uri(ALICE, POST, &key(2)), world.put(ALICE, POST, &key(2), &post("thread 1", 2, vec![])).await);
    let second = world.put(ALICE, POST, &key(3), &post("thread 2", 3, reply((&own.0, own.1), (&own.0, own.1)))).await;
    let to_bob = world.put(ALICE, POST, &key(4), &post("to bob", 4, reply((&bob.0, bob.1), (&bob.0, bob.1)))).await;
    world.put(ALICE, REPOST, &key(5), &edge(REPOST, &bob.0, bob.1, 5)).await;
    let media =
        |kind: &str, field: &'static str, value| Value::map([("$type", Value::text(format!("app.bsky.embed.{kind}"))), (field, value)]);
    let picture = Value::map([("image", blob("p", "image/png").0), ("alt", Value::text(""))]);
    let images = media("images", "images", Value::Array(vec![picture]));
    world.put(ALICE, POST, &key(6), &post("picture", 6, vec![("embed", images)])).await;
    let video = media("video", "video", blob("v", "video/mp4").0);
    world.put(ALICE, POST, &key(7), &post("video", 7, vec![("embed", video)])).await;
    // A reply within the author's thread whose chain goes through somebody else, and one to a reply of the author's to somebody else.
    let bobs_reply = world.put(BOB, POST, &key(8), &post("bob in thread", 8, reply((&own.0, own.1), (&own.0, own.1)))).await;
    let through_bob = reply((&own.0, own.1), (&uri(BOB, POST, &key(8)), bobs_reply));
    world.put(ALICE, POST, &key(9), &post("through bob", 9, through_bob)).await;
    let further = reply((&bob.0, bob.1), (&uri(ALICE, POST, &key(4)), to_bob));
    world.put(ALICE, POST, &key(10), &post("further to bob", 10, further)).await;
    let third = reply((&own.0, own.1), (&uri(ALICE, POST, &key(3)), second));
    world.put(ALICE, POST, &key(11), &post("thread 3", 11, third)).await;

    let all = ["thread 3", "further to bob", "through bob", "video", "picture", "repost of bob", "to bob", "thread 2", "thread 1"]
        .map(String::from);
    assert_eq!(whole(&world, "posts_with_replies").await, all);
    assert_eq!(whole(&world, "of_the_future").await, all, "unknown values of an open list are the default");
    assert_eq!(whole(&world, "posts_no_replies").await, ["video", "picture", "repost of bob", "thread 1"]);
    assert_eq!(whole(&world, "posts_with_media").await, ["picture"], "a video has a filter of its own");
    assert_eq!(whole(&world, "posts_with_video").await, ["video"]);
    let threads = ["thread 3", "video", "picture", "repost of bob", "thread 2", "thread 1"];
    assert_eq!(whole(&world, "posts_and_author_threads").await, threads);
}

#[tokio::test]
async fn replies_show_what_they_answer_and_reposts_who() {
    let mut world = World::start().await;
    let root = (uri(BOB, POST, &key(1)), world.put(BOB, POST, &key(1), &post("root", 1, vec![])).await);
    let parent = world.put(CAROL, POST, &key(2), &post("parent", 2, reply((&root.0, root.1), (&root.0, root.1)))).await;
    let parent = (uri(CAROL, POST, &key(2)), parent);
    world.put(ALICE, POST, &key(3), &post("reply", 3, reply((&root.0, root.1), (&parent.0, parent.1)))).await;
    let repost = world.put(ALICE, REPOST, &key(4), &edge(REPOST, &parent.0, parent.1, 4)).await;
    let output = world.query(GET, &[("actor", ALICE)]).await;
    let reposted = &output["feed"][0];
    assert_eq!(reposted["reply"]["parent"]["uri"], root.0);
    let reason = json!({"$type": "app.bsky.feed.defs#reasonRepost", "by": {"did": ALICE, "handle": "handle.invalid", "labels": [],
            "associated": {"activitySubscription": {"allowSubscriptions": "followers"}}},
        "uri": uri(ALICE, REPOST, &key(4)), "cid": repost.to_string(), "indexedAt": time(4)});
    assert_eq!(reposted["reason"], reason);
    let answer = &output["feed"][1]["reply"];
    for (which, target, text) in [("root", &root, "root"), ("parent", &parent, "parent")] {
        let view = &answer[which];
        let shown = (&view["$type"], &view["uri"], &view["cid"], &view["record"]["text"]);
        assert_eq!(shown, (&json!("app.bsky.feed.defs#postView"), &json!(target.0), &json!(target.1.to_string()), &json!(text)));
    }
    assert_eq!((&answer["grandparentAuthor"]["did"], &answer["parent"]["replyCount"]), (&json!(BOB), &json!(1)));

    world.account(CAROL, false, Some("takendown")).await;
    let output = world.query(GET, &[("actor", ALICE)]).await;
    assert_eq!(texts(&output), ["reply"], "the repost of a hidden account's post is gone");
    let answer = &output["feed"][0]["reply"];
    assert_eq!(answer["parent"], json!({"$type": "app.bsky.feed.defs#notFoundPost", "uri": parent.0, "notFound": true}));
    assert_eq!((&answer["root"]["uri"], answer.get("grandparentAuthor")), (&json!(root.0), None));
}

#[tokio::test]
async fn a_pin_comes_first_and_once() {
    let mut world = World::start().await;
    let mut first = None;
    for n in 0..4 {
        let cid = world.put(ALICE, POST, &key(n), &post(&format!("post {n}"), n, vec![])).await;
        first.get_or_insert(cid);
    }
    let pin = reference(&uri(ALICE, POST, &key(0)), first.unwrap());
    let profile = Value::map([("$type", Value::text("app.bsky.actor.profile")), ("pinnedPost", pin)]);
    world.put(ALICE, "app.bsky.actor.profile", "self", &profile).await;
    let ask = async |world: &World, more: &[(&str, &str)]| {
        let params: Vec<_> = [("actor", ALICE), ("includePins", "true")].into_iter().chain(more.iter().copied()).collect();
        world.query(GET, &params).await
    };
    assert_eq!(texts(&ask(&world, &[]).await), ["pin post 0", "post 3", "post 2", "post 1"]);
    let page = ask(&world, &[("limit", "2")]).await;
    assert_eq!(texts(&page), ["pin post 0", "post 3", "post 2"]);
    let rest = ask(&world, &[("limit", "2"), ("cursor", page["cursor"].as_str().unwrap())]).await;
    assert_eq!(texts(&rest), ["post 1", "post 0"]);
    world.delete(ALICE, POST, &key(0)).await;
    assert_eq!(texts(&ask(&world, &[]).await), ["post 3", "post 2", "post 1"]);
}

#[tokio::test]
async fn who_reposts_twice_shows_it_once() {
    let mut world = World::start().await;
    let cid = world.put(BOB, POST, &key(1), &post("bob", 1, vec![])).await;
    let target = uri(BOB, POST, &key(1));
    for at in [2, 3] {
        world.put(ALICE, REPOST, &key(at), &edge(REPOST, &target, cid, at)).await;
    }
    let output = world.query(GET, &[("actor", ALICE)]).await;
    assert_eq!((texts(&output), &output["feed"][0]["post"]["repostCount"]), (vec!["repost of bob".to_owned()], &json!(1)));
    world.delete(ALICE, REPOST, &key(2)).await;
    let output = world.query(GET, &[("actor", ALICE)]).await;
    assert_eq!((texts(&output), &output["feed"][0]["post"]["repostCount"]), (vec!["repost of bob".to_owned()], &json!(1)));
}

#[tokio::test]
async fn hidden_accounts_and_bad_cursors_are_refused() {
    let mut world = World::start().await;
    world.put(ALICE, POST, &key(1), &post("x", 1, vec![])).await;
    for cursor in ["x", "1__2", "-", "\u{0}__p1"] {
        let refused = world.try_query(GET, &[("actor", ALICE), ("cursor", cursor)]).await.error();
        assert_eq!(refused, (400, "InvalidRequest".to_owned(), "Malformed cursor".to_owned()), "{cursor}");
    }
    assert_eq!(world.query(GET, &[("actor", ALICE), ("cursor", "1700000000000::bafy")]).await, json!({"feed": []}));
    for actor in [BOB, "alice.example"] {
        assert_eq!(world.try_query(GET, &[("actor", actor)]).await.error().2, "Profile not found");
    }
    world.account(ALICE, false, Some("suspended")).await;
    assert_eq!(world.try_query(GET, &[("actor", ALICE)]).await.error().2, "Profile not found");
}
