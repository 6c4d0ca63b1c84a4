//! Hosts that strangers name: what they answer is judged, and they cannot lead this service to where they have no business.

use std::time::{Duration, Instant};

use appviewd::config::Config;
use appviewd::config::net::Net;
use appviewd::identity::{Freshness, Identities, IdentityError};
use appviewd::net::{Fetch, FetchError, Fetcher, Reach};
use appviewd::sandbox::directory::{Fault, Question};
use appviewd::telemetry::Telemetry;

use super::resolve::{ALICE, BOB, did, identities};
use crate::support::directory::TestDirectory;

#[tokio::test]
async fn what_is_no_document_of_the_did_is_refused() {
    let directory = TestDirectory::start().await;
    for fault in [Fault::Says(BOB.to_owned()), Fault::Garbage, Fault::Long(1 << 20)] {
        directory.account(ALICE, "alice.test", 1);
        directory.directory.fault(Question::Plc, ALICE, fault.clone());
        let found = identities(&directory).document(&did(ALICE), Freshness::Cached).await;
        assert!(matches!(found, Err(IdentityError::Invalid(_))), "{fault:?}: {found:?}");
    }
    directory.account("did:web:carol.test", "carol.test", 1);
    for fault in [Fault::Says(ALICE.to_owned()), Fault::Long(1 << 20)] {
        directory.directory.fault(Question::DidWeb, "carol.test", fault.clone());
        let found = identities(&directory).document(&did("did:web:carol.test"), Freshness::Cached).await;
        assert!(matches!(found, Err(IdentityError::Invalid(_))), "{fault:?}: {found:?}");
    }
    for fault in [Fault::Garbage, Fault::Long(1 << 20)] {
        directory.directory.fault(Question::WellKnown, "carol.test", fault.clone());
        assert_eq!(identities(&directory).did_of("carol.test").await.unwrap(), None, "{fault:?}");
    }
}

#[tokio::test]
async fn a_host_that_fails_is_not_asked_again_at_once() {
    let directory = TestDirectory::start().await;
    directory.directory.fault(Question::WellKnown, "alice.test", Fault::Status(500));
    let identities = identities(&directory);
    for _ in 0..5 {
        assert!(matches!(identities.did_of_now("alice.test").await, Err(IdentityError::Unreachable(_))));
    }
    assert_eq!(directory.directory.asked(Question::WellKnown, "alice.test"), 1);
    assert_eq!(identities.did_of_now("bob.test").await.unwrap(), None, "its neighbour is asked");
}

#[tokio::test]
async fn names_that_are_reserved_are_never_asked() {
    let directory = TestDirectory::start().await;
    let mut config = directory.config();
    config.identity.handle_resolver_url = Some(directory.url());
    let identities = Identities::new(&config, &Telemetry::new(&["api"]));
    for top in ["alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion"] {
        assert_eq!(identities.did_of(&format!("alice.{top}")).await.unwrap(), None, "{top}");
        let found = identities.document(&did(&format!("did:web:alice.{top}")), Freshness::Cached).await;
        assert!(matches!(found, Err(IdentityError::Unsupported)), "{top}");
    }
    assert_eq!(directory.directory.asked_in_all(), 0);
}

/// A service of this machine that no stranger may reach: who did get through to it is counted.
async fn inside() -> (u16, TestDirectory) {
    let directory = TestDirectory::start().await;
    let own = format!("did:web:localhost%3A{}", directory.port());
    directory.account(&own, "inside.test", 1);
    directory.account("did:web:localhost", "inside.test", 1);
    (directory.port(), directory)
}

#[tokio::test]
async fn a_did_web_cannot_lead_to_a_private_address() {
    let (port, directory) = inside().await;
    let own = did(&format!("did:web:localhost%3A{port}"));
    let guarded = Identities::new(&Config::default(), &Telemetry::new(&["api"]));
    assert!(matches!(guarded.document(&own, Freshness::Cached).await, Err(IdentityError::Unreachable(_))));
    assert_eq!(directory.directory.asked_in_all(), 0);
    // The same request is a request where the guard is off.
    let mut config = Config::default();
    config.net.disable_ssrf_protection = true;
    let _ = Identities::new(&config, &Telemetry::new(&["api"])).document(&own, Freshness::Cached).await;
    assert_eq!(directory.directory.asked_in_all(), 1);
}

#[tokio::test]
async fn a_redirect_cannot_lead_to_a_private_address() {
    let (port, inside) = inside().await;
    let outside = TestDirectory::start().await;
    let to = format!("http://127.0.0.1:{port}/.well-known/atproto-did");
    outside.directory.fault(Question::WellKnown, "alice.test", Fault::Redirect(to));
    let net = |disable_ssrf_protection| Net { disable_ssrf_protection, connect_to: Some(outside.detour()), dns_server: None };
    let fetch = Fetch::get("http://alice.test/.well-known/atproto-did", Reach::Public).redirects(3);
    let refused = Fetcher::new(&net(false)).fetch(fetch.clone()).await.unwrap_err();
    assert!(matches!(refused, FetchError::Private(_)), "{refused:?}");
    assert_eq!((outside.directory.asked_in_all(), inside.directory.asked_in_all()), (1, 0));
    assert!(Fetcher::new(&net(true)).fetch(fetch).await.is_ok());
    assert_eq!(inside.directory.asked_in_all(), 1, "without the guard it does");
    // And from https to http none at all.
    let downgraded = Fetch::get("https://alice.test/.well-known/atproto-did", Reach::Public).redirects(3);
    let refused = Fetcher::new(&net(true)).fetch(downgraded).await.unwrap_err();
    assert!(matches!(refused, FetchError::Redirect(_)), "{refused:?}");
}

#[tokio::test]
async fn a_request_ends_within_its_bounds() {
    let directory = TestDirectory::start().await;
    let fetcher = Fetcher::new(&Net::default());
    let url = format!("{}/{ALICE}", directory.url());
    directory.directory.fault(Question::Plc, ALICE, Fault::Slow(Duration::from_mins(1)));
    let (began, within) = (Instant::now(), Duration::from_millis(200));
    let late = fetcher.fetch(Fetch::get(&url, Reach::Any).within(within)).await.unwrap_err();
    assert_eq!(late, FetchError::Timeout(within));
    assert!(began.elapsed() < Duration::from_secs(5));
    directory.directory.fault(Question::Plc, ALICE, Fault::Long(1001));
    assert_eq!(fetcher.fetch(Fetch::get(&url, Reach::Any).most(1000)).await.unwrap_err(), FetchError::TooLong(1000));
    assert!(fetcher.fetch(Fetch::get(&url, Reach::Any).most(1001)).await.is_ok());
    directory.directory.fault(Question::Plc, ALICE, Fault::Redirect(format!("/{ALICE}")));
    let last = fetcher.fetch(Fetch::get(&url, Reach::Any).redirects(2)).await.unwrap();
    assert_eq!((last.status.as_u16(), directory.directory.asked(Question::Plc, ALICE)), (302, 6), "two redirects are followed");
    for wrong in ["", "ftp://a.test/", "http://user:password@a.test/", "a.test"] {
        assert!(matches!(fetcher.fetch(Fetch::get(wrong, Reach::Any)).await, Err(FetchError::Url(_))), "{wrong:?}");
    }
}
