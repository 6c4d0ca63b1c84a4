//! The server as clients meet it: routes, refusals, headers, limits, the page for people.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::{ALICE, World, key, post};

#[tokio::test]
async fn routes_that_are_not_there_say_so() {
    let world = World::start().await;
    assert_eq!(world.get("/xrpc/_health").await.json(), json!({"version": env!("CARGO_PKG_VERSION")}));
    assert_eq!(
        world.get("/xrpc/app.bsky.feed.getNothing").await.error(),
        (501, "MethodNotImplemented".to_owned(), "Method Not Implemented".to_owned())
    );
    assert_eq!(world.get("/nothing").await.error().0, 404);
    assert_eq!(world.ask("POST", "/xrpc/app.bsky.feed.getPosts", "content-length: 0\r\n").await.error().1, "InvalidRequest");
    let wrong = world.ask("POST", "/", "content-length: 0\r\n").await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
    assert_eq!(world.get("/.well-known/did.json").await.status, 404);
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let world = World::start().await;
    for (path, message) in [
        ("app.bsky.actor.getProfile", "Error: Params must have the property \"actor\""),
        ("app.bsky.actor.getProfile?actor=%00", "Error: actor must be a valid did or a handle"),
        ("app.bsky.feed.getAuthorFeed?actor=did:plc:a&limit=0", "Error: limit can not be less than 1"),
        ("app.bsky.feed.getAuthorFeed?actor=did:plc:a&limit=101", "Error: limit can not be greater than 100"),
        ("app.bsky.feed.getPosts", "Error: Params must have the property \"uris\""),
        ("com.atproto.repo.getRecord?repo=did:plc:a&collection=x&rkey=1", "Error: collection must be a valid nsid"),
    ] {
        assert_eq!(world.get(&format!("/xrpc/{path}")).await.error(), (400, "InvalidRequest".to_owned(), message.to_owned()), "{path}");
    }
    let many = vec!["uris=at://did:plc:a/app.bsky.feed.post/1"; 26].join("&");
    let (status, error, message) = world.get(&format!("/xrpc/app.bsky.feed.getPosts?{many}")).await.error();
    assert_eq!((status, error.as_str()), (400, "InvalidRequest"));
    assert!(message.contains("25"), "{message}");
}

#[tokio::test]
async fn any_origin_may_call() {
    let world = World::start().await;
    let asked = "origin: https://x.example\r\naccess-control-request-method: GET\r\naccess-control-request-headers: authorization,atproto-proxy\r\n";
    let preflight = world.ask("OPTIONS", "/xrpc/app.bsky.feed.getPosts", asked).await;
    assert_eq!((preflight.status, preflight.body.len()), (204, 0));
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("authorization,atproto-proxy"));
    assert_eq!(preflight.header("access-control-max-age"), Some("86400"));
    assert_eq!(world.get("/nothing").await.header("access-control-allow-origin"), Some("*"), "errors too");
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let world = World::start().await;
    let (get, head) = (world.get("/xrpc/_health").await, world.ask("HEAD", "/xrpc/_health", "").await);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()));
    assert_eq!(head.header("content-type"), get.header("content-type"));
}

#[tokio::test]
async fn one_address_cannot_take_all_and_a_proxy_s_clients_are_apart() {
    let world = World::with(|config| config.http.requests_per_second = 2).await;
    let from = |address: &str| format!("x-forwarded-for: {address}\r\n");
    let mut refused = 0;
    for _ in 0..20 {
        let answer = world.ask("GET", "/xrpc/_health", &from("9.9.9.9")).await;
        if answer.status == 429 {
            refused += 1;
            assert_eq!((answer.error().1.as_str(), answer.header("retry-after")), ("RateLimitExceeded", Some("1")));
        }
    }
    assert!((8..=12).contains(&refused), "{refused}");
    assert_eq!(world.ask("GET", "/xrpc/_health", &from("9.9.9.8")).await.status, 200);
}

#[tokio::test]
async fn a_long_head_is_refused() {
    let world = World::start().await;
    let answer = world.get(&format!("/xrpc/_health?{}", "x".repeat(60_000))).await;
    assert!([414, 431].contains(&answer.status), "{}", answer.head);
}

#[tokio::test]
async fn a_stop_lets_open_requests_end_and_refuses_new_ones() {
    let mut world = World::start().await;
    let mut open = TcpStream::connect(world.address).await.unwrap();
    open.write_all(b"GET /xrpc/_health HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    // The server has read the half request when it has answered a whole one after it.
    assert_eq!(world.get("/xrpc/_health").await.status, 200);
    let address = world.address;
    let stop = tokio::spawn(async move {
        world.stop().await;
        world
    });
    crate::support::eventually("the listener is closed", 5, async || TcpStream::connect(address).await.is_err()).await;
    open.write_all(b"\r\n").await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(5), open.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    tokio::time::timeout(Duration::from_secs(10), stop).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_page_shows_numbers_and_cannot_be_broken_out_of() {
    let world = World::start().await;
    let status = json!({"version": "9", "roles": ["worker"], "stopping": false,
        "ingest": {"source": "<script>alert(1)</script>", "connected": true, "seq": 1_234_567, "lag_ms": 42},
        "worker": {"applied_seq": 1_234_560, "queue_events": 7, "pending_ops": 0, "dead_letters": 3, "problem": "\"><img src=x>"}});
    let beat = "INSERT INTO heartbeat VALUES ($1, 'worker', now(), $2::text::jsonb)";
    world.pools.writer.get().await.unwrap().execute(beat, &[&"host<1>", &status.to_string()]).await.unwrap();
    let answer = world.get("/").await;
    let page = String::from_utf8(answer.body.clone()).unwrap();
    assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    for shown in [
        "1\u{202f}234\u{202f}567",
        "1\u{202f}234\u{202f}560",
        "&lt;script&gt;",
        "host&lt;1&gt;",
        "&quot;&gt;&lt;img",
        "The database answers",
    ] {
        assert!(page.contains(shown), "{shown} is missing:\n{page}");
    }
    for broken in ["<script", "<img"] {
        assert!(!page.contains(broken), "{broken}:\n{page}");
    }
}

#[tokio::test]
async fn a_did_web_service_has_a_document() {
    let world = World::with(|config| config.service.did = Some("did:web:appview.example".to_owned())).await;
    let document = world.get("/.well-known/did.json").await.json();
    assert_eq!(document["id"], "did:web:appview.example");
    let service = json!({"id": "#bsky_appview", "type": "BskyAppView", "serviceEndpoint": "https://appview.example"});
    assert_eq!(document["service"][0], service);
}

#[tokio::test]
async fn a_database_that_is_away_is_a_503_until_it_is_back() {
    let mut world = World::start().await;
    world.put(ALICE, "app.bsky.feed.post", &key(1), &post("x", 1, vec![])).await;
    let feed = format!("/xrpc/app.bsky.feed.getAuthorFeed?actor={ALICE}");
    assert_eq!(world.get(&feed).await.status, 200);
    world.postgres.kill();
    let answer = world.get(&feed).await;
    assert_eq!((answer.error().0, answer.error().1.as_str(), answer.header("retry-after")), (503, "ServiceUnavailable", Some("1")));
    assert!(!String::from_utf8_lossy(&answer.body).contains("postgres"), "what happened inside is not told");
    let page = world.get("/").await;
    assert!(String::from_utf8_lossy(&page.body).contains("The database does not answer"));
    world.postgres.restart().await;
    crate::support::eventually("reads work again", 10, async || world.get(&feed).await.status == 200).await;
}
