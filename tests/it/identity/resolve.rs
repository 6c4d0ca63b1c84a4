//! DIDs and handles are resolved, remembered, and asked for once at a time.

use std::time::Duration;

use appviewd::atproto::{Did, SigningKey};
use appviewd::identity::{Document, Freshness, Identities, IdentityError};
use appviewd::sandbox::directory::{Fault, Question};
use appviewd::telemetry::Telemetry;
use futures_util::future::join_all;

use crate::support::directory::TestDirectory;

pub const ALICE: &str = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";
pub const BOB: &str = "did:plc:bobbbbbbbbbbbbbbbbbbbbbb";
const CAROL: &str = "did:web:carol.test";

pub fn did(text: &str) -> Did {
    text.parse().unwrap()
}

pub fn identities(directory: &TestDirectory) -> Identities {
    Identities::new(&directory.config(), &Telemetry::new(&["api"]))
}

fn is_signed_by(document: &Document, key: &SigningKey) -> bool {
    document.signing_key.as_ref().is_some_and(|public| public.verify(b"message", &key.sign(b"message")))
}

#[tokio::test]
async fn documents_of_both_kinds_are_found_with_handles_keys_and_hosts() {
    let directory = TestDirectory::start().await;
    let identities = identities(&directory);
    for (text, handle, secret) in [(ALICE, "alice.test", 1), (CAROL, "carol.test", 2)] {
        let key = directory.account(text, handle, secret);
        let document = identities.document(&did(text), Freshness::Cached).await.unwrap();
        assert_eq!((document.did.as_str(), document.handle.as_deref()), (text, Some(handle)));
        assert_eq!(document.pds.as_deref(), Some("https://pds.sandbox.test"));
        assert!(is_signed_by(&document, &key));
        assert_eq!(identities.did_of(handle).await.unwrap(), Some(did(text)));
        assert_eq!(identities.did_of(&handle.to_uppercase()).await.unwrap(), Some(did(text)));
    }
}

#[tokio::test]
async fn many_who_ask_for_one_name_at_once_send_one_request() {
    let directory = TestDirectory::start().await;
    directory.account(ALICE, "alice.test", 1);
    directory.directory.fault(Question::Plc, ALICE, Fault::Slow(Duration::from_millis(200)));
    directory.directory.fault(Question::WellKnown, "alice.test", Fault::Slow(Duration::from_millis(200)));
    let (identities, alice) = (identities(&directory), did(ALICE));
    let documents = join_all((0..50).map(|_| identities.document(&alice, Freshness::Cached)));
    let forced = join_all((0..50).map(|_| identities.document(&alice, Freshness::Forced)));
    let handles = join_all((0..50).map(|_| identities.did_of("alice.test")));
    let (documents, forced, handles) = tokio::join!(documents, forced, handles);
    assert!(documents.iter().chain(&forced).all(Result::is_ok));
    assert!(handles.iter().all(|found| found.as_ref().is_ok_and(|found| found.as_ref() == Some(&alice))));
    let asked = |question, name| directory.directory.asked(question, name);
    assert!((1..=2).contains(&asked(Question::Plc, ALICE)), "one for the cached, one for the forced: {}", asked(Question::Plc, ALICE));
    assert_eq!(asked(Question::WellKnown, "alice.test"), 1);
}

#[tokio::test]
async fn an_answer_is_remembered_and_a_forced_one_is_new() {
    let directory = TestDirectory::start().await;
    let old = directory.account(ALICE, "alice.test", 1);
    let (identities, alice) = (identities(&directory), did(ALICE));
    assert!(is_signed_by(&identities.document(&alice, Freshness::Cached).await.unwrap(), &old));
    let new = directory.account(ALICE, "alice.test", 2);
    assert!(is_signed_by(&identities.document(&alice, Freshness::Cached).await.unwrap(), &old));
    assert!(is_signed_by(&identities.document(&alice, Freshness::Forced).await.unwrap(), &new));
    assert!(is_signed_by(&identities.document(&alice, Freshness::Cached).await.unwrap(), &new));
    for _ in 0..20 {
        identities.document(&alice, Freshness::Forced).await.unwrap();
    }
    assert_eq!(directory.directory.asked(Question::Plc, ALICE), 2, "forcing again and again costs the directory nothing");
}

