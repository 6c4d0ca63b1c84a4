//! The whole daemon against the sandbox's network and directory: what it shows of handles, and when.

use std::sync::Arc;
use std::time::Duration;

use appviewd::atproto::frame::{Frame, IdentityFrame};
use appviewd::atproto::{SigningKey, jwt};
use appviewd::sandbox::Network;
use appviewd::sandbox::directory::{Fault, Question};
use serde_json::Value;

use crate::support::daemon::Daemon;
use crate::support::directory::TestDirectory;
use crate::support::eventually;
use crate::support::sign_in;
use crate::support::stack::Stack;

const ACCOUNTS: usize = 12;

struct Rig {
    stack: Stack,
    directory: TestDirectory,
    daemon: Daemon,
}

impl Rig {
    /// Everything runs, and some events of a network are applied and resolved.
    async fn start(seed: u64) -> Self {
        let (mut stack, directory) = (Stack::start(seed).await, TestDirectory::start().await);
        stack.network = Network::new(seed, ACCOUNTS).known_to(Arc::clone(&directory.directory));
        let mut daemon = stack.daemon("all", "ingest,worker,api");
        daemon.set("APPVIEW_DID", sign_in::SERVICE).set("PLC_URL", directory.url()).set("APPVIEW_NET__CONNECT_TO", directory.detour());
        stack.send(120);
        daemon.start().await;
        let rig = Self { stack, directory, daemon };
        rig.settled().await;
        rig
    }

    /// Waits until everything that was sent is applied and resolved.
    async fn settled(&self) {
        let seq = self.stack.relay.log().head().seq;
        eventually("everything is applied and resolved", 60, async || {
            let Some(status) = self.daemon.status().await else { return false };
            let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_i64);
            number("/worker/applied_seq").is_some_and(|applied| applied >= seq) && number("/identity/pending") == Some(0)
        })
        .await;
    }

    /// The relay sends an #identity of the account.
    fn identity(&self, did: &str) -> i64 {
        let seq = self.stack.relay.log().head().seq + 1;
        let frame = IdentityFrame { seq, did, time: "2026-01-01T00:00:00.000Z", handle: None };
        self.stack.relay.log().push(seq, Frame::Identity(frame).encode());
        seq
    }

    async fn query(&self, path: &str) -> Value {
        serde_json::from_str(&self.daemon.get(&format!("/xrpc/{path}")).await.unwrap()).unwrap()
    }

    async fn handle(&self, did: &str) -> String {
        self.query(&format!("app.bsky.actor.getProfile?actor={did}")).await["handle"].as_str().unwrap_or_default().to_owned()
    }

    /// The DIDs of accounts that are shown.
    async fn shown(&self) -> Vec<String> {
        let sql = "SELECT did FROM account JOIN repo ON account = id WHERE status = 0 ORDER BY id";
        self.stack.postgres.connect().await.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// Two accounts with a handle.
    async fn two(&self) -> [(String, String); 2] {
        let all = self.shown().await;
        let mut named = all.into_iter().filter_map(|did| Some((self.directory.directory.verified(&did)?, did)));
        let mut next = || named.next().map(|(handle, did)| (did, handle)).unwrap();
        [next(), next()]
    }
}

#[tokio::test]
async fn handles_are_shown_where_both_directions_agree_and_name_accounts_in_requests() {
    let mut rig = Rig::start(41).await;
    rig.stack.send(400);
    rig.settled().await;
    let mut named = 0;
    for did in rig.shown().await {
        let verified = rig.directory.directory.verified(&did);
        assert_eq!(rig.handle(&did).await, verified.clone().unwrap_or("handle.invalid".to_owned()), "{did}");
        let Some(handle) = verified else { continue };
        named += 1;
        assert_eq!(rig.handle(&handle.to_uppercase()).await, handle);
        assert_eq!(rig.query(&format!("com.atproto.identity.resolveHandle?handle={handle}")).await["did"], *did);
    }
    assert!(named > ACCOUNTS / 2, "{named}");
    let unknown = rig.query("com.atproto.identity.resolveHandle?handle=nobody.sandbox.test").await;
    assert_eq!((&unknown["error"], &unknown["message"]), (&"InvalidRequest".into(), &"Unable to resolve handle".into()));
}

#[tokio::test]
async fn an_identity_event_has_the_account_resolved_anew() {
    let rig = Rig::start(42).await;
    let [(alice, old), _] = rig.two().await;
    let mut account = None;
    rig.directory.directory.change(&alice, |held| account = Some(held.clone()));
    let mut account = account.unwrap();
    account.handle = Some("renamed.sandbox.test".to_owned());
    rig.directory.directory.set(&alice, account);
    assert_eq!(rig.handle(&alice).await, old, "nobody has said that it changed");
    rig.identity(&alice);
    rig.settled().await;
    assert_eq!(rig.handle(&alice).await, "renamed.sandbox.test");
    // Claimed and not pointed to: nobody's.
    rig.directory.directory.point("renamed.sandbox.test", None);
    rig.identity(&alice);
    rig.settled().await;
    assert_eq!(rig.handle(&alice).await, "handle.invalid");
}

