//! What each command does. Every look at the tables comes right after the answer.

use appviewd::api::commands::SubmitError;
use appviewd::atproto::Cid;
use appviewd::queue::command::{Body, Subject};

use super::rig::{ALICE, BOB, CAROL, Client, account, id, mute, mutes, now, queue, queued, record, rows, scoped, seen, take_down, unmute};
use crate::support::owned::owned;
use crate::support::{eventually, purge};
use crate::worker::rig::{Rig, Worker};

const TID: &str = "3kabcdefgh222";

async fn start() -> (Rig, Worker, Client) {
    let rig = Rig::start(1).await;
    let (worker, client) = (rig.worker("one"), Client::of(&rig));
    (rig, worker, client)
}

fn refused(outcome: Result<(), SubmitError>) -> String {
    match outcome {
        Err(SubmitError::Refused(refusal)) => refusal.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn muting_again_replaces_the_scope_in_place() {
    let (rig, _worker, client) = start().await;
    client.give(mute(ALICE, BOB)).await.unwrap();
    let time = rows(&rig.postgres, "SELECT time FROM mute").await;
    client.give(mute(ALICE, CAROL)).await.unwrap();
    client.give(scoped(ALICE, BOB, true, false)).await.unwrap();
    assert_eq!(mutes(&rig.postgres).await, [format!("{ALICE} {BOB} 1"), format!("{ALICE} {CAROL} 0")]);
    assert_eq!(rows(&rig.postgres, "SELECT time FROM mute WHERE scope = 1").await, time, "its place among the mutes");
    client.give(scoped(ALICE, BOB, true, true)).await.unwrap();
    client.give(scoped(ALICE, CAROL, false, true)).await.unwrap();
    assert_eq!(mutes(&rig.postgres).await, [format!("{ALICE} {BOB} 3"), format!("{ALICE} {CAROL} 2")]);
    client.give(mute(ALICE, BOB)).await.unwrap();
    assert_eq!(mutes(&rig.postgres).await[0], format!("{ALICE} {BOB} 0"));
    assert_eq!(queued(&rig), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn unmuting_ends_a_mute_and_needs_none() {
    let (rig, _worker, client) = start().await;
    client.give(unmute(ALICE, BOB)).await.unwrap();
    client.give(mute(ALICE, BOB)).await.unwrap();
    client.give(mute(BOB, ALICE)).await.unwrap();
    client.give(unmute(ALICE, BOB)).await.unwrap();
    assert_eq!(mutes(&rig.postgres).await, [format!("{BOB} {ALICE} 0")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_mutes_themselves() {
    let (rig, _worker, client) = start().await;
    assert_eq!(refused(client.give(mute(ALICE, ALICE)).await), "InvalidRequest: Cannot mute oneself");
    assert_eq!(mutes(&rig.postgres).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_threads_are_muted_by_address_held_or_not() {
    let (rig, _worker, client) = start().await;
    let (alice, list) = (|| ALICE.parse().unwrap(), |key: &str| format!("at://{BOB}/app.bsky.graph.list/{key}").parse().unwrap());
    let post = |key: &str| format!("at://{CAROL}/app.bsky.feed.post/{key}").parse().unwrap();
    client.give(Body::MuteActorList { account: alice(), list: list(TID) }).await.unwrap();
    client.give(Body::MuteActorList { account: alice(), list: list("friends") }).await.unwrap();
    client.give(Body::MuteActorList { account: alice(), list: list(TID) }).await.unwrap();
    client.give(Body::MuteThread { account: alice(), root: post(TID) }).await.unwrap();
    client.give(Body::MuteThread { account: alice(), root: post("first") }).await.unwrap();
    let lists = "SELECT s.did, coalesce(k.real_rkey, 'tid') FROM list_mute m JOIN account s ON s.id = m.sa
        LEFT JOIN rkey_alias k ON k.author = m.sa AND k.coll = 8 AND k.rkey = m.sr";
    let threads = "SELECT s.did, coalesce(k.real_rkey, 'tid') FROM thread_mute m JOIN account s ON s.id = m.sa
        LEFT JOIN rkey_alias k ON k.author = m.sa AND k.coll = 2 AND k.rkey = m.sr";
    assert_eq!(rows(&rig.postgres, lists).await, [format!("{BOB} friends"), format!("{BOB} tid")]);
    assert_eq!(rows(&rig.postgres, threads).await, [format!("{CAROL} first"), format!("{CAROL} tid")]);
    client.give(Body::UnmuteActorList { account: alice(), list: list("friends") }).await.unwrap();
    client.give(Body::UnmuteThread { account: alice(), root: post(TID) }).await.unwrap();
    assert_eq!(rows(&rig.postgres, lists).await, [format!("{BOB} tid")]);
    assert_eq!(rows(&rig.postgres, threads).await, [format!("{CAROL} first")]);
    let wrong = refused(client.give(Body::MuteActorList { account: alice(), list: post(TID) }).await);
    assert_eq!(wrong, "InvalidRequest: Not a record of app.bsky.graph.list");
    let wrong = refused(client.give(Body::MuteThread { account: alice(), root: list(TID) }).await);
    assert_eq!(wrong, "InvalidRequest: Not a record of app.bsky.feed.post");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seen_mark_is_what_the_client_said_last() {
    let (rig, _worker, client) = start().await;
    let marks = "SELECT a.did, m.time FROM seen m JOIN account a ON a.id = m.account";
    for time in [1_700_000_000_000_000, 1_800_000_000_000_000, 0] {
        client.give(seen(ALICE, time)).await.unwrap();
        assert_eq!(rows(&rig.postgres, marks).await, [format!("{ALICE} {time}")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_records_and_blobs_are_taken_down_and_shown_again() {
    let (rig, _worker, client) = start().await;
    let blob = || Subject::Blob { did: BOB.parse().unwrap(), cid: Cid::raw(b"picture") };
    let profile = format!("at://{BOB}/app.bsky.actor.profile/self");
    let foreign = format!("at://{BOB}/com.example.blog/{TID}");
    let held = "SELECT 'account', coalesce(ref, 'none') FROM takedown_account
        UNION ALL SELECT 'record', coalesce(ref, 'none') FROM takedown_record
        UNION ALL SELECT 'blob', coalesce(ref, 'none') FROM takedown_blob";
    client.give(take_down(account(BOB), Some("one"))).await.unwrap();
    client.give(take_down(record(&profile), None)).await.unwrap();
    client.give(take_down(record(&foreign), Some("a\0b"))).await.unwrap();
    client.give(take_down(blob(), Some("three"))).await.unwrap();
    assert_eq!(rows(&rig.postgres, held).await, ["account one", "blob three", "record ab", "record none"]);
    client.give(take_down(account(BOB), Some("two"))).await.unwrap();
    for subject in [record(&profile), record(&foreign), blob()] {
        client.give(Body::Takedown { subject, applied: false, reference: None }).await.unwrap();
    }
    assert_eq!(rows(&rig.postgres, held).await, ["account two"]);
    client.give(Body::Takedown { subject: account(BOB), applied: false, reference: None }).await.unwrap();
    client.give(Body::Takedown { subject: account(CAROL), applied: false, reference: None }).await.unwrap();
    assert_eq!(rows(&rig.postgres, held).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_of_which_nothing_is_held_is_trusted_at_once() {
    let (rig, _worker, client) = start().await;
    let trusted = "SELECT a.did FROM trusted_verifier v JOIN account a ON a.id = v.subject";
    client.give(Body::TrustVerifier { verifier: CAROL.parse().unwrap(), trusted: true }).await.unwrap();
    client.give(Body::TrustVerifier { verifier: CAROL.parse().unwrap(), trusted: true }).await.unwrap();
    assert_eq!(rows(&rig.postgres, trusted).await, [CAROL]);
    client.give(Body::TrustVerifier { verifier: CAROL.parse().unwrap(), trusted: false }).await.unwrap();
    assert_eq!(rows(&rig.postgres, trusted).await, Vec::<String>::new());
}

/// What waits together is applied in one transaction, as if each had been applied alone.
#[tokio::test(flavor = "multi_thread")]
async fn commands_that_wait_together_keep_their_order() {
    let rig = Rig::start(2).await;
    let now = now();
    let bodies = [
        mute(ALICE, BOB),
        unmute(ALICE, BOB),
        scoped(ALICE, BOB, true, false),
        scoped(ALICE, BOB, false, true),
        mute(ALICE, CAROL),
        unmute(ALICE, CAROL),
        seen(ALICE, 9),
        seen(ALICE, 5),
        take_down(account(BOB), Some("old")),
        take_down(account(BOB), Some("new")),
    ];
    for (n, body) in (0..).zip(bodies) {
        queue(&rig, n, now + i64::try_from(n).unwrap(), body).await;
    }
    let worker = rig.worker("one");
    eventually("all are applied", 20, async || queued(&rig) == "0").await;
    assert_eq!(worker.telemetry.metrics().worker.commands.get("done"), 10);
    assert_eq!(rows(&rig.postgres, "SELECT scope, time FROM mute").await, [format!("2 {}", now + 2)]);
    assert_eq!(rows(&rig.postgres, "SELECT time FROM seen").await, ["5"]);
    assert_eq!(rows(&rig.postgres, "SELECT ref, time FROM takedown_account").await, [format!("new {}", now + 9)]);
    let transactions = rows(&rig.postgres, "SELECT DISTINCT xmin::text FROM command").await;
    assert_eq!(transactions.len(), 1, "{transactions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_account_s_private_rows_go_and_none_come() {
    let (rig, _worker, client) = start().await;
    let (bob, list) = (|| BOB.parse().unwrap(), || format!("at://{ALICE}/app.bsky.graph.list/{TID}").parse().unwrap());
    let profile = format!("at://{BOB}/app.bsky.actor.profile/self");
    client.give(mute(BOB, ALICE)).await.unwrap();
    client.give(mute(ALICE, BOB)).await.unwrap();
    client.give(Body::MuteActorList { account: bob(), list: list() }).await.unwrap();
    let root = format!("at://{ALICE}/app.bsky.feed.post/{TID}").parse().unwrap();
    client.give(Body::MuteThread { account: bob(), root }).await.unwrap();
    client.give(seen(BOB, 5)).await.unwrap();
    client.give(take_down(record(&profile), None)).await.unwrap();
    let postgres = rig.postgres.connect().await;
    assert_eq!(owned(&postgres, BOB).await.len(), 5, "{:?}", owned(&postgres, BOB).await);
    postgres.execute("INSERT INTO repo (account, status, purge) SELECT id, 3, true FROM account WHERE did = $1", &[&BOB]).await.unwrap();
    assert_eq!(refused(client.give(seen(BOB, 6)).await), "InvalidRequest: Account not found");
    purge::finish(&rig.postgres).await;
    // What moderators know it by stays, so that it stays hidden when it comes back.
    assert_eq!(owned(&postgres, BOB).await, [("rkey_alias.author".to_owned(), 1)]);
    assert_eq!(refused(client.give(mute(BOB, CAROL)).await), "InvalidRequest: Account not found");
    assert_eq!(mutes(&rig.postgres).await, [format!("{ALICE} {BOB} 0")], "what others want of it is theirs");
}

/// A collection that the code has learnt meanwhile: its records are renumbered before anything is applied, and what was taken down with them.
#[tokio::test(flavor = "multi_thread")]
async fn takedowns_follow_their_collection_s_number() {
    let rig = Rig::start(3).await;
    let setup = format!(
        "INSERT INTO collection (nsid) VALUES ('app.bsky.feed.generator');
         INSERT INTO account (did) VALUES ('{BOB}');
         INSERT INTO rkey_alias (author, coll, real_rkey) SELECT a.id, c.id, 'cats' FROM account a, collection c;
         INSERT INTO takedown_record (sr, sa, coll, time) SELECT rkey, author, coll, 7 FROM rkey_alias"
    );
    rig.postgres.connect().await.batch_execute(&setup).await.unwrap();
    let (_worker, client) = (rig.worker("one"), Client::of(&rig));
    let uri = format!("at://{BOB}/app.bsky.feed.generator/cats");
    client.give(mute(ALICE, BOB)).await.unwrap();
    assert_eq!(rows(&rig.postgres, "SELECT coll, time FROM takedown_record").await, ["7 7"]);
    client.give(Body::Takedown { subject: record(&uri), applied: false, reference: None }).await.unwrap();
    assert_eq!(rows(&rig.postgres, "SELECT * FROM takedown_record").await, Vec::<String>::new(), "the same record");
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_are_forgotten_after_a_day() {
    let (rig, worker, client) = start().await;
    client.give_as(id(1), mute(ALICE, BOB)).await.unwrap();
    client.give_as(id(2), mute(ALICE, CAROL)).await.unwrap();
    worker.stop().await.unwrap();
    let old = "UPDATE command SET applied_at = now() - interval '25 hours' WHERE get_byte(id, 7) = 1";
    assert_eq!(rig.postgres.connect().await.execute(old, &[]).await.unwrap(), 1);
    let _worker = rig.worker("two");
    eventually("the old one is forgotten", 20, async || rows(&rig.postgres, "SELECT get_byte(id, 7) FROM command").await == ["2"]).await;
}