#[tokio::test]
async fn that_there_is_none_is_remembered_too() {
    let directory = TestDirectory::start().await;
    let identities = identities(&directory);
    for _ in 0..3 {
        assert!(matches!(identities.document(&did(ALICE), Freshness::Cached).await, Err(IdentityError::NotFound)));
        assert_eq!(identities.did_of("nobody.test").await.unwrap(), None);
    }
    assert_eq!(directory.directory.asked(Question::Plc, ALICE), 1);
    assert_eq!(directory.directory.asked(Question::WellKnown, "nobody.test"), 1);
}

#[tokio::test]
async fn what_was_right_is_used_while_the_directory_is_away() {
    let directory = TestDirectory::start().await;
    let key = directory.account(ALICE, "alice.test", 1);
    let (identities, alice) = (identities(&directory), did(ALICE));
    identities.document(&alice, Freshness::Cached).await.unwrap();
    directory.directory.go_away();
    assert!(is_signed_by(&identities.document(&alice, Freshness::Forced).await.unwrap(), &key));
    assert!(matches!(identities.document(&did(BOB), Freshness::Cached).await, Err(IdentityError::Away(_))));
    directory.directory.heal();
    directory.account(BOB, "bob.test", 2);
    crate::support::eventually("bob is found", 10, async || identities.document(&did(BOB), Freshness::Forced).await.is_ok()).await;
}

#[tokio::test]
async fn a_resolver_takes_the_place_of_dns_and_hosts() {
    let directory = TestDirectory::start().await;
    directory.account(ALICE, "alice.test", 1);
    let mut config = directory.config();
    config.identity.handle_resolver_url = Some(directory.url());
    let identities = Identities::new(&config, &Telemetry::new(&["api"]));
    assert_eq!(identities.did_of("alice.test").await.unwrap(), Some(did(ALICE)));
    assert_eq!(identities.did_of("bob.test").await.unwrap(), None);
    assert_eq!(directory.directory.asked(Question::Resolver, "alice.test"), 1);
    assert_eq!(directory.directory.asked(Question::WellKnown, "alice.test"), 0);
    directory.directory.go_away();
    assert!(matches!(identities.did_of("carol.test").await, Err(IdentityError::Away(_))));
}

#[tokio::test]
async fn dns_is_asked_before_the_handles_own_host() {
    let directory = TestDirectory::start().await;
    directory.account(ALICE, "alice.test", 1);
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut config = directory.config();
    // The hosts are reached, but the name servers are asked as for any other name.
    config.net.connect_to = None;
    config.net.dns_server = Some(socket.local_addr().unwrap().to_string());
    let server = tokio::spawn(async move {
        let mut question = [0; 512];
        let (length, peer) = socket.recv_from(&mut question).await.unwrap();
        // The question, without its second part, as an answer with one record.
        let mut answer = question[..length - 11].to_vec();
        answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
        let text = format!("did={BOB}");
        answer.extend([0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 60, 0, u8::try_from(text.len() + 1).unwrap(), u8::try_from(text.len()).unwrap()]);
        answer.extend(text.as_bytes());
        socket.send_to(&answer, peer).await.unwrap();
        String::from_utf8_lossy(&question[12..length]).into_owned()
    });
    let identities = Identities::new(&config, &Telemetry::new(&["api"]));
    assert_eq!(identities.did_of("alice.test").await.unwrap(), Some(did(BOB)));
    let asked = server.await.unwrap();
    assert!(asked.contains("_atproto") && asked.contains("alice"), "{asked:?}");
    assert_eq!(directory.directory.asked_in_all(), 0);
}
