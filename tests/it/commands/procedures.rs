//! Procedures over HTTP, by accounts with tokens and by admins: in effect when the answer comes.

use appviewd::atproto::Cid;
use appviewd::queue::Queue;
use serde_json::{Value, json};

use super::rig::{ALICE, BOB, mutes, queued, rows};
use super::server::{Answer, Server, admin, error};
use crate::support::eventually;
use crate::worker::rig::{Rig, Worker};

const TID: &str = "3kabcdefgh222";
const DONE: Answer = (200, Value::Null);

async fn start() -> (Rig, Worker, Server) {
    let rig = Rig::start(1).await;
    let (worker, server) = (rig.worker("one"), Server::start(&rig).await);
    (rig, worker, server)
}

fn list(did: &str) -> String {
    format!("at://{did}/app.bsky.graph.list/{TID}")
}

fn root(did: &str) -> String {
    format!("at://{did}/app.bsky.feed.post/{TID}")
}

/// Every procedure with a body that fits.
fn bodies() -> Vec<(&'static str, Value)> {
    vec![
        ("app.bsky.graph.muteActor", json!({ "actor": BOB })),
        ("app.bsky.graph.muteActorList", json!({ "list": list(BOB) })),
        ("app.bsky.graph.muteThread", json!({ "root": root(BOB) })),
        ("app.bsky.graph.unmuteActor", json!({ "actor": BOB })),
        ("app.bsky.graph.unmuteActorList", json!({ "list": list(BOB) })),
        ("app.bsky.graph.unmuteThread", json!({ "root": root(BOB) })),
        ("app.bsky.notification.updateSeen", json!({ "seenAt": "2026-01-02T03:04:05.678Z" })),
    ]
}

