//! Records kept whole, and collections that are not indexed.

use appviewd::atproto::cbor::Value;
use appviewd::config::index::Index;
use appviewd::queue::Action;

use super::kit::*;

const OTHER: &str = "com.example.thing";

fn thing(n: i64) -> Value {
    Value::map([("$type", Value::text(OTHER)), ("n", Value::Int(n))])
}

fn profile(name: &str) -> Value {
    Value::map([("$type", Value::text(PROFILE)), ("displayName", Value::text(name))])
}

#[tokio::test]
async fn a_profile_is_kept_whole_replaced_and_removed() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let (first, second) = (put(Action::Create, PROFILE, "self", &profile("Alice")), put(Action::Update, PROFILE, "self", &profile("Al")));
    desk.apply([alice.commit([first])]).await;
    let applied = desk.apply([alice.commit([second.clone()])]).await;
    assert_eq!(applied.updated, 1);
    assert_eq!(desk.lines_of("record").await, [format!("record {} {}", alice.uri(PROFILE, "self"), second.cid.unwrap())]);
    let mut gone = delete(PROFILE, 1);
    gone.rkey = "self".parse().unwrap();
    assert_eq!(desk.apply([alice.commit([gone])]).await.deleted, 1);
    assert_eq!(desk.lines_of("record").await, [""; 0]);
}

#[tokio::test]
async fn unknown_collections_are_counted_and_left_out_by_default() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let applied = desk.apply([alice.commit([create(OTHER, 1, &thing(1)), delete(OTHER, 2)])]).await;
    assert_eq!((applied.ignored, applied.created), (2, 0));
    assert_eq!(desk.lines().await.len(), 1);
    assert_eq!(desk.number("SELECT count(*) FROM collection").await, 0);
}

#[tokio::test]
async fn unknown_collections_are_kept_with_a_number_where_configured() {
    let (mut desk, mut alice) = (Desk::with(Index { other_collections: true }).await, Repo::new("alice"));
    let (one, two) = (create(OTHER, 1, &thing(1)), put(Action::Create, "com.example.other", "a-key", &thing(2)));
    let applied = desk.apply([alice.commit([one.clone(), two.clone()])]).await;
    assert_eq!((applied.created, applied.ignored), (2, 0));
    let mut lines = vec![
        format!("record {} {}", alice.uri(OTHER, &key(1)), one.cid.unwrap()),
        format!("record {} {}", alice.uri("com.example.other", "a-key"), two.cid.unwrap()),
    ];
    lines.sort();
    assert_eq!(desk.lines_of("record").await, lines);
    assert_eq!(desk.number("SELECT min(id)::int8 FROM collection").await, 1000);
}

#[tokio::test]
async fn collections_beyond_the_bound_are_ignored() {
    let (mut desk, mut alice) = (Desk::with(Index { other_collections: true }).await, Repo::new("alice"));
    desk.client.execute("INSERT INTO collection (nsid) SELECT 'a.b.c' || n FROM generate_series(1, 9999) n", &[]).await.unwrap();
    let ops = [create("com.example.aaa", 1, &thing(1)), create("com.example.bbb", 2, &thing(1)), create("a.b.c7", 3, &thing(1))];
    let applied = desk.apply([alice.commit(ops)]).await;
    assert_eq!((applied.created, applied.ignored), (2, 1));
    assert_eq!(desk.number("SELECT count(*) FROM collection").await, 10_000);
}
