//! Posts: what they point to, and whose counts that moves.

use super::kit::*;

#[tokio::test]
async fn an_update_replaces_the_post_and_moves_the_counts_of_old_and_new_parent_and_quote() {
    let (mut desk, mut alice, bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
    let (one, two) = (bob.uri(POST, &key(100)), bob.uri(POST, &key(101)));
    desk.apply([alice.commit([create(POST, 1, &reply(&one, 1)), create(POST, 2, &quote(&one, 2))])]).await;
    let mut expected = vec![format!("count {one} replies=1 quotes=1"), format!("count {} posts=2", alice.did)];
    expected.sort();
    assert_eq!(desk.lines_of("count").await, expected);
    let (second, third) = (update(POST, 1, &quote(&two, 1)), update(POST, 2, &reply(&two, 2)));
    let applied = desk.apply([alice.commit([second.clone(), third])]).await;
    assert_eq!(applied.updated, 2);
    let mut expected = vec![format!("count {two} replies=1 quotes=1"), format!("count {} posts=2", alice.did)];
    expected.sort();
    assert_eq!(desk.lines_of("count").await, expected);
    let threads = [
        format!("thread {} parent=- root=- quote={two}", alice.uri(POST, &key(1))),
        format!("thread {} parent={two} root=- quote=-", alice.uri(POST, &key(2))),
    ];
    assert_eq!(desk.lines_of("thread").await, threads);
    assert!(desk.lines_of("record").await.contains(&format!("record {} {}", alice.uri(POST, &key(1)), second.cid.unwrap())));
    desk.apply([alice.commit([delete(POST, 1), delete(POST, 2)])]).await;
    assert_eq!(desk.lines_of("count").await, [""; 0]);
    assert_eq!(desk.number("SELECT count(*) FROM post").await, 0);
}

#[tokio::test]
async fn a_delete_of_nothing_moves_only_the_rev() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let applied = desk.apply([alice.commit([delete(POST, 1), delete(LIKE, 2), delete(PROFILE, 3)])]).await;
    assert_eq!((applied.absent, applied.deleted), (3, 0));
    let lines = desk.lines().await;
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains(&format!("rev={}", alice.rev.unwrap())));
}

#[tokio::test]
async fn a_post_that_comes_and_goes_within_a_batch_leaves_nothing() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let parent = Repo::new("bob").uri(POST, &key(100));
    let events = [
        alice.commit([create(POST, 1, &reply(&parent, 1))]),
        alice.commit([delete(POST, 1)]),
        alice.commit([create(POST, 1, &post("again", 1)), update(POST, 1, &reply(&parent, 1))]),
        alice.commit([delete(POST, 1)]),
    ];
    desk.apply(events).await;
    assert_eq!(desk.lines().await.len(), 1, "the repo's line");
}
