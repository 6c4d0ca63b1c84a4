//! What an answer's head tells hosts and clients: how far the viewer's repo was applied, whose labels are shown.

use crate::reads::world::{ALICE, BOB, CAROL, World, exchange, key, post};

async fn world() -> World {
    let mut world = World::with(|config| config.labels.default_labelers = vec!["did:plc:default".to_owned()]).await;
    for did in [ALICE, BOB, CAROL] {
        world.put(did, "app.bsky.feed.post", &key(1), &post("x", 1, vec![])).await;
    }
    world
}

#[tokio::test]
async fn the_viewer_s_rev_is_told_and_moves_with_its_repo() {
    let mut world = world().await;
    let paths = ["app.bsky.feed.getAuthorFeed", "app.bsky.actor.getProfile"].map(|nsid| format!("/xrpc/{nsid}?actor={BOB}"));
    let mut before = None;
    for path in &paths {
        assert_eq!(world.get(path).await.header("atproto-repo-rev"), None, "nobody has no repo");
        let stranger = world.get_as("did:plc:strangeraaaaaaaaaaaaaaaa", path).await;
        assert_eq!((stranger.status, stranger.header("atproto-repo-rev")), (200, None));
        let alice = world.get_as(ALICE, path).await;
        let rev = alice.header("atproto-repo-rev").expect("a rev").to_owned();
        assert!(rev.parse::<appviewd::atproto::Tid>().is_ok());
        before = Some(rev);
    }
    world.put(ALICE, "app.bsky.feed.post", &key(2), &post("y", 2, vec![])).await;
    for path in &paths {
        let after = world.get_as(ALICE, path).await;
        assert!(after.header("atproto-repo-rev") > before.as_deref(), "{before:?} {}", after.head);
    }
}

#[tokio::test]
async fn labelers_that_are_known_are_told_in_the_order_asked_for() {
    let mut world = world().await;
    world.account(CAROL, false, Some("takendown")).await;
    for path in [format!("/xrpc/app.bsky.feed.getAuthorFeed?actor={BOB}"), format!("/xrpc/app.bsky.actor.getProfile?actor={BOB}")] {
        let told = async |asked: &str| {
            let answer = world.ask("GET", &path, asked).await;
            answer.header("atproto-content-labelers").map(ToOwned::to_owned)
        };
        let defaults = Some("did:plc:default;redact".to_owned());
        assert_eq!(told("").await, defaults);
        assert_eq!(told("atproto-accept-labelers: (broken\r\n").await, defaults);
        assert_eq!(told("atproto-accept-labelers: \r\n").await.as_deref().map(str::trim).unwrap_or_default(), "");
        let asked = format!("atproto-accept-labelers: {BOB}, did:plc:unseen;redact, did:plc:default, {CAROL}, {ALICE};redact\r\n");
        assert_eq!(told(&asked).await, Some(format!("{BOB},did:plc:default,{ALICE};redact")));
    }
}

/// Whoever makes the answer: the server itself, a failure, or a handler that answers so as probes do.
#[tokio::test]
async fn every_429_and_503_says_when_to_come_back() {
    use appviewd::http::{self, Failure, handler, text};
    use hyper::StatusCode;
    let of = |status: StatusCode| handler(move |_| std::future::ready(Ok(text(status, "x"))));
    let failure = |status: StatusCode| handler(move |_| std::future::ready(Err(Failure::new(status, "Name", "text"))));
    let later = handler(|_| {
        let answer = Failure::unavailable(anyhow::anyhow!("x")).with(hyper::header::RETRY_AFTER, "60".parse().unwrap());
        std::future::ready(Err(answer))
    });
    let router = http::Router::new()
        .probe("/503", of(StatusCode::SERVICE_UNAVAILABLE))
        .probe("/200", of(StatusCode::OK))
        .get("/failure/503", failure(StatusCode::SERVICE_UNAVAILABLE))
        .get("/failure/429", failure(StatusCode::TOO_MANY_REQUESTS))
        .get("/failure/500", failure(StatusCode::INTERNAL_SERVER_ERROR))
        .get("/failure/later", later);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), tokio_util::sync::CancellationToken::new());
    let _stop = stop.clone().drop_guard();
    let telemetry = appviewd::telemetry::Telemetry::new(&["api"]);
    let settings = appviewd::config::Config::default().http;
    tokio::spawn(async move { http::serve(listener, router, &settings, telemetry, stop).await });
    for (path, status, after) in [
        ("/503", 503, Some("1")),
        ("/200", 200, None),
        ("/failure/503", 503, Some("1")),
        ("/failure/429", 429, Some("1")),
        ("/failure/500", 500, None),
        ("/failure/later", 503, Some("60")),
    ] {
        let answer = exchange(address, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await;
        assert_eq!((answer.status, answer.header("retry-after")), (status, after), "{path}");
    }
}
