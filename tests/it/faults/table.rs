//! The faults of the system that this one replaces (its table of "what was wrong there"), each shown to be impossible here.

use std::time::Duration;

use appviewd::atproto::cbor::Value;
use appviewd::atproto::frame::Frame;
use appviewd::atproto::json;
use appviewd::atproto::{AtUri, Cid};
use appviewd::sandbox::{Network, Oracle};

use crate::support::relay::TestRelay;
use crate::support::stack::Stack;
use crate::support::{eventually, judge};

/// There: acknowledges on any error. PostgreSQL was away for 4 s, 4,067 of 10,000 events were lost, lag and pending both said 0.
#[tokio::test]
async fn an_error_acknowledges_nothing_and_the_lag_says_so() {
    let mut stack = Stack::start(101).await;
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.start().await.applied(stack.send(300), 60).await;
    stack.postgres.kill();
    let last = stack.send(1000);
    eventually("everything waits in the queue", 20, async || stack.queued(last)).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(daemon.number("/worker/queue_events").await, Some(1000), "1,000 events wait");
    stack.postgres.restart().await;
    daemon.applied(last, 60).await;
    stack.equals_model().await;
}

/// There: pending entries never claimed. A kill -9 left 25 events stranded for ever.
#[tokio::test]
async fn a_killed_worker_strands_nothing() {
    let mut stack = Stack::start(102).await;
    let mut ingest = stack.daemon("ingest", "ingest");
    let mut worker = stack.daemon("worker", "worker");
    ingest.start().await;
    let last = stack.send(1000);
    worker.dies_at("worker.before_commit:2", 30).await;
    // Another process, under another name, goes on.
    let mut other = stack.daemon("other", "worker");
    other.start().await.applied(last, 60).await;
    eventually("nothing waits", 20, async || other.number("/worker/queue_events").await == Some(0)).await;
    stack.equals_model().await;
}

/// There: the stream was trimmed by its length. With the worker down 2,004 of 10,000 events were left, and the lag hid it.
#[tokio::test]
async fn what_is_not_applied_is_not_trimmed_however_much_it_is() {
    let mut stack = Stack::start(103).await;
    let mut worker = stack.daemon("worker", "worker");
    let mut ingest = stack.daemon("ingest", "ingest");
    worker.start().await;
    ingest.start().await;
    worker.applied(stack.send(200), 60).await;
    worker.kill();
    let last = stack.send(10_000);
    eventually("all is queued", 60, async || stack.queued(last)).await;
    worker.start().await.applied(last, 120).await;
    assert_eq!(stack.relay.stats().connections(), 1, "nothing had to be fetched again");
    stack.equals_model().await;
}

/// There: the cursor was saved before the event. A crash between the two was a gap.
#[tokio::test]
async fn a_position_never_stands_before_its_events_are_queued() {
    let mut stack = Stack::start(104).await;
    let last = stack.send(800);
    let mut worker = stack.daemon("worker", "worker");
    let mut ingest = stack.daemon("ingest", "ingest");
    worker.start().await;
    for round in 1..=3 {
        ingest.dies_at(&format!("ingest.before_append:{round}"), 30).await;
        ingest.dies_at(&format!("ingest.after_append:{round}"), 30).await;
    }
    ingest.start().await;
    worker.applied(last, 60).await;
    stack.equals_model().await;
}

/// There: a reconnect used the cursor of the start: a gap, or a replay from the start of the process.
#[tokio::test]
async fn a_reconnect_goes_on_where_the_queue_stands() {
    let mut stack = Stack::start(105).await;
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.start().await.applied(stack.send(1000), 60).await;
    stack.relay.faults().drop_every(Some(200));
    let last = stack.send(1000);
    daemon.applied(last, 60).await;
    let cursors = stack.relay.stats().cursors();
    assert!(cursors.len() >= 4, "the relay dropped too few connections: {cursors:?}");
    assert!(cursors.iter().skip(1).all(|cursor| cursor.is_some_and(|at| at >= 900)), "a reconnect began further back: {cursors:?}");
    stack.equals_model().await;
}

/// There: insert-or-ignore, then count + 1. A replay doubled every like count.
#[tokio::test]
async fn a_whole_replay_changes_no_count() {
    let mut stack = Stack::start(106).await;
    let mut daemon = stack.daemon("all", "ingest,worker");
    let last = stack.send(1500);
    daemon.start().await.applied(last, 60).await;
    let before = stack.dump().await;
    assert!(before.iter().any(|line| line.starts_with("count ")), "nothing was counted");
    daemon.stop().await;
    // Another relay has the same events: another source, with positions of its own.
    let other = TestRelay::start();
    for (number, frame) in (1..).zip(&stack.frames) {
        other.log().push(number, frame.clone());
    }
    daemon.set("RELAY_URL", other.url()).start().await;
    eventually("the other relay's events are all read", 60, async || {
        other.stats().frames() >= 1500 && daemon.metric("appviewd_worker_events_total").await >= 1500.0
    })
    .await;
    eventually("nothing waits", 20, async || daemon.number("/worker/queue_events").await == Some(0)).await;
    assert_eq!(stack.dump().await, before);
}

/// There: events of one repo were handled in parallel: wrong counts, deleted records back from the dead.
#[tokio::test]
async fn one_repo_s_events_stay_in_order() {
    let mut stack = Stack::start(107).await;
    stack.network = Network::new(107, 3);
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.set("BATCH_SIZE", 40).start().await;
    let last = stack.send(2000);
    daemon.applied(last, 60).await;
    let model = stack.equals_model().await;
    assert!(model.repos.len() <= 3, "the events are of few repos");
    assert!(deletes(&stack.frames) > 50, "too little was deleted");
}

