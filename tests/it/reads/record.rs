//! `com.atproto.repo.getRecord`: every record comes back as it was signed.

use appviewd::atproto::Cid;
use appviewd::atproto::cbor::Value;
use serde_json::json;

use super::world::{ALICE, BOB, World, blob, edge, follow, key, post, reference, time, uri};

const GET: &str = "com.atproto.repo.getRecord";

async fn assert_held(world: &World, did: &str, collection: &str, rkey: &str, cid: Cid) -> serde_json::Value {
    let output = world.query(GET, &[("repo", did), ("collection", collection), ("rkey", rkey)]).await;
    assert_eq!(output["uri"], uri(did, collection, rkey));
    assert_eq!(output["cid"], cid.to_string(), "the CID is the hash of the bytes: {output}");
    output["value"].clone()
}

#[tokio::test]
async fn every_kind_of_record_comes_back_as_it_was_signed() {
    let mut world = World::start().await;
    let text = "NUL \0, <b>\u{1F600}</b> \"quoted\" \u{2028}";
    let cid = world.put(ALICE, "app.bsky.feed.post", &key(1), &post(text, 1, vec![])).await;
    let value = assert_held(&world, ALICE, "app.bsky.feed.post", &key(1), cid).await;
    assert_eq!(value, json!({"$type": "app.bsky.feed.post", "text": text, "createdAt": time(1)}));

    let subject = uri(ALICE, "app.bsky.feed.post", &key(1));
    for (collection, seconds) in [("app.bsky.feed.like", 2), ("app.bsky.feed.repost", 3)] {
        let record = edge(collection, &subject, cid, seconds);
        let named = world.put(BOB, collection, &key(seconds), &record).await;
        let value = assert_held(&world, BOB, collection, &key(seconds), named).await;
        assert_eq!(value["subject"], json!({"uri": subject, "cid": cid.to_string()}));
    }
    for (collection, seconds) in [("app.bsky.graph.follow", 4), ("app.bsky.graph.block", 5)] {
        let named = world.put(BOB, collection, &key(seconds), &follow(collection, ALICE, seconds)).await;
        assert_eq!(assert_held(&world, BOB, collection, &key(seconds), named).await["subject"], ALICE);
    }
    // Bytes that columns cannot hold: another version of the subject, a via, a far createdAt.
    let via = reference(&uri(BOB, "app.bsky.feed.repost", &key(3)), cid);
    let Value::Map(mut through) = edge("app.bsky.feed.like", &subject, cid, 6) else { unreachable!() };
    through.push(("via".to_owned(), via));
    let odd = [
        (6, Value::Map(through)),
        (7, edge("app.bsky.feed.like", &subject, Cid::dag_cbor(b"older"), 7)),
        (8, edge("app.bsky.feed.like", &subject, cid, -99)),
    ];
    for (at, record) in odd {
        let did = format!("did:plc:odd{at}");
        let named = world.put(&did, "app.bsky.feed.like", &key(at), &record).await;
        assert_held(&world, &did, "app.bsky.feed.like", &key(at), named).await;
    }
    // An edge to what is never indexed, and collections without a table.
    let elsewhere = edge("app.bsky.feed.like", "at://did:plc:x/com.example.thing/1", cid, 9);
    let kept = [
        ("app.bsky.feed.like", key(9), elsewhere),
        ("com.example.thing", "any-key:1".to_owned(), Value::map([("bytes", Value::Bytes(vec![1, 2])), ("link", Value::Link(cid))])),
        (
            "app.bsky.actor.profile",
            "self".to_owned(),
            Value::map([("$type", Value::text("app.bsky.actor.profile")), ("avatar", blob("a", "image/png").0)]),
        ),
    ];
    for (collection, rkey, record) in kept {
        let named = world.put(ALICE, collection, &rkey, &record).await;
        assert_held(&world, ALICE, collection, &rkey, named).await;
    }
    let generator = uri(ALICE, "app.bsky.feed.generator", "my-feed");
    let named = world.put(BOB, "app.bsky.feed.like", &key(10), &edge("app.bsky.feed.like", &generator, cid, 10)).await;
    assert_eq!(assert_held(&world, BOB, "app.bsky.feed.like", &key(10), named).await["subject"]["uri"], generator);
}

#[tokio::test]
async fn what_is_not_held_is_named() {
    let mut world = World::start().await;
    let cid = world.put(ALICE, "app.bsky.feed.post", &key(1), &post("x", 1, vec![])).await;
    let ask = async |world: &World, repo: &str, collection: &str, rkey: &str, cid: Option<&str>| {
        let mut params = vec![("repo", repo), ("collection", collection), ("rkey", rkey)];
        params.extend(cid.map(|cid| ("cid", cid)));
        world.try_query(GET, &params).await
    };
    let path = "app.bsky.feed.post";
    assert_eq!(ask(&world, ALICE, path, &key(1), Some(&cid.to_string())).await.status, 200);
    let older = Cid::dag_cbor(b"older").to_string();
    let missing = [
        ask(&world, ALICE, path, &key(1), Some(&older)).await,
        ask(&world, ALICE, path, &key(2), None).await,
        ask(&world, ALICE, path, "no-tid", None).await,
        ask(&world, ALICE, "app.bsky.feed.like", &key(1), None).await,
        ask(&world, ALICE, "com.example.unheard", &key(1), None).await,
    ];
    for answer in missing {
        let (status, error, message) = answer.error();
        assert_eq!((status, error.as_str()), (400, "RecordNotFound"));
        assert!(message.starts_with(&format!("Could not locate record: at://{ALICE}/")), "{message}");
    }
    for repo in [BOB, "alice.example"] {
        let refused = ask(&world, repo, path, &key(1), None).await.error();
        assert_eq!(refused, (400, "InvalidRequest".to_owned(), format!("Could not find repo: {repo}")));
    }
    world.account(ALICE, false, Some("takendown")).await;
    assert_eq!(ask(&world, ALICE, path, &key(1), None).await.error().2, format!("Could not find repo: {ALICE}"));
    world.account(ALICE, true, None).await;
    assert_eq!(ask(&world, ALICE, path, &key(1), None).await.status, 200);
    world.delete(ALICE, path, &key(1)).await;
    assert_eq!(ask(&world, ALICE, path, &key(1), None).await.error().1, "RecordNotFound");
}