#[tokio::test]
async fn a_handle_that_moves_leaves_its_old_owner_without() {
    let rig = Rig::start(43).await;
    let [(alice, handle), (bob, _)] = rig.two().await;
    rig.directory.directory.point(&handle, Some(&bob));
    rig.directory.directory.change(&bob, |account| account.handle = Some(handle.clone()));
    rig.identity(&bob);
    rig.settled().await;
    assert_eq!((rig.handle(&bob).await, rig.handle(&alice).await), (handle, "handle.invalid".to_owned()));
}

#[tokio::test]
async fn a_claim_alone_does_not_take_a_handle() {
    let rig = Rig::start(44).await;
    let [(alice, handle), (bob, _)] = rig.two().await;
    rig.directory.directory.change(&bob, |account| account.handle = Some(handle.clone()));
    rig.identity(&bob);
    rig.settled().await;
    assert_eq!((rig.handle(&bob).await, rig.handle(&alice).await), ("handle.invalid".to_owned(), handle));
}

#[tokio::test]
async fn pending_counts_a_refresh_no_later_than_it_is_applied() {
    let rig = Rig::start(45).await;
    let [(alice, _), _] = rig.two().await;
    rig.directory.directory.fault(Question::Plc, &alice, Fault::Slow(Duration::from_secs(2)));
    rig.directory.directory.fault(Question::DidWeb, alice.trim_start_matches("did:web:"), Fault::Slow(Duration::from_secs(2)));
    for _ in 0..3 {
        let seq = rig.identity(&alice);
        eventually("it is applied", 20, async || {
            let status = rig.daemon.status().await.unwrap();
            let number = |pointer: &str| status.pointer(pointer).and_then(Value::as_i64).unwrap();
            let applied = number("/worker/applied_seq") >= seq;
            assert!(!applied || number("/identity/pending") > 0, "{status}");
            applied
        })
        .await;
        rig.settled().await;
    }
}

#[tokio::test]
async fn while_the_directory_is_away_events_are_applied_and_requests_answered() {
    let mut rig = Rig::start(46).await;
    let [(alice, handle), _] = rig.two().await;
    rig.directory.directory.go_away();
    rig.identity(&alice);
    let seq = rig.stack.send(200);
    rig.daemon.applied(seq, 30).await;
    assert!(rig.daemon.number("/identity/pending").await.unwrap() > 0);
    assert_eq!(rig.daemon.get("/ready").await.as_deref(), Some("ready\n"));
    assert_eq!(rig.handle(&handle).await, handle, "what was right a moment ago is shown");
    rig.directory.directory.heal();
    rig.settled().await;
    for did in rig.shown().await {
        let verified = rig.directory.directory.verified(&did);
        assert_eq!(rig.handle(&did).await, verified.unwrap_or("handle.invalid".to_owned()), "{did}");
    }
}

#[tokio::test]
async fn what_a_killed_worker_left_is_resolved_after_its_next_start() {
    let mut rig = Rig::start(47).await;
    let [(alice, _), _] = rig.two().await;
    rig.directory.directory.go_away();
    let seq = rig.identity(&alice);
    rig.daemon.applied(seq, 30).await;
    rig.daemon.kill();
    rig.directory.directory.heal();
    rig.directory.directory.point("again.sandbox.test", Some(&alice));
    rig.directory.directory.change(&alice, |account| account.handle = Some("again.sandbox.test".to_owned()));
    rig.daemon.start().await;
    rig.settled().await;
    assert_eq!(rig.handle(&alice).await, "again.sandbox.test");
}

/// The one cache of the process: what the worker finds out after the event is what the API believes.
#[tokio::test]
async fn a_key_that_was_given_up_opens_nothing_once_its_event_is_applied() {
    let rig = Rig::start(48).await;
    let [(alice, _), _] = rig.two().await;
    let [old, new] = ["old", "new"].map(sign_in::key);
    let path = format!("/xrpc/app.bsky.actor.getProfile?actor={alice}");
    let ask = async || {
        let token = jwt::issue(&sign_in::claims(&alice, &path), &old);
        rig.daemon.get_with(&path, &format!("Authorization: Bearer {token}\r\n")).await.unwrap()
    };
    let changed_to = async |key: &SigningKey| {
        rig.directory.directory.change(&alice, |account| account.key = key.multibase());
        rig.identity(&alice);
        rig.settled().await;
    };
    changed_to(&old).await;
    assert!(ask().await.contains("\"viewer\""), "it is signed in: {}", ask().await);
    changed_to(&new).await;
    assert!(ask().await.contains("BadJwtSignature"), "{}", ask().await);
}
