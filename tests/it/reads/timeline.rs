//! `app.bsky.feed.getTimeline`: whose posts and reposts there are, in which order, and what mutes and blocks take out.

use appviewd::atproto::Cid;
use appviewd::atproto::cbor::Value;

use super::world::{ALICE, BOB, CAROL, World, edge, follow, key, post, reference, uri};

const POST: &str = "app.bsky.feed.post";
const REPOST: &str = "app.bsky.feed.repost";
const FOLLOW: &str = "app.bsky.graph.follow";
const BLOCK: &str = "app.bsky.graph.block";
const DAVE: &str = "did:plc:daveaaaaaaaaaaaaaaaaaaaa";

/// Items of one page: the text, with who reposted it; and the cursor.
async fn page(world: &World, viewer: &str, limit: usize, cursor: Option<&str>) -> (Vec<String>, Option<String>) {
    let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
    let output = world.get_as(viewer, &format!("/xrpc/app.bsky.feed.getTimeline?limit={limit}{cursor}")).await.json();
    let text = |item: &serde_json::Value| {
        let text = item["post"]["record"]["text"].as_str().unwrap();
        item["reason"]["by"]["did"].as_str().map_or(text.to_owned(), |by| format!("{text} by {by}"))
    };
    (output["feed"].as_array().unwrap().iter().map(text).collect(), output["cursor"].as_str().map(str::to_owned))
}

async fn whole(world: &World, viewer: &str) -> Vec<String> {
    page(world, viewer, 100, None).await.0
}

fn quote(of: (&str, Cid)) -> Vec<(&'static str, Value)> {
    vec![("embed", Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", reference(of.0, of.1))]))]
}

fn reply(to: (&str, Cid)) -> Vec<(&'static str, Value)> {
    vec![("reply", Value::map([("root", reference(to.0, to.1)), ("parent", reference(to.0, to.1))]))]
}

/// ALICE follows BOB and CAROL; CAROL reposts DAVE, whom ALICE does not follow.
async fn world() -> World {
    let mut world = World::start().await;
    world.put(ALICE, POST, &key(1), &post("alice 1", 1, vec![])).await;
    world.put(BOB, POST, &key(2), &post("bob 2", 2, vec![])).await;
    let dave = world.put(DAVE, POST, &key(3), &post("dave 3", 3, vec![])).await;
    world.put(CAROL, POST, &key(4), &post("carol 4", 4, vec![])).await;
    world.put(CAROL, REPOST, &key(5), &edge(REPOST, &uri(DAVE, POST, &key(3)), dave, 5)).await;
    world.put(BOB, POST, &key(6), &post("bob quotes 6", 6, quote((&uri(DAVE, POST, &key(3)), dave)))).await;
    world.put(CAROL, POST, &key(7), &post("carol answers 7", 7, reply((&uri(DAVE, POST, &key(3)), dave)))).await;
    world.put(ALICE, FOLLOW, &key(8), &follow(FOLLOW, BOB, 8)).await;
    world.put(ALICE, FOLLOW, &key(9), &follow(FOLLOW, CAROL, 9)).await;
    world
}

fn repost() -> String {
    format!("dave 3 by {CAROL}")
}

async fn mute(world: &World, subject: &str, scope: i16) {
    let sql = "INSERT INTO mute (account, subject, time, scope) SELECT a.id, s.id, 1, $3 FROM account a, account s WHERE a.did = $1 AND s.did = $2
        ON CONFLICT (account, subject) DO UPDATE SET scope = excluded.scope";
    world.postgres.connect().await.execute(sql, &[&ALICE, &subject, &scope]).await.unwrap();
}

#[tokio::test]
async fn a_timeline_is_the_viewer_s_own_and_those_it_follows_newest_first_in_any_pages() {
    let mut world = world().await;
    let all = ["carol answers 7", "bob quotes 6", &repost(), "carol 4", "bob 2", "alice 1"].map(str::to_owned).to_vec();
    assert_eq!(page(&world, ALICE, 100, None).await, (all.clone(), None));
    for limit in 1..=all.len() {
        let (mut read, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let (items, next) = page(&world, ALICE, limit, cursor.as_deref()).await;
            read.extend(items);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(read, all, "pages of {limit}");
    }
    assert_eq!(whole(&world, DAVE).await, ["dave 3"], "who follows nobody sees what is its own");
    world.delete(ALICE, FOLLOW, &key(9)).await;
    assert_eq!(whole(&world, ALICE).await, ["bob quotes 6", "bob 2", "alice 1"]);
    world.account(BOB, false, Some("deactivated")).await;
    assert_eq!(whole(&world, ALICE).await, ["alice 1"]);
    assert_eq!(world.get("/xrpc/app.bsky.feed.getTimeline").await.error().1, "AuthMissing");
}

#[tokio::test]
async fn a_muted_account_s_posts_and_reposts_and_reposts_of_it_are_left_out() {
    let world = world().await;
    mute(&world, CAROL, 0).await;
    assert_eq!(whole(&world, ALICE).await, ["bob quotes 6", "bob 2", "alice 1"]);
    mute(&world, DAVE, 0).await;
    assert_eq!(whole(&world, ALICE).await, ["bob quotes 6", "bob 2", "alice 1"]);
    assert_eq!(whole(&world, BOB).await, ["bob quotes 6", "bob 2"], "another one's mutes hide nothing");
}

#[tokio::test]
async fn a_mute_of_reposts_hides_them_alone() {
    let world = world().await;
    mute(&world, CAROL, 1).await;
    assert_eq!(whole(&world, ALICE).await, ["carol answers 7", "bob quotes 6", "carol 4", "bob 2", "alice 1"]);
}

#[tokio::test]
async fn a_mute_of_quote_posts_hides_them_alone() {
    let world = world().await;
    mute(&world, BOB, 2).await;
    assert_eq!(whole(&world, ALICE).await, ["carol answers 7".to_owned(), repost(), "carol 4".into(), "bob 2".into(), "alice 1".into()]);
}

#[tokio::test]
async fn a_blocked_account_is_left_out_and_so_is_who_answers_it() {
    let mut world = world().await;
    world.put(ALICE, BLOCK, &key(20), &follow(BLOCK, DAVE, 20)).await;
    assert_eq!(whole(&world, ALICE).await, ["bob quotes 6", "carol 4", "bob 2", "alice 1"]);
}
