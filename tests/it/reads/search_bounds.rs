//! Searches for two things of which there are many, but never both together: a read ends where it has gone through enough, and the pages are
//! right all the same.

use std::fmt::Write as _;

use appviewd::atproto::cbor::Value;
use appviewd::collection::search::{Condition, LEVELS, Name, WINDOWS, all_tokens, level_token, place, window_token};
use appviewd::query::Audience;
use appviewd::query::search::{Asked, PostQuery};
use appviewd::query::skeleton::Skeleton;
use appviewd::query::skeleton::ranked::Cursor;
use appviewd::query::skeleton::search_actors::{Actors, Manner};
use appviewd::query::skeleton::search_posts::{Cursor as Place, Latest};

use super::world::{ALICE, World, key, post, uri};

/// Of each of the two in the first window that is asked for: so many that 32 times as many are just allowed.
const FIRST: i64 = 3030;
/// Of each of the two in each of the next windows, which are 32 times as wide: more than are counted.
const NEXT: i64 = 3200;

/// Where they lie, as numbers behind the beginning: in a window of `width`, and in the next two of 32 times that width. The two in turn.
fn places(width: i64) -> Vec<(i64, bool)> {
    let spread = |from: i64, width: i64, many: i64| (0..2 * many).map(move |n| (from + (n + 1) * (width / (2 * many + 2)), n % 2 == 0));
    let wide = 32 * width;
    spread(0, width, FIRST).chain(spread(width, wide - width, NEXT)).chain(spread(wide, wide, NEXT)).collect()
}

/// How far a read goes: it ends with the second of the wide windows.
fn end(width: i64) -> i64 {
    64 * width
}

/// Has the next account be a later one.
async fn next_account(client: &tokio_postgres::Client, id: i64) {
    client.batch_execute(&format!("ALTER TABLE account ALTER COLUMN id RESTART WITH {id}")).await.unwrap();
}

/// Rows of (key, tokens) for an INSERT.
fn rows(rows: impl Iterator<Item = (i64, Vec<i32>)>) -> String {
    let mut sql = String::new();
    for (key, tokens) in rows {
        let comma = if sql.is_empty() { "" } else { "," };
        write!(sql, "{comma}({key}::int8, ARRAY{tokens:?})").unwrap();
    }
    sql
}

/// One read from the beginning finds nothing and ends after so much; the next finds the one account.
async fn one_by_one(world: &World, text: &str, found: i32) {
    let client = world.pools.api.get().await.unwrap();
    for (manner, stage) in [(Manner::Anywhere, 0), (Manner::Typing, 0)] {
        let actors = Actors::new(&client, Audience::default(), manner, text).await.unwrap();
        let (items, next) = actors.read(&client, Cursor::START, 25).await.unwrap();
        let next = next.expect("what follows is not gone through");
        assert_eq!((items, next.stage, next.block.at), (vec![], stage, (1 << 31) - end(1 << WINDOWS[1])), "{manner:?}");
        let (items, _) = actors.read(&client, next, 25).await.unwrap();
        assert_eq!(items, [(found, stage)], "{manner:?}");
    }
    drop(client);
    for nsid in ["app.bsky.actor.searchActors", "app.bsky.actor.searchActorsTypeahead"] {
        let answer = world.query(nsid, &[("q", text)]).await;
        let dids: Vec<_> = answer["actors"].as_array().unwrap().iter().map(|actor| &actor["did"]).collect();
        assert_eq!((dids, answer.get("cursor")), (vec![&serde_json::json!(ALICE)], None), "{nsid}");
    }
}

