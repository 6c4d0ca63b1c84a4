//! Every record type through the index and back: created, updated, deleted, read as it was signed; and what derives nothing.

use appviewd::atproto::cbor::Value;
use appviewd::atproto::{Cid, json};
use appviewd::collection::Coll;
use serde_json::{Value as Json, json};

use crate::reads::world::{ALICE, BOB, World, key, uri};

const GET: &str = "com.atproto.repo.getRecord";
const AT: &str = "2023-11-14T22:13:21.000Z";

/// Types that have no table of their own, and are always kept whole.
const WHOLE: [&str; 15] = [
    "app.bsky.actor.profile",
    "app.bsky.actor.status",
    "app.bsky.actor.contentVisibilityDeclaration",
    "app.bsky.feed.generator",
    "app.bsky.feed.threadgate",
    "app.bsky.feed.postgate",
    "app.bsky.graph.list",
    "app.bsky.graph.starterpack",
    "app.bsky.labeler.service",
    "app.bsky.notification.declaration",
    "chat.bsky.actor.declaration",
    "com.germnetwork.declaration",
    "site.standard.document",
    "site.standard.publication",
    "site.standard.theme.basic",
];

fn dag_cbor(json: &Json) -> Value {
    json::read_record(json).unwrap()
}

fn reference(uri: &str) -> Json {
    json!({"uri": uri, "cid": Cid::dag_cbor(uri.as_bytes()).to_string()})
}

/// A record of each type by ALICE, at its key; `version` makes another one of it.
fn samples(version: i64) -> Vec<(&'static str, String, Json)> {
    let name = format!("version {version}");
    let other = format!("did:plc:other{version}");
    let post = uri(ALICE, "app.bsky.feed.post", &key(2));
    let (list, pack) = (uri(ALICE, "app.bsky.graph.list", &key(8)), uri(BOB, "app.bsky.graph.starterpack", &key(version)));
    let subject = reference(&uri(BOB, "app.bsky.feed.post", &key(version)));
    let at = |n| key(n);
    let own = || "self".to_owned();
    vec![
        ("app.bsky.actor.profile", own(), json!({"displayName": name, "joinedViaStarterPack": reference(&pack)})),
        ("app.bsky.actor.status", own(), json!({"status": "app.bsky.actor.status#live", "createdAt": AT, "durationMinutes": version})),
        ("app.bsky.actor.contentVisibilityDeclaration", own(), json!({"hideFromAlgorithmicRecommendations": version == 1})),
        ("app.bsky.feed.post", at(2), json!({"text": name, "createdAt": AT})),
        ("app.bsky.feed.like", at(3), json!({"subject": subject, "createdAt": AT})),
        ("app.bsky.feed.repost", at(4), json!({"subject": subject, "createdAt": AT})),
        ("app.bsky.feed.generator", "my-feed".to_owned(), json!({"did": "did:web:f.example", "displayName": name, "createdAt": AT})),
        ("app.bsky.feed.threadgate", at(2), json!({"post": post, "allow": [], "hiddenReplies": [pack], "createdAt": AT, "n": version})),
        (
            "app.bsky.feed.postgate",
            at(2),
            json!({"post": post, "embeddingRules": [{"$type": "app.bsky.feed.postgate#disableRule"}], "createdAt": AT, "n": version}),
        ),
        ("app.bsky.graph.follow", at(5), json!({"subject": other, "createdAt": AT})),
        ("app.bsky.graph.block", at(6), json!({"subject": other, "createdAt": AT})),
        ("app.bsky.graph.listblock", at(7), json!({"subject": uri(BOB, "app.bsky.graph.list", &key(version)), "createdAt": AT})),
        ("app.bsky.graph.list", at(8), json!({"name": name, "purpose": "app.bsky.graph.defs#modlist", "createdAt": AT})),
        ("app.bsky.graph.listitem", at(9), json!({"subject": other, "list": list, "createdAt": AT})),
        ("app.bsky.graph.starterpack", at(10), json!({"name": name, "list": list, "createdAt": AT})),
        (
            "app.bsky.graph.verification",
            at(11),
            json!({"subject": other, "handle": "other.example.com", "displayName": name, "createdAt": AT}),
        ),
        ("app.bsky.labeler.service", own(), json!({"policies": {"labelValues": [name]}, "createdAt": AT})),
        ("app.bsky.notification.declaration", own(), json!({"allowSubscriptions": name})),
        ("chat.bsky.actor.declaration", own(), json!({"allowIncoming": name})),
        ("com.germnetwork.declaration", own(), json!({"version": "1.1.0", "currentKey": {"$bytes": "AQID"}, "n": version})),
        ("site.standard.document", at(12), json!({"site": "https://alice.example.com", "title": name, "publishedAt": AT})),
        ("site.standard.publication", at(13), json!({"url": "https://alice.example.com", "name": name})),
    ]
}

fn typed(collection: &str, mut record: Json) -> Value {
    record["$type"] = json!(collection);
    dag_cbor(&record)
}

async fn number(world: &World, sql: &str) -> i64 {
    world.pools.writer.get().await.unwrap().query_one(sql, &[]).await.unwrap().get(0)
}

