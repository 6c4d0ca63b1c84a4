//! What posts and profiles are found by stands with them, written in the same transaction, whatever becomes of them; and what an older version
//! wrote without it gets it by reindexing.

use appviewd::atproto::cbor::Value;
use appviewd::collection::Coll;
use appviewd::queue::Action;

use super::kit::*;
use crate::support::dump::unsearched;

fn profile(name: &str) -> Value {
    Value::map([("$type", Value::text(PROFILE)), ("displayName", Value::text(name))])
}

/// Posts of one and several batches, replaced, deleted, of keys that are no TID, of old times; profiles.
async fn history(desk: &mut Desk) {
    let (mut alice, mut bob) = (Repo::new("alice"), Repo::new("bob"));
    let odd = put(Action::Create, POST, "no-tid", &post("a key that is no TID", 3));
    desk.apply([
        alice.commit([create(POST, 1, &post("The quick brown fox", 1)), create(POST, 2, &post("東京タワー", 2)), odd]),
        bob.commit([create(POST, 4, &post("", -20_000_000)), put(Action::Create, PROFILE, "self", &profile("Bob the Builder"))]),
        alice.commit([update(POST, 1, &post("The slow red hen", 1)), put(Action::Create, PROFILE, "self", &profile(""))]),
        bob.commit([create(POST, 5, &mentioning(post("gone at once", 5), &[&alice.did])), delete(POST, 5)]),
    ])
    .await;
    desk.apply([
        alice.commit([delete(POST, 2), create(POST, 6, &post("later", 6))]),
        bob.commit([put(Action::Update, PROFILE, "self", &profile("Robert"))]),
    ])
    .await;
}

#[tokio::test]
async fn every_post_and_profile_has_the_tokens_of_its_record() {
    let mut desk = Desk::open().await;
    history(&mut desk).await;
    assert_eq!(desk.number("SELECT count(*) FROM post").await, 4);
    assert_eq!(desk.number("SELECT count(*) FROM record_other WHERE tokens IS NOT NULL").await, 2);
    assert_eq!(unsearched(&desk.client).await, [""; 0]);
}

#[tokio::test]
async fn what_older_versions_wrote_is_found_after_reindexing() {
    let mut desk = Desk::open().await;
    history(&mut desk).await;
    for (sql, rows) in [("UPDATE post SET tokens = NULL", 4), ("UPDATE record_other SET tokens = NULL", 2)] {
        assert_eq!(desk.client.execute(sql, &[]).await.unwrap(), rows);
    }
    assert_eq!(unsearched(&desk.client).await.len(), 6);
    for (coll, rows) in [(Coll::POST, 4), (Coll::PROFILE, 2), (Coll::POST, 0), (Coll::PROFILE, 0), (Coll::LIKE, 0)] {
        let done = desk.index.reindex(&mut desk.client, coll).await.unwrap();
        assert_eq!(done.indexed, rows, "{coll:?} {done:?}");
    }
    assert_eq!(unsearched(&desk.client).await, [""; 0]);
    // By a version that found less in a record.
    assert_eq!(desk.client.execute("UPDATE post SET tokens = tokens[2:3]", &[]).await.unwrap(), 4);
    assert_eq!(desk.index.reindex(&mut desk.client, Coll::POST).await.unwrap().indexed, 4);
    assert_eq!(unsearched(&desk.client).await, [""; 0]);
}
