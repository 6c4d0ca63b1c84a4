//! Likes, reposts, follows, blocks: rows, counts, duplicates, and the bytes that come back.

use appviewd::atproto::Cid;
use appviewd::atproto::cbor::Value;
use appviewd::queue::Op;

use super::kit::*;
use crate::support::dump;

/// Alice likes Bob's post with each of these keys, in this order.
async fn likes_in_order(keys: &[i64]) -> (Desk, Repo, String) {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let subject = Repo::new("bob").uri(POST, &key(500));
    for n in keys {
        desk.apply([alice.commit([create(LIKE, *n, &edge(LIKE, &subject, *n))])]).await;
    }
    (desk, alice, subject)
}

fn line(repo: &Repo, n: i64, subject: &str, how: &str) -> String {
    format!("edge {} -> {subject} {how}", repo.uri(LIKE, &key(n)))
}

async fn edges_and_counts(desk: &Desk) -> Vec<String> {
    desk.lines().await.into_iter().filter(|l| !l.starts_with("repo ")).collect()
}

#[tokio::test]
async fn the_first_edge_of_a_pair_counts_and_its_smallest_key_takes_over() {
    let (mut desk, mut alice, subject) = likes_in_order(&[5, 3, 4]).await;
    let count = format!("count {subject} likes=1");
    let all = [
        count.clone(),
        line(&alice, 3, &subject, "duplicate"),
        line(&alice, 4, &subject, "duplicate"),
        line(&alice, 5, &subject, "counted"),
    ];
    assert_eq!(edges_and_counts(&desk).await, all);
    desk.apply([alice.commit([delete(LIKE, 5)])]).await;
    assert_eq!(
        edges_and_counts(&desk).await,
        [count.clone(), line(&alice, 3, &subject, "counted"), line(&alice, 4, &subject, "duplicate")]
    );
    desk.apply([alice.commit([delete(LIKE, 4)])]).await;
    assert_eq!(edges_and_counts(&desk).await, [count, line(&alice, 3, &subject, "counted")]);
    desk.apply([alice.commit([delete(LIKE, 3)])]).await;
    assert_eq!(edges_and_counts(&desk).await, [""; 0]);
}

#[tokio::test]
async fn several_edges_of_a_pair_in_one_transaction_count_once() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let subject = Repo::new("bob").uri(POST, &key(500));
    let like = |n| create(LIKE, n, &edge(LIKE, &subject, n));
    let applied = desk.apply([alice.commit([like(5), like(3)]), alice.commit([delete(LIKE, 5), like(1), delete(LIKE, 9)])]).await;
    assert_eq!((applied.created, applied.deleted, applied.absent), (3, 1, 1));
    let expected = [format!("count {subject} likes=1"), line(&alice, 1, &subject, "duplicate"), line(&alice, 3, &subject, "counted")];
    assert_eq!(edges_and_counts(&desk).await, expected);
}

#[tokio::test]
async fn a_create_over_a_held_path_is_an_update_and_an_update_of_nothing_a_create() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let (one, two) = (Repo::new("bob").uri(POST, &key(500)), Repo::new("bob").uri(POST, &key(501)));
    let applied = desk.apply([alice.commit([update(LIKE, 1, &edge(LIKE, &one, 1))])]).await;
    assert_eq!((applied.created, applied.updated), (1, 0));
    let applied = desk.apply([alice.commit([create(LIKE, 1, &edge(LIKE, &two, 1))])]).await;
    assert_eq!((applied.created, applied.updated), (0, 1));
    assert_eq!(edges_and_counts(&desk).await, [format!("count {two} likes=1"), line(&alice, 1, &two, "counted")]);
}

#[tokio::test]
async fn an_update_that_leaves_its_pair_hands_the_count_on_and_one_that_stays_keeps_it() {
    let (mut desk, mut alice, subject) = likes_in_order(&[5, 3]).await;
    desk.apply([alice.commit([update(LIKE, 5, &edge(LIKE, &subject, 6))])]).await;
    let count = format!("count {subject} likes=1");
    assert_eq!(
        edges_and_counts(&desk).await,
        [count.clone(), line(&alice, 3, &subject, "duplicate"), line(&alice, 5, &subject, "counted")]
    );
    let other = Repo::new("carol").uri(POST, &key(7));
    desk.apply([alice.commit([update(LIKE, 5, &edge(LIKE, &other, 5))])]).await;
    let expected = [count, format!("count {other} likes=1"), line(&alice, 3, &subject, "counted"), line(&alice, 5, &other, "counted")];
    assert_eq!(edges_and_counts(&desk).await, expected);
}

