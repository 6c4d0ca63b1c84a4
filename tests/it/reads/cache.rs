//! What the API remembers is never shown after it was changed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use appviewd::atproto::cbor::Value;
use serde_json::json;

use super::world::{ALICE, BOB, World, key, plain_get, post, reference, uri};

const POST: &str = "app.bsky.feed.post";
const PROFILE: &str = "app.bsky.actor.profile";

fn profile(name: &str) -> Value {
    Value::map([("$type", Value::text(PROFILE)), ("displayName", Value::text(name))])
}

/// What is shown of ALICE's post as BOB quotes it, read twice: what is remembered, too.
async fn quoted(world: &World) -> serde_json::Value {
    let feed = format!("/xrpc/app.bsky.feed.getAuthorFeed?actor={BOB}");
    world.get(&feed).await;
    world.get(&feed).await.json()["feed"][0]["post"]["embed"]["record"].clone()
}

/// ALICE has a profile and a post that BOB quotes; all of it was shown, and so is remembered.
async fn world() -> World {
    let mut world = World::with(|config| config.http.requests_per_second = 0).await;
    world.put(ALICE, PROFILE, "self", &profile("alice")).await;
    let cid = world.put(ALICE, POST, &key(1), &post("first", 1, vec![])).await;
    let quote = Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", reference(&uri(ALICE, POST, &key(1)), cid))]);
    world.put(BOB, POST, &key(2), &post("see", 2, vec![("embed", quote)])).await;
    let shown = quoted(&world).await;
    assert_eq!((shown["value"]["text"].clone(), shown["author"]["displayName"].clone()), (json!("first"), json!("alice")));
    world
}

#[tokio::test]
async fn a_post_that_was_updated_is_shown_as_it_is() {
    let mut world = world().await;
    world.put(ALICE, POST, &key(1), &post("second", 1, vec![])).await;
    assert_eq!(quoted(&world).await["value"]["text"], json!("second"));
}

#[tokio::test]
async fn a_post_that_was_deleted_is_not_shown() {
    let mut world = world().await;
    world.delete(ALICE, POST, &key(1)).await;
    assert_eq!(quoted(&world).await["$type"], json!("app.bsky.embed.record#viewNotFound"));
    world.put(ALICE, POST, &key(1), &post("again", 1, vec![])).await;
    assert_eq!(quoted(&world).await["value"]["text"], json!("again"));
}

#[tokio::test]
async fn an_account_is_shown_as_it_is() {
    let mut world = world().await;
    world.put(ALICE, PROFILE, "self", &profile("alison")).await;
    assert_eq!(quoted(&world).await["author"]["displayName"], json!("alison"));
    world.delete(ALICE, PROFILE, "self").await;
    assert_eq!(quoted(&world).await["author"]["displayName"], json!(null));
    world.put(ALICE, PROFILE, "self", &profile("alice")).await;
    assert_eq!(quoted(&world).await["author"]["displayName"], json!("alice"));
    world.account(ALICE, false, Some("deactivated")).await;
    assert_eq!(quoted(&world).await["$type"], json!("app.bsky.embed.record#viewNotFound"));
    world.account(ALICE, true, None).await;
    assert_eq!(quoted(&world).await["author"]["displayName"], json!("alice"));
    let client = world.postgres.connect().await;
    client.execute("UPDATE account SET handle = 'alice.example' WHERE did = $1", &[&ALICE]).await.unwrap();
    assert_eq!(quoted(&world).await["author"]["handle"], json!("alice.example"));
}

#[tokio::test]
async fn what_was_taken_down_is_hidden_and_shown_again_at_once() {
    let world = world().await;
    let client = world.postgres.connect().await;
    let gone = json!("app.bsky.embed.record#viewNotFound");
    for (table, columns, selected) in [
        ("takedown_account", "(subject, time)", format!("id, 1 FROM account WHERE did = '{ALICE}'")),
        (
            "takedown_record",
            "(sa, sr, coll, time)",
            format!("p.author, p.rkey, 2, 1 FROM post p JOIN account a ON a.id = p.author WHERE did = '{ALICE}'"),
        ),
    ] {
        assert_eq!(client.execute(&format!("INSERT INTO {table} {columns} SELECT {selected}"), &[]).await.unwrap(), 1);
        assert_eq!(quoted(&world).await["$type"], gone, "{table}");
        assert_eq!(client.execute(&format!("DELETE FROM {table}"), &[]).await.unwrap(), 1);
        assert_eq!(quoted(&world).await["value"]["text"], json!("first"), "{table}");
    }
}

/// Readers who race with a writer see what was committed before they asked, or later, never earlier; whoever read a row just before it was
/// changed does not put it back just after it was forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_reader_is_shown_what_was_changed_before_it_asked() {
    let world = world().await;
    let client = world.postgres.connect().await;
    let committed = Arc::new(AtomicI64::new(0));
    let end = Instant::now() + Duration::from_secs(4);
    let readers: Vec<_> = (0..6)
        .map(|_| {
            let (address, committed) = (world.address, Arc::clone(&committed));
            tokio::spawn(async move {
                let mut reads = 0_u32;
                while Instant::now() < end {
                    let before = committed.load(Ordering::SeqCst);
                    let shown = handle(address).await;
                    assert!(shown >= before, "shown {shown} after {before} was committed");
                    reads += 1;
                }
                reads
            })
        })
        .collect();
    let mut written = 0;
    while Instant::now() < end {
        written += 1;
        let handle = format!("h{written}.example");
        client.execute("UPDATE account SET handle = $1 WHERE did = $2", &[&handle, &ALICE]).await.unwrap();
        committed.store(written, Ordering::SeqCst);
        if written % 3 == 0 {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }
    let mut reads = 0;
    for reader in readers {
        reads += reader.await.unwrap();
    }
    assert!(written > 50 && reads > 50, "{written} changes, {reads} reads");
}

/// The number in ALICE's handle, as her profile shows it.
async fn handle(address: SocketAddr) -> i64 {
    let answer = plain_get(address, &format!("/xrpc/app.bsky.actor.getProfile?actor={ALICE}")).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    let handle = json["handle"].as_str().unwrap();
    handle.strip_prefix('h').and_then(|rest| rest.strip_suffix(".example")).map_or(0, |n| n.parse().unwrap())
}
