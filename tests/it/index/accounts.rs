//! #identity and #account: handles unchecked, status by the event's own time.

use appviewd::queue::{Body, Event};

use super::kit::*;

/// An #account event of that second.
pub fn account(repo: &Repo, second: i64, active: bool, status: Option<&str>) -> Event {
    let event = repo.event(Body::Account { active, status: status.map(str::to_owned) });
    Event { time: BEGIN + second * 1_000_000, ..event }
}

fn identity(repo: &Repo, handle: Option<&str>) -> Event {
    repo.event(Body::Identity { handle: handle.map(str::to_owned) })
}

#[tokio::test]
async fn a_status_hides_and_comes_back_with_everything_applied_meanwhile() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let commit = alice.commit([create(POST, 1, &post("one", 1))]);
    desk.apply([account(&alice, 1, false, Some("deactivated")), commit]).await;
    let hidden = desk.lines().await;
    assert!(hidden.iter().any(|l| l.starts_with("repo") && l.contains(" deactivated ")), "{hidden:?}");
    assert!(hidden.contains(&format!("count {} posts=1", alice.did)));
    desk.apply([account(&alice, 2, true, Some("throttled"))]).await;
    let shown = desk.lines().await;
    assert!(shown.iter().any(|l| l.starts_with("repo") && l.contains(" active ")), "{shown:?}");
}

#[tokio::test]
async fn every_word_has_its_code_and_an_unknown_one_hides_too() {
    let mut desk = Desk::open().await;
    let words = [
        Some("takendown"),
        Some("suspended"),
        Some("deleted"),
        Some("deactivated"),
        Some("desynchronized"),
        Some("throttled"),
        Some("strange"),
        None,
    ];
    let events: Vec<_> = (1..).zip(words).map(|(n, word)| account(&Repo::new(&format!("n{n}")), 1, false, word)).collect();
    desk.apply(events).await;
    let rows = desk.client.query("SELECT r.status FROM repo r JOIN account a ON a.id = r.account ORDER BY did", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|r| r.get::<_, i16>(0)).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 7]);
}

#[tokio::test]
async fn an_older_account_event_does_not_override_a_newer_one() {
    let (mut desk, alice) = (Desk::open().await, Repo::new("alice"));
    let applied = desk.apply([account(&alice, 5, false, Some("takendown")), account(&alice, 4, true, None)]).await;
    assert_eq!(applied.late_accounts, 1);
    let applied = desk.apply([account(&alice, 3, false, Some("deleted"))]).await;
    assert_eq!(applied.late_accounts, 1);
    assert_eq!(desk.number("SELECT status::int8 FROM repo").await, 1);
    assert_eq!(desk.number("SELECT status_time FROM repo").await, BEGIN + 5_000_000);
}

#[tokio::test]
async fn commits_of_a_deleted_account_are_counted_and_not_applied() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    desk.apply([alice.commit([create(POST, 1, &post("one", 1))])]).await;
    let rev = desk.number("SELECT rev FROM repo").await;
    desk.apply([account(&alice, 1, false, Some("deleted"))]).await;
    let late = alice.commit([create(POST, 2, &post("two", 2)), create(POST, 3, &invalid(3))]);
    let applied = desk.apply([late]).await;
    assert_eq!((applied.of_deleted, applied.commits, applied.created, applied.dead_letters), (1, 0, 0, 0));
    assert_eq!(desk.number("SELECT rev FROM repo").await, rev);
    assert_eq!(desk.number("SELECT count(*) FROM post").await, 1, "what is there goes by the purge only");
    // Every other status has its commits applied.
    for word in [Some("takendown"), Some("suspended"), Some("deactivated"), Some("desynchronized"), Some("throttled"), Some("x"), None] {
        let mut repo = Repo::new(&format!("w{}", word.unwrap_or("none")));
        let commit = repo.commit([create(POST, 1, &post("one", 1))]);
        assert_eq!(desk.apply([account(&repo, 1, false, word), commit]).await.created, 1, "{word:?}");
    }
}

#[tokio::test]
async fn an_identity_event_sets_the_handle_and_one_without_a_handle_says_nothing() {
    let (mut desk, alice) = (Desk::open().await, Repo::new("alice"));
    desk.apply([
        identity(&alice, Some("alice.test")),
        identity(&alice, None),
        identity(&alice, Some(&"x".repeat(300))),
        identity(&alice, Some("a\0b")),
    ])
    .await;
    assert!(desk.lines().await[0].ends_with("handle=alice.test"));
    desk.apply([identity(&alice, Some("alicia.test"))]).await;
    assert!(desk.lines().await[0].ends_with("handle=alicia.test"));
}