fn deletes(frames: &[Vec<u8>]) -> usize {
    let of_frame = |frame: &Vec<u8>| match Frame::parse(frame).unwrap() {
        Frame::Commit(commit) => commit.ops.iter().filter(|op| op.cid.is_none()).count(),
        _ => 0,
    };
    frames.iter().map(of_frame).sum()
}

/// There: updates were ignored and account status was only logged: stale posts, deactivated accounts visible.
#[tokio::test]
async fn updates_replace_and_a_status_hides_at_once() {
    let mut stack = Stack::start(108).await;
    let mut daemon = stack.daemon("all", "ingest,worker,api");
    daemon.start().await;
    // Statuses come and go: until one is set.
    while !Oracle::of(&stack.frames, stack.network.invalid()).repos.values().any(|repo| repo.status.is_some()) || stack.frames.len() < 2000
    {
        assert!(stack.frames.len() < 10_000, "no account is hidden");
        stack.send(200);
    }
    daemon.applied(stack.relay.log().head().seq, 60).await;
    let updates =
        |frame: &Vec<u8>| matches!(Frame::parse(frame).unwrap(), Frame::Commit(c) if c.ops.iter().any(|op| op.action == "update"));
    assert!(stack.frames.iter().filter(|frame| updates(frame)).count() > 10, "the network updated too little");
    let model = stack.equals_model().await;
    for (did, repo) in &model.repos {
        let body = daemon.get(&format!("/xrpc/app.bsky.actor.getProfile?actor={did}")).await.unwrap();
        assert_eq!(body.contains(&format!("\"did\":\"{did}\"")), repo.status.is_none(), "{did} {:?}: {body}", repo.status);
    }
}

/// There: unknown record types were dropped and field names mangled: no dates, no names, no avatars.
#[tokio::test]
async fn every_record_comes_back_field_by_field() {
    let mut stack = Stack::start(109).await;
    let mut daemon = stack.daemon("all", "ingest,worker,api");
    let last = stack.send(1000);
    daemon.start().await.applied(last, 60).await;
    let model = stack.equals_model().await;
    let mut collections = std::collections::BTreeSet::new();
    for (uri, record) in &model.records {
        let at = AtUri::parse(uri).unwrap();
        if model.repos[at.did].status.is_some() {
            continue;
        }
        let query = format!("/xrpc/com.atproto.repo.getRecord?repo={}&collection={}&rkey={}", at.did, at.collection, at.rkey);
        let answer: serde_json::Value = serde_json::from_str(&daemon.get(&query).await.unwrap()).unwrap();
        let value: Value = json::read_record(&answer["value"]).unwrap_or_else(|e| panic!("{uri}: {e}: {answer}"));
        assert_eq!(Cid::dag_cbor(&value.encode()), record.cid, "{uri}: {answer}");
        assert_eq!(answer["cid"], record.cid.to_string(), "{uri}");
        collections.insert(at.collection.to_owned());
    }
    assert!(collections.len() >= 7, "too few kinds of records: {collections:?}");
}

/// There: pending operations were only in memory, without a limit, and lost at a restart. Here a reply whose parent is not held is stored at
/// once, its parent's counts with it, and what waits is a row that a crash does not touch.
#[tokio::test]
async fn a_reply_without_its_parent_survives_a_crash() {
    let mut stack = Stack::start(110).await;
    // The index begins in the middle of the stream: what came before is never held.
    let skipped = usize::try_from(stack.send(800)).unwrap();
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.set("RELAY_CURSOR", 800).start().await;
    daemon.applied(stack.send(400), 60).await;
    daemon.kill();
    let last = stack.send(400);
    daemon.start().await.applied(last, 60).await;
    let model = Oracle::of(&stack.frames[skipped..], stack.network.invalid());
    let orphans =
        model.records.values().filter_map(|record| record.post()?.parent.as_ref()).filter(|parent| !model.records.contains_key(*parent));
    assert!(orphans.count() > 5, "too few replies lack their parents");
    crate::support::purge::finish(&stack.postgres).await;
    let held = stack.dump().await;
    judge::compare(&held, &model).assert_equal("after the crash");
    let waiting = i64::try_from(held.iter().filter(|line| line.starts_with("pending ")).count()).unwrap();
    assert!(waiting > 5, "{waiting} replies wait");
    eventually("the status says how many wait", 20, async || daemon.number("/worker/pending_ops").await == Some(waiting)).await;
}

/// There: tokens were accepted without checking their signatures: anyone could be anyone. Here such a request is refused.
#[tokio::test]
async fn a_forged_token_makes_nobody_of_anyone() {
    let mut stack = Stack::start(111).await;
    let mut daemon = stack.daemon("all", "ingest,worker,api");
    let last = stack.send(300);
    daemon.start().await.applied(last, 60).await;
    let path = format!("/xrpc/app.bsky.actor.getProfile?actor={}", stack.network.did(0));
    let payload = format!("{{\"iss\":\"{}\",\"aud\":\"did:web:localhost\",\"exp\":9999999999}}", stack.network.did(1));
    let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let token =
        format!("{}.{}.{}", encode("{\"alg\":\"ES256K\",\"typ\":\"JWT\"}"), encode(&payload), encode("no signature at all, of 64 bytes"));
    let anonymous = daemon.get(&path).await.unwrap();
    let forged = daemon.get_with(&path, &format!("Authorization: Bearer {token}\r\n")).await.unwrap();
    assert!(anonymous.contains("\"did\""), "{anonymous}");
    assert!(forged.starts_with("{\"error\":"), "{forged}");
}
