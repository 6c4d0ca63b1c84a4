//! Accounts that are not active: every read hides them by the reference's words, and shows them unchanged when they are back.

use serde_json::{Value as Json, json};

use super::world::{ALICE, BOB, World, edge, follow, key, post, uri};

const POST: &str = "app.bsky.feed.post";

/// What every read says of alice: answers, or errors by name and message.
async fn pages(world: &World) -> Vec<Json> {
    let own = uri(ALICE, POST, &key(1));
    let reads: [(&str, &[(&str, &str)]); 5] = [
        ("app.bsky.actor.getProfile", &[("actor", ALICE)]),
        ("app.bsky.feed.getAuthorFeed", &[("actor", ALICE)]),
        ("com.atproto.repo.getRecord", &[("repo", ALICE), ("collection", POST), ("rkey", &key(1))]),
        ("app.bsky.feed.getPosts", &[("uris", &own)]),
        ("app.bsky.feed.getAuthorFeed", &[("actor", BOB)]),
    ];
    let mut pages = Vec::new();
    for (nsid, params) in reads {
        let answer = world.try_query(nsid, params).await.json();
        pages.push(match answer.get("error") {
            Some(error) => json!([error, answer["message"]]),
            None => answer,
        });
    }
    pages
}

#[tokio::test]
async fn every_status_hides_an_account_everywhere_and_it_comes_back_unchanged() {
    let mut world = World::start().await;
    let cid = world.put(ALICE, POST, &key(1), &post("alice", 1, vec![])).await;
    world.put(ALICE, "app.bsky.graph.follow", &key(2), &follow("app.bsky.graph.follow", BOB, 2)).await;
    world.put(BOB, POST, &key(3), &post("bob", 3, vec![])).await;
    let repost = edge("app.bsky.feed.repost", &uri(ALICE, POST, &key(1)), cid, 4);
    world.put(BOB, "app.bsky.feed.repost", &key(4), &repost).await;
    let shown = pages(&world).await;
    assert_eq!((shown[1]["feed"].as_array().unwrap().len(), shown[4]["feed"].as_array().unwrap().len()), (1, 2), "{shown:#?}");
    let not_found = json!(["InvalidRequest", "Profile not found"]);
    let no_repo = json!(["InvalidRequest", format!("Could not find repo: {ALICE}")]);
    let suspended = json!(["AccountTakedown", "Account has been suspended"]);
    let deactivated = json!(["AccountDeactivated", "Account is deactivated"]);
    for (status, profile) in [
        (Some("takendown"), &suspended),
        (Some("suspended"), &suspended),
        (Some("deactivated"), &deactivated),
        (Some("desynchronized"), &deactivated),
        (Some("throttled"), &deactivated),
        (Some("a word of next year"), &deactivated),
        (None, &deactivated),
    ] {
        world.account(ALICE, false, status).await;
        let hidden = pages(&world).await;
        assert_eq!((&hidden[0], &hidden[1], &hidden[2]), (profile, &not_found, &no_repo), "{status:?}");
        assert_eq!(hidden[3], json!({"posts": []}), "{status:?}");
        assert_eq!(hidden[4]["feed"].as_array().unwrap().len(), 1, "{status:?}: bob's repost of what is hidden");
        world.account(ALICE, true, None).await;
        assert_eq!(pages(&world).await, shown, "{status:?}");
    }
    world.account(ALICE, false, Some("deleted")).await;
    let hidden = pages(&world).await;
    assert_eq!((&hidden[0], &hidden[1], &hidden[2], &hidden[3]), (&not_found, &not_found, &no_repo, &json!({"posts": []})));
}
