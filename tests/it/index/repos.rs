//! The rev gate, the chain of commits, and what marks a repo as not whole.

use appviewd::atproto::mst::EMPTY_ROOT;
use appviewd::atproto::{Cid, Position, Tid};
use appviewd::queue::{Body, Event};
use bytes::Bytes;

use super::kit::*;

/// state and fault of a repo.
async fn state(desk: &Desk) -> (i16, Option<String>) {
    let row = desk.client.query_one("SELECT state, fault FROM repo", &[]).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn a_commit_that_is_not_newer_is_passed_over() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let old = alice.commit([create(POST, 1, &post("one", 1))]);
    let new = alice.commit([create(POST, 2, &post("two", 2)), delete(POST, 1)]);
    let applied = desk.apply([old.clone(), new.clone()]).await;
    assert_eq!((applied.commits, applied.stale, applied.created, applied.deleted), (2, 0, 2, 1));
    let before = desk.lines().await;
    let applied = desk.apply([old, new]).await;
    assert_eq!((applied.commits, applied.stale, applied.created), (0, 2, 0));
    assert_eq!(desk.lines().await, before);
    assert!(before.contains(&format!("count {} posts=1", alice.did)), "{before:?}");
}

#[tokio::test]
async fn a_broken_chain_marks_the_repo_and_its_ops_are_indexed() {
    for break_it in [|e: &mut Event| commit_of(e).since = None, |e: &mut Event| commit_of(e).prev_data = Some(Cid::dag_cbor(b"other"))] {
        let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
        let first = alice.commit([create(POST, 1, &post("one", 1))]);
        let mut second = alice.commit([create(POST, 2, &post("two", 2))]);
        break_it(&mut second);
        let applied = desk.apply([first, second]).await;
        assert_eq!((applied.broken_chains, applied.created), (1, 2));
        assert_eq!(state(&desk).await, (1, Some("a commit does not follow the one before it".to_owned())));
        let applied = desk.apply([alice.commit([])]).await;
        assert_eq!(applied.broken_chains, 0);
        assert_eq!(state(&desk).await.0, 1, "only fetching the repo makes it whole");
    }
}

#[tokio::test]
async fn a_repo_never_seen_has_no_chain_to_break_and_a_legacy_commit_none_to_check() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    alice.commit([]);
    let mut legacy = {
        alice.commit([]);
        alice.commit([])
    };
    commit_of(&mut legacy).prev_data = None;
    let first = {
        let mut repo = Repo { clock: 0, ..alice.clone() };
        repo.commit([])
    };
    let applied = desk.apply([first, legacy]).await;
    assert_eq!((applied.broken_chains, applied.legacy, applied.commits), (0, 1, 2));
    assert_eq!(state(&desk).await, (0, None));
}

#[tokio::test]
async fn a_commit_at_fault_marks_the_repo_with_the_first_reason() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let mut first = alice.commit([create(POST, 1, &post("one", 1))]);
    commit_of(&mut first).fault = Some("two ops\0 on one path".to_owned());
    let mut second = alice.commit([]);
    commit_of(&mut second).fault = Some("tooBig".to_owned());
    let applied = desk.apply([first, second]).await;
    assert_eq!((applied.faults, applied.created), (2, 1));
    assert_eq!(state(&desk).await, (1, Some("two ops on one path".to_owned())));
}

#[tokio::test]
async fn a_sync_to_another_root_marks_the_repo_and_to_the_same_root_moves_its_rev() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let sync = |repo: &Repo, rev: Tid, data: Cid| repo.event(Body::Sync { rev, data, commit: data });
    let later = |n: i64| Tid::from_micros(BEGIN + n * 1_000_000, 0);
    alice.rev = Some(later(0));
    let commit = alice.commit([]);
    let (rev, data) = (alice.rev.unwrap(), alice.data);
    let applied = desk
        .apply([sync(&alice, later(0), *EMPTY_ROOT), commit, sync(&alice, rev, Cid::dag_cbor(b"x")), sync(&alice, later(1), data)])
        .await;
    assert_eq!((applied.stale, applied.sync_moved, applied.broken_chains), (1, 0, 0));
    assert_eq!(state(&desk).await, (0, None));
    assert_eq!(desk.number("SELECT rev FROM repo").await, later(1).value());
    let applied = desk.apply([sync(&alice, later(2), Cid::dag_cbor(b"x"))]).await;
    assert_eq!(applied.sync_moved, 1);
    assert_eq!(state(&desk).await.0, 1);
    assert_eq!(desk.number("SELECT rev FROM repo").await, later(1).value(), "what is applied has not moved");
}

#[tokio::test]
async fn a_reject_marks_its_repo_and_is_kept_once() {
    let (mut desk, alice) = (Desk::open().await, Repo::new("alice"));
    let reject = alice.event(Body::Reject { reason: "a frame of 6 MB".to_owned(), frame: Bytes::from(vec![7; 100_000]) });
    let unreadable =
        Event { did: None, ..alice.event(Body::Unreadable { reason: "no\0 CBOR".to_owned(), frame: Bytes::from_static(b"\xff\0") }) };
    let mut batch = desk.batch(vec![reject.clone(), unreadable.clone(), unreadable]);
    batch.events[0].seq = 2;
    batch.events[2].seq = 2;
    let prepared = desk.prepare(batch).await;
    let applied = desk.index.apply(&mut desk.client, &[prepared]).await.unwrap();
    assert_eq!((applied.rejects, applied.unreadable), (1, 2));
    assert_eq!(state(&desk).await, (1, Some("a frame of 6 MB".to_owned())));
    assert_eq!(desk.number("SELECT count(*) FROM reject").await, 2, "one of the repo, one of no repo, at one place");
    assert_eq!(desk.number("SELECT max(length(frame))::int8 FROM reject").await, 64 * 1024);
}

#[tokio::test]
async fn gaps_are_written_down_and_change_the_epoch_of_what_follows() {
    let (mut desk, alice) = (Desk::open().await, Repo::new("alice"));
    let (from, to) = (Position::new(0, 0), Position::new(3, 40));
    let gap = Event { did: None, ..alice.event(Body::Gap { from, to }) };
    let reject = alice.event(Body::Reject { reason: "r".to_owned(), frame: Bytes::new() });
    let mut batch = desk.batch(vec![gap, reject]);
    (batch.events[0].seq, batch.events[1].seq, batch.new) = (39, 41, Position::new(3, 41));
    let prepared = desk.prepare(batch).await;
    let applied = desk.index.apply(&mut desk.client, &[prepared]).await.unwrap();
    assert_eq!((applied.gaps, applied.rejects), (1, 1));
    assert_eq!(
        desk.number("SELECT count(*) FROM gap WHERE part = 0 AND (from_epoch, from_seq, to_epoch, to_seq) = (0, 0, 3, 40)").await,
        1
    );
    assert_eq!(desk.number("SELECT epoch FROM reject WHERE seq = 41").await, 3);
}