async fn cid_of(world: &World, collection: &str, rkey: &str) -> Json {
    world.query(GET, &[("repo", ALICE), ("collection", collection), ("rkey", rkey)]).await["cid"].clone()
}

/// Where the samples have one row each.
const TABLES: [&str; 11] =
    ["\"like\"", "repost", "follow", "block", "listblock", "listitem", "verification", "post", "threadgate", "postgate", "pack_join"];

#[tokio::test]
async fn every_type_is_created_updated_deleted_and_read_as_it_was_signed() {
    let mut world = World::start().await;
    assert_eq!(samples(1).len(), 22, "all types");
    for version in [1, 2] {
        for (collection, rkey, record) in samples(version) {
            let cid = world.put(ALICE, collection, &rkey, &typed(collection, record)).await;
            assert_eq!(cid_of(&world, collection, &rkey).await, cid.to_string(), "{collection} {version}");
        }
        let kept = WHOLE.iter().map(|nsid| Coll::from_nsid(nsid).unwrap().number().to_string()).collect::<Vec<_>>().join(", ");
        assert_eq!(number(&world, &format!("SELECT count(*) FROM record_other WHERE coll IN ({kept})")).await, 14);
        assert_eq!(number(&world, "SELECT count(*) FROM record_other").await, 14, "edges and posts are not kept whole");
        for table in TABLES {
            assert_eq!(number(&world, &format!("SELECT count(*) FROM {table}")).await, 1, "{table} {version}");
        }
        assert_eq!(number(&world, "SELECT count(*) FROM record_exc").await, 1, "a verification is always kept raw, the others never");
    }
    for (collection, rkey, _) in samples(2) {
        world.delete(ALICE, collection, &rkey).await;
        let answer = world.try_query(GET, &[("repo", ALICE), ("collection", collection), ("rkey", &rkey)]).await;
        assert_eq!(answer.error().1, "RecordNotFound", "{collection}");
    }
    for table in ["record_other", "record_exc"].into_iter().chain(TABLES) {
        assert_eq!(number(&world, &format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test]
async fn wrong_shapes_are_kept_whole_and_derive_nothing() {
    let mut world = World::start().await;
    let closed = json!([{"$type": "app.bsky.feed.postgate#disableRule"}]);
    let (own, other) = (uri(ALICE, "app.bsky.feed.post", &key(2)), uri(BOB, "app.bsky.feed.post", &key(1)));
    let odd = [
        // Of another's list; of what is no list.
        ("app.bsky.graph.listitem", json!({"subject": BOB, "list": uri(BOB, "app.bsky.graph.list", &key(1)), "createdAt": AT})),
        ("app.bsky.graph.listitem", json!({"subject": BOB, "list": own, "createdAt": AT})),
        ("app.bsky.graph.listblock", json!({"subject": own, "createdAt": AT})),
        // Of another's post, even with the gate's own key; of an own post with another key.
        ("app.bsky.feed.threadgate", json!({"post": other, "allow": [], "createdAt": AT})),
        ("app.bsky.feed.threadgate", json!({"post": own, "allow": [], "createdAt": AT})),
        ("app.bsky.feed.postgate", json!({"post": other, "embeddingRules": closed, "createdAt": AT})),
        ("app.bsky.feed.postgate", json!({"post": own, "embeddingRules": closed, "createdAt": AT})),
        ("app.bsky.feed.like", json!({"subject": reference("at://did:plc:x/com.example.thing/1"), "createdAt": AT})),
        ("app.bsky.actor.profile", json!({"joinedViaStarterPack": reference(&own)})),
    ];
    let mut held = 0;
    for (collection, record) in odd {
        let rkey = if collection == "app.bsky.actor.profile" { "self".to_owned() } else { key(1) };
        let cid = world.put(ALICE, collection, &rkey, &typed(collection, record.clone())).await;
        assert_eq!(cid_of(&world, collection, &rkey).await, cid.to_string(), "{record}");
        held = number(&world, "SELECT count(*) FROM record_other").await;
        for table in ["\"like\"", "listblock", "listitem", "threadgate", "postgate", "pack_join", "dead_letter", "record_exc"] {
            assert_eq!(number(&world, &format!("SELECT count(*) FROM {table}")).await, 0, "{table}: {record}");
        }
    }
    assert_eq!(held, 6);
    // From a wrong shape to a right one and back: one row at a time.
    let (item, list) = ("app.bsky.graph.listitem", uri(ALICE, "app.bsky.graph.list", "my-list"));
    let right = typed(item, json!({"subject": BOB, "list": list, "createdAt": AT}));
    let cid = world.put(ALICE, item, &key(1), &right).await;
    assert_eq!(cid_of(&world, item, &key(1)).await, cid.to_string());
    assert_eq!((number(&world, "SELECT count(*) FROM record_other").await, number(&world, "SELECT count(*) FROM listitem").await), (5, 1));
    let wrong = typed(item, json!({"subject": BOB, "list": uri(BOB, "app.bsky.graph.list", "my-list"), "createdAt": AT}));
    let cid = world.put(ALICE, item, &key(1), &wrong).await;
    assert_eq!(cid_of(&world, item, &key(1)).await, cid.to_string());
    assert_eq!((number(&world, "SELECT count(*) FROM record_other").await, number(&world, "SELECT count(*) FROM listitem").await), (6, 0));
}