#[tokio::test]
async fn the_four_kinds_count_where_they_should() {
    let (mut desk, mut alice, bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
    let (subject, feed) = (bob.uri(POST, &key(500)), bob.uri("app.bsky.feed.generator", "a-feed"));
    let ops: [Op; 5] = [
        create(LIKE, 1, &edge(LIKE, &subject, 1)),
        create(LIKE, 2, &edge(LIKE, &feed, 2)),
        create(REPOST, 3, &edge(REPOST, &subject, 3)),
        create(FOLLOW, 4, &tie(FOLLOW, &bob.did, 4)),
        create(BLOCK, 5, &tie(BLOCK, &bob.did, 5)),
    ];
    desk.apply([alice.commit(ops.clone())]).await;
    let counts = [
        format!("count {} follows=1", alice.did),
        format!("count {} followers=1", bob.did),
        format!("count {feed} likes=1"),
        format!("count {subject} likes=1 reposts=1"),
    ];
    let mut expected = counts.to_vec();
    expected.sort();
    assert_eq!(desk.lines_of("count").await, expected);
    let records = dump::lines(&desk.client).await;
    for op in &ops {
        let line = format!("record {} {}", alice.uri(op.collection.as_str(), op.rkey.as_str()), op.cid.unwrap());
        assert!(records.contains(&line), "{line} is not rebuilt from {records:?}");
    }
    assert_eq!(desk.number("SELECT count(*) FROM record_exc").await, 0, "columns hold them all");
    let deletes = [delete(LIKE, 1), delete(LIKE, 2), delete(REPOST, 3), delete(FOLLOW, 4), delete(BLOCK, 5)];
    desk.apply([alice.commit(deletes)]).await;
    assert_eq!(edges_and_counts(&desk).await, [""; 0]);
}

#[tokio::test]
async fn an_edge_that_names_another_cid_keeps_its_bytes_and_loses_them_with_itself() {
    let (mut desk, mut alice, mut bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
    let subject = Repo::new("carol").uri(POST, &key(500));
    let other = edge_naming(LIKE, &subject, Cid::dag_cbor(b"another version"), 2);
    let op = create(LIKE, 2, &other);
    desk.apply([alice.commit([create(LIKE, 1, &edge(LIKE, &subject, 1))]), bob.commit([op.clone()])]).await;
    let line = format!("record {} {}", bob.uri(LIKE, &key(2)), op.cid.unwrap());
    assert!(dump::lines(&desk.client).await.contains(&line));
    assert_eq!(desk.number("SELECT count(*) FROM record_exc").await, 1);
    assert_eq!(desk.lines_of("count").await, [format!("count {subject} likes=2")]);
    desk.apply([bob.commit([update(LIKE, 2, &edge(LIKE, &subject, 2))])]).await;
    assert_eq!(desk.number("SELECT count(*) FROM record_exc").await, 0, "the columns hold it now");
    desk.apply([bob.commit([update(LIKE, 2, &other)]), bob.commit([delete(LIKE, 2)])]).await;
    assert_eq!(desk.number("SELECT count(*) FROM record_exc").await, 0);
}

#[tokio::test]
async fn a_like_that_no_column_holds_is_kept_raw_and_still_counts() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let subject = Repo::new("bob").uri(POST, &key(500));
    let Value::Map(mut entries) = edge(LIKE, &subject, 1) else { panic!() };
    let repost = Repo::new("carol").uri(REPOST, &key(9));
    entries.push(("via".to_owned(), strong_ref(&repost, named(&repost))));
    let op = create(LIKE, 1, &Value::Map(entries));
    desk.apply([alice.commit([op.clone(), create(LIKE, 2, &edge(LIKE, &subject, 2))])]).await;
    assert!(dump::lines(&desk.client).await.contains(&format!("record {} {}", alice.uri(LIKE, &key(1)), op.cid.unwrap())));
    assert_eq!(desk.number("SELECT count(*) FROM \"like\" l JOIN account a ON a.id = l.via WHERE a.did = 'did:plc:carol'").await, 1);
    assert_eq!(edges_and_counts(&desk).await[0], format!("count {subject} likes=1"));
    assert_eq!(
        desk.number("SELECT count(*) FROM record_exc").await,
        1,
        "the second one is held by its columns and the CID that the first named"
    );
}

#[tokio::test]
async fn a_like_of_something_else_is_kept_whole_and_moves_between_tables() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let (subject, odd) = (Repo::new("bob").uri(POST, &key(500)), "at://did:plc:bob/com.example.thing/1".to_owned());
    let odd_like = edge(LIKE, &odd, 1);
    desk.apply([alice.commit([create(LIKE, 1, &odd_like)])]).await;
    assert_eq!(edges_and_counts(&desk).await, [""; 0]);
    assert_eq!(desk.number("SELECT count(*) FROM record_other").await, 1);
    let applied = desk.apply([alice.commit([update(LIKE, 1, &edge(LIKE, &subject, 1))])]).await;
    assert_eq!(applied.updated, 1);
    assert_eq!(edges_and_counts(&desk).await, [format!("count {subject} likes=1"), line(&alice, 1, &subject, "counted")]);
    assert_eq!(desk.number("SELECT count(*) FROM record_other").await, 0);
    desk.apply([alice.commit([update(LIKE, 1, &odd_like)])]).await;
    assert_eq!(edges_and_counts(&desk).await, [""; 0]);
    let applied = desk.apply([alice.commit([delete(LIKE, 1)])]).await;
    assert_eq!((applied.deleted, desk.number("SELECT count(*) FROM record_other").await), (1, 0));
}