#[tokio::test]
async fn two_common_names_that_never_meet_are_not_gone_through_at_once() {
    let mut world = World::start().await;
    let client = world.postgres.connect().await;
    let asked = Name::of("xavier yolanda").asked();
    let row = |(at, is_one): (i64, bool)| {
        let windows = (0..WINDOWS.len()).map(|level| window_token(level, place(i32::try_from(at).unwrap())));
        (at, windows.chain([asked[usize::from(is_one)]]).collect::<Vec<i32>>())
    };
    let values = rows(places(1 << WINDOWS[1]).into_iter().map(row));
    let sql = format!(
        "INSERT INTO record_other (rkey, author, coll, flags, rec, tokens) SELECT 1, v.at::int4, 1, 0, '', v.tokens FROM (VALUES {values}) v (at, tokens)"
    );
    client.batch_execute(&sql).await.unwrap();
    client.batch_execute("ANALYZE record_other").await.unwrap();
    next_account(&client, end(1 << WINDOWS[1]) + 700_000).await;
    let profile = [("$type", "app.bsky.actor.profile"), ("displayName", "Yolanda Xavier")];
    world.put(ALICE, "app.bsky.actor.profile", "self", &Value::map(profile.map(|(name, text)| (name, Value::text(text))))).await;
    let id = client.query_one("SELECT id FROM account WHERE did = $1", &[&ALICE]).await.unwrap().get(0);
    one_by_one(&world, "xavier yolanda", id).await;
}

#[tokio::test]
async fn common_letters_that_never_meet_in_a_handle_are_not_gone_through_at_once() {
    let mut world = World::start().await;
    let client = world.postgres.connect().await;
    let row = |(at, is_one): (i64, bool)| format!("({at}, '{}{at}.test', 'did:plc:n{at}')", if is_one { "qxqz" } else { "qzzw" });
    let values: Vec<String> = places(1 << WINDOWS[1]).into_iter().map(row).collect();
    let sql = format!("INSERT INTO account (id, handle, did) OVERRIDING SYSTEM VALUE VALUES {}", values.join(","));
    client.batch_execute(&sql).await.unwrap();
    client.batch_execute("ANALYZE account").await.unwrap();
    next_account(&client, end(1 << WINDOWS[1]) + 700_000).await;
    world.put(ALICE, "app.bsky.feed.post", &key(1), &post("x", 1, vec![])).await;
    let named = "UPDATE account SET handle = 'qxqzzw.test' WHERE did = $1 RETURNING id";
    let id = client.query_one(named, &[&ALICE]).await.unwrap().get(0);
    one_by_one(&world, "qxqzzw", id).await;
}

#[tokio::test]
async fn two_common_words_of_posts_that_never_meet_are_not_gone_through_at_once() {
    let mut world = World::start().await;
    let asked = [Condition::words("xavier"), Condition::words("yolanda")].map(|word| all_tokens([word].iter()));
    let until = (1_750_000_000_000_000_i64 << 10) >> LEVELS[3] << LEVELS[3];
    let row = |(back, is_one): (i64, bool)| {
        let at = until - back;
        let windows = (0..LEVELS.len()).map(|level| level_token(level, at));
        (at, windows.chain(asked[usize::from(is_one)].iter().copied()).collect::<Vec<i32>>())
    };
    let values = rows(places(1 << LEVELS[1]).into_iter().map(row));
    let client = world.postgres.connect().await;
    let sql = format!(
        "INSERT INTO post (rkey, author, flags, rec, tokens) SELECT v.at, 7, 0, '', v.tokens FROM (VALUES {values}) v (at, tokens)"
    );
    client.batch_execute(&sql).await.unwrap();
    client.batch_execute("ANALYZE post").await.unwrap();
    world.put(ALICE, "app.bsky.feed.post", &key(1), &post("Yolanda and Xavier", 1, vec![])).await;

    let api = world.pools.api.get().await.unwrap();
    let query = PostQuery::resolve(&api, Audience::default(), Asked::of("xavier yolanda").unwrap()).await.unwrap().unwrap();
    let latest = Latest::new(query);
    let at = |at: i64| format!("{at}_{}_{}", i64::MIN, i32::MIN);
    let (items, next) = latest.read(&api, at(until).parse::<Place>().unwrap(), 25).await.unwrap();
    let next = next.expect("what follows is not gone through");
    assert_eq!((items, next.to_string()), (vec![], at(until - end(1 << LEVELS[1]))));
    let (items, next) = latest.read(&api, next, 25).await.unwrap();
    assert_eq!((items.len(), next), (1, None));
    drop(api);
    let answer = world.query("app.bsky.feed.searchPosts", &[("q", "xavier yolanda"), ("cursor", &at(until))]).await;
    let uris: Vec<_> = answer["posts"].as_array().unwrap().iter().map(|post| &post["uri"]).collect();
    assert_eq!((uris, answer.get("cursor")), (vec![&serde_json::json!(uri(ALICE, "app.bsky.feed.post", &key(1)))], None));
}
