//! What operators took down: gone for everyone but for those who take down.

use appviewd::atproto::cbor::Value;
use serde_json::json;

use super::world::{ALICE, BOB, World, edge, follow, key, post, reference, uri};

const POST: &str = "app.bsky.feed.post";
const LIKE: &str = "app.bsky.feed.like";
const FOLLOW: &str = "app.bsky.graph.follow";
/// `admin:secret`
const ADMIN: &str = "authorization: Basic YWRtaW46c2VjcmV0\r\n";

/// ALICE has a post that BOB likes and answers.
async fn world() -> World {
    let mut world = World::with(|config| config.admin.password = Some("secret".to_owned())).await;
    let cid = world.put(ALICE, POST, &key(1), &post("alice", 1, vec![])).await;
    let of = uri(ALICE, POST, &key(1));
    world.put(BOB, LIKE, &key(2), &edge(LIKE, &of, cid, 2)).await;
    let reply = Value::map([("root", reference(&of, cid)), ("parent", reference(&of, cid))]);
    world.put(BOB, POST, &key(3), &post("bob", 3, vec![("reply", reply)])).await;
    world.put(BOB, FOLLOW, &key(4), &follow(FOLLOW, ALICE, 4)).await;
    world
}

async fn take_down(world: &World, sql: &str) {
    assert_eq!(world.postgres.connect().await.execute(sql, &[]).await.unwrap(), 1);
}

#[tokio::test]
async fn a_taken_down_account_is_nowhere_but_for_admins() {
    let world = world().await;
    let (profile, likes) =
        (format!("/xrpc/app.bsky.actor.getProfile?actor={BOB}"), format!("/xrpc/app.bsky.feed.getLikes?uri={}", uri(ALICE, POST, &key(1))));
    assert_eq!(world.get(&likes).await.json()["likes"].as_array().unwrap().len(), 1);
    take_down(&world, &format!("INSERT INTO takedown_account (subject, time) SELECT id, 1 FROM account WHERE did = '{BOB}'")).await;
    assert_eq!(world.get(&profile).await.error(), (400, "AccountTakedown".to_owned(), "Account has been suspended".to_owned()));
    assert_eq!(world.get_as(ALICE, &profile).await.error().1, "AccountTakedown");
    assert_eq!(world.ask("GET", &profile, ADMIN).await.json()["did"], json!(BOB));
    assert_eq!(world.get(&likes).await.json()["likes"], json!([]));
    let posts = format!("/xrpc/app.bsky.feed.getPosts?uris={}", uri(BOB, POST, &key(3)));
    assert_eq!(world.get(&posts).await.json()["posts"], json!([]));
    let followers = format!("/xrpc/app.bsky.graph.getFollowers?actor={ALICE}");
    assert_eq!(world.get(&followers).await.json()["followers"], json!([]));
    assert_eq!(world.ask("GET", &followers, ADMIN).await.json()["followers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_taken_down_post_is_not_there_but_for_admins() {
    let world = world().await;
    let sql = format!(
        "INSERT INTO takedown_record (sa, sr, coll, time) SELECT p.author, p.rkey, 2, 1 FROM post p JOIN account a ON a.id = p.author WHERE a.did = '{ALICE}'"
    );
    take_down(&world, &sql).await;
    let feed = |of: &str| format!("/xrpc/app.bsky.feed.getAuthorFeed?actor={of}");
    assert_eq!(world.get(&feed(ALICE)).await.json()["feed"], json!([]));
    assert_eq!(world.get(&feed(BOB)).await.json()["feed"][0]["reply"]["parent"]["$type"], json!("app.bsky.feed.defs#notFoundPost"));
    assert_eq!(world.ask("GET", &feed(ALICE), ADMIN).await.json()["feed"].as_array().unwrap().len(), 1);
}

/// The account is remembered with its profile before; it is found by the name no more.
#[tokio::test]
async fn a_taken_down_profile_leaves_its_account_without_one() {
    let mut world = world().await;
    let name = [("$type", "app.bsky.actor.profile"), ("displayName", "Alice Liddell")];
    world.put(ALICE, "app.bsky.actor.profile", "self", &Value::map(name.map(|(key, text)| (key, Value::text(text))))).await;
    let (profile, search) =
        (format!("/xrpc/app.bsky.actor.getProfile?actor={ALICE}"), "/xrpc/app.bsky.actor.searchActors?q=liddell".to_owned());
    let seen = async |world: &World| {
        let (page, found) = (world.get(&profile).await.json(), world.get(&search).await.json());
        (page["did"].clone(), page["displayName"].clone(), found["actors"].as_array().unwrap().len())
    };
    assert_eq!(seen(&world).await, (json!(ALICE), json!("Alice Liddell"), 1));
    take_down(&world, "INSERT INTO takedown_record (sa, sr, coll, time) SELECT author, rkey, coll, 1 FROM record_other WHERE coll = 1")
        .await;
    assert_eq!(seen(&world).await, (json!(ALICE), json!(null), 0));
    take_down(&world, "DELETE FROM takedown_record").await;
    assert_eq!(seen(&world).await, (json!(ALICE), json!("Alice Liddell"), 1));
}