fn take_down(subject: &Value, applied: bool) -> Value {
    json!({ "subject": subject, "takedown": { "applied": applied, "ref": "case" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_procedure_has_its_effect_when_it_answers() {
    let (rig, _worker, server) = start().await;
    let held = "SELECT 'account', a.did FROM mute m JOIN account a ON a.id = m.subject
        UNION ALL SELECT 'list', a.did FROM list_mute m JOIN account a ON a.id = m.sa
        UNION ALL SELECT 'thread', a.did FROM thread_mute m JOIN account a ON a.id = m.sa
        UNION ALL SELECT 'seen', m.time::text FROM seen m";
    let [account, list, thread] = ["account", "list", "thread"].map(|kind| format!("{kind} {BOB}"));
    let (seen, mut expected) = ("seen 1767323045678000".to_owned(), Vec::new());
    for (nsid, body) in bodies() {
        assert_eq!(server.call(ALICE, nsid, &body).await, DONE, "{nsid}");
        match nsid.rsplit('.').next().unwrap() {
            "muteActor" => expected.push(account.clone()),
            "muteActorList" => expected.push(list.clone()),
            "muteThread" => expected.push(thread.clone()),
            "unmuteActor" => expected.retain(|row| *row != account),
            "unmuteActorList" => expected.retain(|row| *row != list),
            "unmuteThread" => expected.retain(|row| *row != thread),
            _ => expected.push(seen.clone()),
        }
        expected.sort();
        assert_eq!(rows(&rig.postgres, held).await, expected, "{nsid}");
    }
    let scoped = json!({ "actor": BOB, "onlyReposts": true, "onlyQuoteposts": true });
    assert_eq!(server.call(ALICE, "app.bsky.graph.muteActor", &scoped).await, DONE);
    assert_eq!(mutes(&rig.postgres).await, [format!("{ALICE} {BOB} 3")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_for_nobody() {
    let (rig, _worker, server) = start().await;
    for (nsid, body) in bodies() {
        let answer = server.ask("POST", &format!("/xrpc/{nsid}"), "", &body.to_string()).await;
        assert_eq!(answer, error(401, "AuthMissing", "Authentication Required"), "{nsid}");
    }
    let down = take_down(&json!({ "$type": "com.atproto.admin.defs#repoRef", "did": BOB }), true);
    let (status, _) = server.call(ALICE, "com.atproto.admin.updateSubjectStatus", &down).await;
    assert_eq!(status, 401, "an account is no moderator");
    let trust = json!({ "did": BOB, "trusted": true }).to_string();
    let refused = error(401, "AuthenticationRequired", "Authentication Required");
    assert_eq!(server.ask("POST", "/xrpc/com.atproto.admin.updateSubjectStatus", "", &down.to_string()).await, refused);
    assert_eq!(server.ask("GET", &format!("/xrpc/com.atproto.admin.getSubjectStatus?did={BOB}"), "", "").await, refused);
    assert_eq!(server.ask("POST", "/api/admin/trusted-verifiers", "", &trust).await, refused);
    assert_eq!(rows(&rig.postgres, "SELECT * FROM command").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_in_the_reference_s_words() {
    let (rig, _worker, server) = start().await;
    let invalid = |message: &str| error(400, "InvalidRequest", message);
    for nsid in ["app.bsky.graph.muteActor", "app.bsky.graph.unmuteActor"] {
        assert_eq!(server.call(ALICE, nsid, &json!({ "actor": ALICE })).await, invalid("Cannot mute oneself"));
        assert_eq!(server.call(ALICE, nsid, &json!({ "actor": "nobody.example" })).await, invalid("Actor not found"));
    }
    for (nsid, body) in [
        ("app.bsky.graph.muteActor", json!({ "actor": "no actor" })),
        ("app.bsky.graph.muteActorList", json!({ "list": root(BOB) })),
        ("app.bsky.graph.muteActorList", json!({ "list": format!("at://{BOB}") })),
        ("app.bsky.graph.muteThread", json!({ "root": list(BOB) })),
        ("app.bsky.notification.updateSeen", json!({ "seenAt": "today" })),
        ("app.bsky.notification.updateSeen", json!({})),
    ] {
        let (status, answer) = server.call(ALICE, nsid, &body).await;
        assert_eq!((status, &answer["error"]), (400, &json!("InvalidRequest")), "{nsid} {body}: {answer}");
    }
    assert_eq!(rows(&rig.postgres, "SELECT * FROM command").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn handles_name_whom_they_were_verified_for() {
    let (rig, _worker, server) = start().await;
    let bob = format!("INSERT INTO account (did, handle) VALUES ('{BOB}', 'bob.example')");
    rig.postgres.connect().await.batch_execute(&bob).await.unwrap();
    assert_eq!(server.call(ALICE, "app.bsky.graph.muteActor", &json!({ "actor": "Bob.example" })).await, DONE);
    assert_eq!(server.call(ALICE, "app.bsky.graph.muteActorList", &json!({ "list": list("bob.example") })).await, DONE);
    assert_eq!(mutes(&rig.postgres).await, [format!("{ALICE} {BOB} 0")]);
    let lists = "SELECT a.did FROM list_mute m JOIN account a ON a.id = m.sa";
    assert_eq!(rows(&rig.postgres, lists).await, [BOB]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moderators_take_down_is_told_and_shown_again() {
    let mut rig = Rig::start(1).await;
    let (_feeder, _feeding) = rig.feeder();
    let seq = rig.send(40);
    let (_worker, server) = (rig.worker("one"), Server::start(&rig).await);
    rig.applied(seq, 60).await;
    let (update, get) = ("/xrpc/com.atproto.admin.updateSubjectStatus", "com.atproto.admin.getSubjectStatus");
    let held = "SELECT a.did FROM record_other o JOIN account a ON a.id = o.author WHERE o.coll = 1 AND o.rkey =
        (SELECT rkey FROM rkey_alias k WHERE k.author = o.author AND k.coll = 1 AND k.real_rkey = 'self') LIMIT 1";
    let did = rows(&rig.postgres, held).await.pop().expect("a profile");
    let uri = format!("at://{did}/app.bsky.actor.profile/self");
    let (status, shown) = server.look(get, &format!("uri={uri}")).await;
    assert_eq!((status, &shown["takedown"]), (200, &json!({ "applied": false })));
    let cid = Cid::raw(b"picture").to_string();
    let subjects = [
        (json!({ "$type": "com.atproto.admin.defs#repoRef", "did": did }), format!("did={did}")),
        (shown["subject"].clone(), format!("uri={uri}")),
        (json!({ "$type": "com.atproto.admin.defs#repoBlobRef", "did": did, "cid": cid }), format!("did={did}&blob={cid}")),
    ];
    for (subject, query) in subjects {
        for applied in [true, false] {
            let change = take_down(&subject, applied);
            assert_eq!(server.administer(update, &change).await, (200, change));
            let takedown = if applied { json!({ "applied": true, "ref": "case" }) } else { json!({ "applied": false }) };
            assert_eq!(server.look(get, &query).await, (200, json!({ "subject": subject, "takedown": takedown })));
        }
        let nothing = json!({ "subject": subject });
        assert_eq!(server.administer(update, &nothing).await, (200, nothing), "what is not said is not changed");
    }
    let not_found = error(400, "NotFound", "Subject not found");
    assert_eq!(server.look(get, &format!("did={BOB}")).await, not_found);
    assert_eq!(server.look(get, &format!("uri={}", root(&did))).await, not_found);
    assert_eq!(server.look(get, "").await, error(400, "InvalidRequest", "No provided subject"));
    assert_eq!(server.look(get, &format!("blob={cid}")).await, error(400, "InvalidRequest", "Must provide a did to request blob state"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_is_trusted_when_the_answer_comes() {
    let (rig, _worker, server) = start().await;
    let path = "/api/admin/trusted-verifiers";
    let trusted = "SELECT a.did FROM trusted_verifier v JOIN account a ON a.id = v.subject";
    for (given, expected) in [(true, vec![BOB]), (false, vec![])] {
        let trust = json!({ "did": BOB, "trusted": given });
        assert_eq!(server.administer(path, &trust).await, (200, trust));
        assert_eq!(rows(&rig.postgres, trusted).await, expected);
    }
    for wrong in
        [json!({ "did": "bob" , "trusted": true }), json!({ "did": BOB }), json!({ "did": BOB, "trusted": true, "more": 1 }), json!([])]
    {
        assert_eq!(server.administer(path, &wrong).await.0, 400, "{wrong}");
    }
    let form = format!("{}content-type: text/plain\r\n", admin());
    let body = json!({ "did": BOB, "trusted": true }).to_string();
    assert_eq!(server.ask("POST", path, &form, &body).await.0, 400, "nor what a page of another site can send");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_repeated_under_its_key_has_its_effect_once() {
    let (rig, _worker, server) = start().await;
    let (mute, body, key) = ("app.bsky.graph.muteActor", json!({ "actor": BOB }), "idempotency-key: one\r\n");
    assert_eq!(server.call_with(ALICE, mute, &body, key).await, DONE);
    assert_eq!(server.call(ALICE, "app.bsky.graph.unmuteActor", &body).await, DONE);
    assert_eq!(server.call_with(ALICE, mute, &body, key).await, DONE);
    assert_eq!(mutes(&rig.postgres).await, Vec::<String>::new());
    // The key is the caller's own, and of this request.
    assert_eq!(server.call_with(BOB, mute, &json!({ "actor": ALICE }), key).await, DONE);
    assert_eq!(server.call_with(ALICE, mute, &json!({ "actor": BOB, "onlyReposts": true }), key).await, DONE);
    assert_eq!(mutes(&rig.postgres).await, [format!("{ALICE} {BOB} 1"), format!("{BOB} {ALICE} 0")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_worker_the_client_is_told_after_a_while_that_it_is_open() {
    let rig = Rig::start(1).await;
    let server = Server::start(&rig).await;
    let answer = server.call(ALICE, "app.bsky.graph.muteActor", &json!({ "actor": BOB })).await;
    let text = "The request may or may not be applied; repeating it with the same Idempotency-Key is safe";
    assert_eq!(answer, error(503, "ServiceUnavailable", text));
    assert_eq!(queued(&rig), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_go_on_without_redis() {
    let mut rig = Rig::start(1).await;
    let away = Server::start(&rig).await;
    rig.redis.kill();
    let body = json!({ "actor": BOB });
    let writing = away.call(ALICE, "app.bsky.graph.muteActor", &body);
    let reading = async {
        for _ in 0..20 {
            assert_eq!(away.ask("GET", "/xrpc/_health", "", "").await.0, 200);
            assert_eq!(away.ask("GET", &format!("/xrpc/app.bsky.actor.getProfile?actor={BOB}"), "", "").await.0, 400);
        }
    };
    let ((status, _), ()) = tokio::join!(writing, reading);
    assert_eq!(status, 503);
    // A process that was given no queue cannot write at all.
    let none: Option<Queue> = None;
    let without = Server::with(&rig, none).await;
    let answer = without.call(ALICE, "app.bsky.graph.muteActor", &json!({ "actor": BOB })).await;
    assert_eq!(answer, error(501, "MethodNotImplemented", "Method Not Implemented"));
    rig.redis.restart().await;
    let _worker = rig.worker("one");
    eventually("writing goes on", 30, async || away.call(ALICE, "app.bsky.graph.muteActor", &json!({ "actor": BOB })).await == DONE).await;
}
