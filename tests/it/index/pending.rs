//! Replies that wait: how their rows end.

use super::kit::*;

#[tokio::test]
async fn what_waits_goes_with_its_reply_and_is_decided_anew_by_an_update() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let uris: Vec<_> = ["bob", "carol"].iter().map(|name| Repo::new(name).uri(POST, &key(1))).collect();
    desk.apply([alice.commit([create(POST, 5, &reply(&uris[0], 5)), create(POST, 6, &reply_in(&uris[0], &uris[1], 6))])]).await;
    assert_eq!(desk.waits().await, ["alice/5 waits for bob/1", "alice/6 waits for carol/1"]);
    desk.apply([alice.commit([update(POST, 5, &reply(&uris[1], 5)), delete(POST, 6)])]).await;
    assert_eq!(desk.waits().await, ["alice/5 waits for carol/1"]);
    desk.apply([alice.commit([update(POST, 5, &post("no reply any more", 5))])]).await;
    assert_eq!(desk.waits().await, [""; 0]);
    desk.apply([alice.commit([update(POST, 5, &reply(&uris[1], 5))]), alice.commit([update(POST, 5, &invalid(5))])]).await;
    assert_eq!(desk.waits().await, [""; 0], "a post that cannot be indexed is gone");
}

#[tokio::test]
async fn an_update_in_the_commit_that_brings_the_missing_post_has_the_update_s_time() {
    let mut desk = Desk::open().await;
    let (mut alice, mut bob) = (Repo::new("alice"), Repo::new("bob"));
    let (root, missing) = (bob.uri(POST, &key(1)), alice.uri(POST, &key(2)));
    desk.apply([bob.commit([create(POST, 1, &post("root", 1))]), alice.commit([create(POST, 5, &reply_in(&root, &missing, 5))])]).await;
    assert_eq!(desk.waits().await, ["alice/5 waits for alice/2 judged"]);
    alice.clock = 300_000;
    let ops = [create(POST, 2, &reply(&root, 2)), update(POST, 5, &reply_in(&root, &missing, 5))];
    desk.apply([alice.commit(ops)]).await;
    assert_eq!(desk.notifs_of("bob").await, ["reply alice/2 about 1", "reply alice/5 about 1 at 300"]);
    assert_eq!(desk.waits().await, [""; 0]);
}

#[tokio::test]
async fn a_reply_that_waited_too_long_waits_no_more() {
    let (mut desk, mut alice, mut bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
    let parent = bob.uri(POST, &key(1));
    desk.apply([alice.commit((2..5).map(|n| create(POST, n, &reply(&parent, n))).collect::<Vec<_>>())]).await;
    desk.client
        .batch_execute("UPDATE pending SET since = since - interval '2 hours' WHERE rkey <> (SELECT max(rkey) FROM pending)")
        .await
        .unwrap();
    let expired = desk.index.expire_pending(&mut desk.client, 3600).await.unwrap();
    assert_eq!((expired.replies, expired.done), (2, true));
    assert_eq!(desk.waits().await, ["alice/4 waits for bob/1"]);
    let applied = desk.apply([bob.commit([create(POST, 1, &post("late", 1))])]).await;
    assert_eq!(applied.woken, 1);
    assert_eq!(desk.notifs().await, ["bob reply alice/4 about 1"]);
    assert_eq!(desk.replies(&parent).await, 3, "the others are replies all the same");
}

#[tokio::test]
async fn a_sweep_is_many_small_transactions() {
    let mut desk = Desk::open().await;
    desk.client.batch_execute("INSERT INTO pending (mr, ma, rkey, author, since) SELECT 1, 1, n, 1, now() - interval '2 days' FROM generate_series(1, 12000) n").await.unwrap();
    let mut steps = Vec::new();
    loop {
        let expired = desk.index.expire_pending(&mut desk.client, 86_400).await.unwrap();
        steps.push(expired.replies);
        if expired.done {
            break;
        }
    }
    assert_eq!(steps, [5000, 5000, 2000]);
}

#[tokio::test]
async fn how_long_a_reply_waits_is_counted_from_its_first_row() {
    let (mut desk, mut alice, mut bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
    let (root, between) = (Repo::new("carol").uri(POST, &key(1)), bob.uri(POST, &key(2)));
    desk.apply([alice.commit([create(POST, 5, &reply_in(&root, &between, 5))])]).await;
    desk.client.batch_execute("UPDATE pending SET since = since - interval '2 hours'").await.unwrap();
    desk.apply([bob.commit([create(POST, 2, &reply(&root, 2))])]).await;
    assert_eq!(desk.waits().await, ["alice/5 waits for carol/1", "bob/2 waits for carol/1"]);
    assert_eq!(desk.index.expire_pending(&mut desk.client, 3600).await.unwrap().replies, 1);
}
