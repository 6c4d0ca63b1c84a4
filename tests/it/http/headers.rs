//! What an answer's head tells hosts and clients: how far the viewer's repo was applied, whose labels are shown.

use crate::reads::world::{ALICE, BOB, CAROL, World, key, post};

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
