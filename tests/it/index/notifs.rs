//! Notifications that are rows: of posts, and of verifications.

use appviewd::db::dead_letter::Filter;

use super::kit::*;

#[tokio::test]
async fn of_a_mention_a_quote_and_a_reply_to_one_account_the_first_holds() {
    let mut desk = Desk::open().await;
    let (mut alice, mut bob, mut carol) = (Repo::new("alice"), Repo::new("bob"), Repo::new("carol"));
    let (one, two) = (bob.uri(POST, &key(1)), carol.uri(POST, &key(2)));
    let begin = [bob.commit([create(POST, 1, &post("one", 1))]), carol.commit([create(POST, 2, &reply(&one, 2))])];
    desk.apply(begin).await;
    let all = quoting(mentioning(reply_in(&one, &two, 5), &["did:plc:bob", "did:plc:alice", "did:plc:bob", "did:plc:dave"]), &two);
    desk.apply([alice.commit([create(POST, 5, &all)])]).await;
    assert_eq!(desk.notifs_of("bob").await, ["mention alice/5", "reply carol/2 about 1"]);
    assert_eq!(desk.notifs_of("carol").await, ["quote alice/5 about 2"]);
    assert_eq!((desk.notifs_of("dave").await, desk.notifs_of("alice").await), (vec!["mention alice/5".to_owned()], vec![]));
    alice.clock = 400_000;
    let less = quoting(mentioning(reply_in(&one, &two, 5), &["did:plc:dave"]), &one);
    desk.apply([alice.commit([update(POST, 5, &less)])]).await;
    assert_eq!(desk.notifs_of("bob").await, ["quote alice/5 about 1 at 400", "reply carol/2 about 1"]);
    assert_eq!(desk.notifs_of("carol").await, ["reply alice/5 about 2 at 400"]);
    assert_eq!(desk.notifs_of("dave").await, ["mention alice/5"], "it holds, and keeps its time");
    desk.apply([alice.commit([update(POST, 5, &invalid(5))])]).await;
    assert_eq!(desk.notifs().await, ["bob reply carol/2 about 1"], "a post that cannot be indexed is gone");
}

#[tokio::test]
async fn a_post_that_is_older_than_its_key_tells_so_and_one_made_again_in_a_commit_is_new() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let record = |n: i64| mentioning(post("hello", n), &["did:plc:bob"]);
    alice.clock = 500_000;
    desk.apply([alice.commit([create(POST, 400_000, &record(100_000))])]).await;
    assert_eq!(desk.notifs().await, ["bob mention alice/400000 at 100"]);
    alice.clock = 900_000;
    desk.apply([alice.commit([delete(POST, 400_000), create(POST, 400_000, &record(200_000))])]).await;
    assert_eq!(desk.notifs().await, ["bob mention alice/400000 at 200"]);
    desk.apply([alice.commit([create(POST, 1, &post("a", 1)), update(POST, 1, &record(1))])]).await;
    assert_eq!(desk.notifs().await, ["bob mention alice/1", "bob mention alice/400000 at 200"]);
}

#[tokio::test]
async fn a_verification_tells_when_it_begins_and_when_it_ends() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let own = create(VERIFICATION, 2, &verification("did:plc:alice", 2));
    let again = create(VERIFICATION, 3, &verification("did:plc:bob", 3));
    desk.apply([alice.commit([create(VERIFICATION, 1, &verification("did:plc:bob", 1)), own, again])]).await;
    assert_eq!(desk.notifs().await, ["bob verified alice/1", "bob verified alice/3"], "also one that does not count");
    desk.apply([alice.commit([update(VERIFICATION, 1, &verification("did:plc:bob", 1))])]).await;
    assert_eq!(desk.notifs().await, ["bob verified alice/1", "bob verified alice/3"]);
    alice.clock = 300_000;
    desk.apply([alice.commit([delete(VERIFICATION, 1)])]).await;
    assert_eq!(desk.notifs().await, ["bob unverified alice/1 at 300", "bob verified alice/1", "bob verified alice/3"]);
    desk.apply([alice.commit([update(VERIFICATION, 3, &verification("did:plc:carol", 3))])]).await;
    assert_eq!(
        desk.notifs_of("bob").await,
        ["unverified alice/1 at 300", "unverified alice/3 at 300", "verified alice/1", "verified alice/3"]
    );
    assert_eq!(desk.notifs_of("carol").await, ["verified alice/3 at 300"]);
    // A post with the key of a verification is another record.
    desk.apply([alice.commit([create(POST, 3, &mentioning(post("hello", 3), &["did:plc:carol"])), delete(POST, 3)])]).await;
    assert_eq!(desk.notifs_of("carol").await, ["verified alice/3 at 300"]);
    alice.clock = 700_000;
    desk.apply([alice.commit([create(VERIFICATION, 1, &verification("did:plc:bob", 1)), delete(VERIFICATION, 1)])]).await;
    assert_eq!(desk.notifs_of("bob").await.len(), 4, "one a record, recipient and reason; the first stays");
}

#[tokio::test]
async fn a_dead_letter_replayed_derives_what_its_commit_would_have() {
    let mut desk = Desk::open().await;
    let (mut alice, mut bob, mut carol) = (Repo::new("alice"), Repo::new("bob"), Repo::new("carol"));
    let one = bob.uri(POST, &key(1));
    let root =
        [bob.commit([create(POST, 1, &post("one", 1))]), carol.commit([create(POST, 9, &reply_in(&one, &alice.uri(POST, &key(5)), 9))])];
    desk.apply(root).await;
    // Ahead of its time: its ops become letters.
    let mut early = alice.commit([
        create(POST, 5, &mentioning(reply(&one, 5), &["did:plc:dave"])),
        create(THREADGATE, 6, &threadgate(&alice.uri(POST, &key(6)), None, &[], 6)),
    ]);
    early.time -= 600_000_000;
    desk.apply([early]).await;
    assert_eq!(desk.waits().await, ["carol/9 waits for alice/5 judged"]);
    let replayed = desk.index.replay(&mut desk.client, &Filter::default()).await.unwrap();
    assert_eq!((replayed.applied, replayed.kept), (2, 0));
    let told: Vec<String> = desk.notifs().await.into_iter().map(|line| line.split(" at ").next().unwrap().to_owned()).collect();
    let expected = ["alice reply carol/9 about 5", "bob reply alice/5 about 1", "bob reply carol/9 about 1", "dave mention alice/5"];
    assert_eq!(told, expected);
    assert_eq!(desk.waits().await, [""; 0]);
    assert_eq!(desk.number("SELECT count(*) FROM threadgate").await, 1);
}
