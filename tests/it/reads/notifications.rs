//! `app.bsky.notification.listNotifications` and `getUnreadCount`: what there is for every reason, in which order and pages, and what is left out.

use appviewd::atproto::cbor::Value;
use appviewd::atproto::{Cid, Tid};
use serde_json::{Value as Json, json};

use super::world::{ALICE, BOB, CAROL, START, World, edge, follow, key, post, reference, time, uri};
use crate::support::sign_in;

const POST: &str = "app.bsky.feed.post";
const LIKE: &str = "app.bsky.feed.like";
const REPOST: &str = "app.bsky.feed.repost";
const FOLLOW: &str = "app.bsky.graph.follow";
const BLOCK: &str = "app.bsky.graph.block";
const VERIFICATION: &str = "app.bsky.graph.verification";
const PROFILE: &str = "app.bsky.actor.profile";
const PACK: &str = "app.bsky.graph.starterpack";
const GENERATOR: &str = "app.bsky.feed.generator";
const DAVE: &str = "did:plc:daveaaaaaaaaaaaaaaaaaaaa";
const LIST: &str = "/xrpc/app.bsky.notification.listNotifications";
const COUNT: &str = "/xrpc/app.bsky.notification.getUnreadCount";

async fn output(world: &World, viewer: &str, query: &str) -> Json {
    let answer = world.get_as(viewer, &format!("{LIST}?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

/// A notification as its reason and its author's name: short enough to compare lists.
fn short(item: &Json) -> String {
    let by = [(ALICE, "alice"), (BOB, "bob"), (CAROL, "carol"), (DAVE, "dave")];
    let did = item["author"]["did"].as_str().unwrap();
    let by = by.iter().find(|(known, _)| *known == did).map_or(did, |(_, name)| name);
    format!("{} {by}", item["reason"].as_str().unwrap())
}

async fn shown(world: &World, viewer: &str, query: &str) -> Vec<String> {
    output(world, viewer, query).await["notifications"].as_array().unwrap().iter().map(short).collect()
}

async fn count(world: &World, viewer: &str, query: &str) -> i64 {
    let answer = world.get_as(viewer, &format!("{COUNT}?{query}")).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()["count"].as_i64().unwrap()
}

fn reply(root: (&str, Cid), parent: (&str, Cid)) -> Vec<(&'static str, Value)> {
    vec![("reply", Value::map([("root", reference(root.0, root.1)), ("parent", reference(parent.0, parent.1))]))]
}

fn quote(of: (&str, Cid)) -> Vec<(&'static str, Value)> {
    vec![("embed", Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", reference(of.0, of.1))]))]
}

fn mention(did: &str) -> Vec<(&'static str, Value)> {
    let feature = Value::map([("$type", Value::text("app.bsky.richtext.facet#mention")), ("did", Value::text(did))]);
    let index = Value::map([("byteStart", Value::Int(0)), ("byteEnd", Value::Int(1))]);
    vec![("facets", Value::Array(vec![Value::map([("index", index), ("features", Value::Array(vec![feature]))])]))]
}

/// An edge that says through which repost it was made.
fn via(collection: &str, of: (&str, Cid), through: (&str, Cid), at: i64) -> Value {
    let fields = [
        ("$type", Value::text(collection)),
        ("subject", reference(of.0, of.1)),
        ("via", reference(through.0, through.1)),
        ("createdAt", Value::text(time(at))),
    ];
    Value::map(fields)
}

fn record(collection: &str, at: i64, fields: Vec<(&str, Value)>) -> Value {
    Value::map([("$type", Value::text(collection)), ("createdAt", Value::text(time(at)))].into_iter().chain(fields))
}

fn verification(of: &str, at: i64) -> Value {
    record(
        VERIFICATION,
        at,
        vec![("subject", Value::text(of)), ("handle", Value::text("alice.example")), ("displayName", Value::text("Alice"))],
    )
}

async fn sql(world: &World, sql: &str) {
    world.postgres.connect().await.batch_execute(sql).await.unwrap();
}

/// The number of an account, as SQL.
fn id(did: &str) -> String {
    format!("(SELECT id FROM account WHERE did = '{did}')")
}

async fn saw(world: &World, did: &str, seconds: i64) {
    let micros = START + seconds * 1_000_000;
    let put = format!("INSERT INTO seen VALUES ({}, {micros}) ON CONFLICT (account) DO UPDATE SET time = excluded.time", id(did));
    sql(world, &put).await;
}

async fn mute(world: &World, did: &str, subject: &str, scope: i16) {
    sql(world, &format!("INSERT INTO mute (account, subject, time, scope) VALUES ({}, {}, 1, {scope})", id(did), id(subject))).await;
}

/// The thread that begins with this post.
async fn mute_thread(world: &World, did: &str, author: &str, at: i64) {
    let rkey = key(at).parse::<Tid>().unwrap().value();
    sql(world, &format!("INSERT INTO thread_mute VALUES ({}, {}, {rkey}, 1)", id(did), id(author))).await;
}

/// ALICE has a post; BOB likes it, reposts it, follows her, answers, quotes and mentions her, a second apart each.
async fn world() -> (World, String, Cid) {
    let mut world = World::start().await;
    let cid = world.put(ALICE, POST, &key(1), &post("the post", 1, vec![])).await;
    let of = uri(ALICE, POST, &key(1));
    world.put(BOB, LIKE, &key(10), &edge(LIKE, &of, cid, 10)).await;
    world.put(BOB, REPOST, &key(11), &edge(REPOST, &of, cid, 11)).await;
    world.put(BOB, FOLLOW, &key(12), &follow(FOLLOW, ALICE, 12)).await;
    world.put(BOB, POST, &key(13), &post("reply", 13, reply((&of, cid), (&of, cid)))).await;
    world.put(BOB, POST, &key(14), &post("quote", 14, quote((&of, cid)))).await;
    world.put(BOB, POST, &key(15), &post("@alice", 15, mention(ALICE))).await;
    (world, of, cid)
}

const BOBS: [&str; 6] = ["mention bob", "quote bob", "reply bob", "follow bob", "repost bob", "like bob"];

#[tokio::test]
async fn a_notification_holds_its_record_and_what_it_is_about() {
    let (mut world, of, cid) = world().await;
    let like = edge(LIKE, &of, cid, 10);
    let output = output(&world, ALICE, "").await;
    let items = output["notifications"].as_array().unwrap();
    assert_eq!(items.iter().map(short).collect::<Vec<_>>(), BOBS);
    let expected = json!({
        "uri": uri(BOB, LIKE, &key(10)), "cid": Cid::dag_cbor(&like.encode()).to_string(), "reason": "like", "reasonSubject": of,
        "record": {"$type": LIKE, "subject": {"uri": of, "cid": cid.to_string()}, "createdAt": time(10)},
        "author": items[5]["author"], "isRead": true, "indexedAt": time(10), "labels": [],
    });
    assert_eq!(items[5], expected);
    let about: Vec<Option<&str>> = items.iter().map(|item| item["reasonSubject"].as_str()).collect();
    assert_eq!(about, [None, Some(&*of), Some(&*of), None, Some(&*of), Some(&*of)]);
    for (item, (collection, at)) in items.iter().zip([(POST, 15), (POST, 14), (POST, 13), (FOLLOW, 12), (REPOST, 11), (LIKE, 10)]) {
        let (uri, rkey) = (uri(BOB, collection, &key(at)), key(at));
        assert_eq!((&item["uri"], &item["indexedAt"], &item["record"]["$type"]), (&json!(uri), &json!(time(at)), &json!(collection)));
        let held = world.query("com.atproto.repo.getRecord", &[("repo", BOB), ("collection", collection), ("rkey", &rkey)]).await;
        assert_eq!((&item["record"], &item["cid"]), (&held["value"], &held["cid"]), "as it is held");
    }
    assert_eq!(output["priority"], json!(false));
    assert_eq!(shown(&world, BOB, "").await, Vec::<String>::new());
    assert_eq!(world.get(LIST).await.error().1, "AuthMissing");
    world.delete(BOB, LIKE, &key(10)).await;
    assert_eq!(shown(&world, ALICE, "").await, BOBS[..5]);
}

#[tokio::test]
async fn likes_and_reposts_through_a_repost_are_told_to_the_reposter() {
    let (mut world, of, cid) = world().await;
    let repost = Cid::dag_cbor(&edge(REPOST, &of, cid, 11).encode());
    let through = uri(BOB, REPOST, &key(11));
    world.put(DAVE, LIKE, &key(21), &via(LIKE, (&of, cid), (&through, repost), 21)).await;
    world.put(DAVE, REPOST, &key(22), &via(REPOST, (&of, cid), (&through, repost), 22)).await;
    let output = output(&world, BOB, "").await;
    let items = output["notifications"].as_array().unwrap();
    assert_eq!(items.iter().map(short).collect::<Vec<_>>(), ["repost-via-repost dave", "like-via-repost dave"]);
    assert_eq!((&items[1]["reasonSubject"], &items[1]["record"]["via"]["uri"]), (&json!(through), &json!(through)));
    assert_eq!(shown(&world, ALICE, "limit=2").await, ["repost dave", "like dave"], "and to the author");
    world.delete(BOB, REPOST, &key(11)).await;
    assert_eq!(shown(&world, BOB, "").await, Vec::<String>::new(), "what they are about is gone");
}

#[tokio::test]
async fn a_like_of_a_feed_generator_is_told_too() {
    let mut world = World::start().await;
    let fields = vec![("did", Value::text("did:web:feeds.example")), ("displayName", Value::text("f"))];
    let cid = world.put(ALICE, GENERATOR, "my-feed", &record(GENERATOR, 1, fields)).await;
    let of = uri(ALICE, GENERATOR, "my-feed");
    world.put(BOB, LIKE, &key(10), &edge(LIKE, &of, cid, 10)).await;
    let output = output(&world, ALICE, "").await;
    assert_eq!((&output["notifications"][0]["reasonSubject"], &output["notifications"][0]["reason"]), (&json!(of), &json!("like")));
    world.delete(ALICE, GENERATOR, "my-feed").await;
    assert_eq!(shown(&world, ALICE, "").await, Vec::<String>::new());
}

#[tokio::test]
async fn who_joins_through_a_starter_pack_is_told_to_its_owner() {
    let mut world = World::start().await;
    let fields = vec![("name", Value::text("p")), ("list", Value::text(uri(ALICE, "app.bsky.graph.list", &key(2))))];
    let cid = world.put(ALICE, PACK, &key(1), &record(PACK, 1, fields)).await;
    let pack = uri(ALICE, PACK, &key(1));
    let profile = record(PROFILE, 10, vec![("joinedViaStarterPack", reference(&pack, cid))]);
    let cid = world.put(BOB, PROFILE, "self", &profile).await;
    let output = output(&world, ALICE, "").await;
    let item = &output["notifications"][0];
    assert_eq!((short(item), &item["reasonSubject"]), ("starterpack-joined bob".to_owned(), &json!(pack)));
    assert_eq!((&item["uri"], &item["cid"]), (&json!(uri(BOB, PROFILE, "self")), &json!(cid.to_string())));
}

#[tokio::test]
async fn a_verification_that_is_gone_leaves_a_placeholder() {
    let mut world = World::start().await;
    world.put(ALICE, POST, &key(1), &post("x", 1, vec![])).await;
    let cid = world.put(BOB, VERIFICATION, &key(10), &verification(ALICE, 10)).await;
    let output = output(&world, ALICE, "").await;
    let item = &output["notifications"][0];
    assert_eq!((short(item), &item["cid"]), ("verified bob".to_owned(), &json!(cid.to_string())));
    world.delete(BOB, VERIFICATION, &key(10)).await;
    let output = self::output(&world, ALICE, "").await;
    let items = output["notifications"].as_array().unwrap();
    assert_eq!(items.iter().map(short).collect::<Vec<_>>(), ["unverified bob", "verified bob"]);
    for item in items {
        assert_eq!(item["record"], json!({"$type": "app.bsky.notification.defs#recordDeleted"}));
        assert_eq!(item["cid"], "bafyreidad6nyekfa4a67yfb573ptxiv6s7kyxyg2ra6qbbemcruadvtuim");
    }
}

/// All pages of this size, and how many they are.
async fn paged(world: &World, viewer: &str, limit: usize) -> (Vec<String>, usize) {
    let (mut all, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let output = output(world, viewer, &format!("limit={limit}{cursor}")).await;
        let items = output["notifications"].as_array().unwrap();
        let next = output["cursor"].as_str();
        assert!(items.len() == limit || next.is_none(), "a page that is not full has a cursor");
        all.extend(items.iter().map(|item| format!("{} {}", short(item), item["uri"])));
        pages += 1;
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (all, pages),
        }
    }
}

#[tokio::test]
async fn all_pages_of_notifications_are_one_big_page_also_where_all_have_one_time() {
    let (mut world, of, cid) = world().await;
    // One key for everything that several people do; CAROL's like counts for two reasons to ALICE.
    let own = world.put(ALICE, REPOST, &key(2), &edge(REPOST, &of, cid, 2)).await;
    let through = uri(ALICE, REPOST, &key(2));
    for did in [BOB, CAROL, DAVE] {
        let second = world
            .put(
                ALICE,
                POST,
                &key(if did == BOB {
                    3
                } else if did == CAROL {
                    4
                } else {
                    5
                }),
                &post("x", 3, vec![]),
            )
            .await;
        let other = uri(
            ALICE,
            POST,
            &key(if did == BOB {
                3
            } else if did == CAROL {
                4
            } else {
                5
            }),
        );
        world.put(did, LIKE, &key(30), &via(LIKE, (&other, second), (&through, own), 30)).await;
        world.put(did, REPOST, &key(30), &via(REPOST, (&other, second), (&through, own), 30)).await;
        world.put(did, POST, &key(30), &post("reply", 30, reply((&of, cid), (&of, cid)))).await;
        world.put(did, VERIFICATION, &key(30), &verification(ALICE, 30)).await;
        world.delete(did, VERIFICATION, &key(30)).await;
        if did != BOB {
            world.put(did, FOLLOW, &key(30), &follow(FOLLOW, ALICE, 30)).await;
        }
    }
    let (all, pages) = paged(&world, ALICE, 100).await;
    assert_eq!((all.len(), pages), (6 + 3 * 7 + 2, 1));
    let mut each = all.clone();
    each.sort_unstable();
    each.dedup();
    assert_eq!(each.len(), all.len(), "none twice");
    for limit in [1, 2, 3, 5, 7, 28, 29, 30] {
        assert_eq!(paged(&world, ALICE, limit).await, (all.clone(), all.len().div_ceil(limit)), "by {limit}");
    }
}

#[tokio::test]
async fn a_cursor_of_the_reference_goes_on_before_its_time() {
    let (world, ..) = world().await;
    assert_eq!(shown(&world, ALICE, &format!("cursor={}", time(13))).await, BOBS[3..]);
    let refused = world.get_as(ALICE, &format!("{LIST}?cursor=nonsense")).await.error();
    assert_eq!(refused, (400, "InvalidRequest".to_owned(), "Malformed cursor".to_owned()));
}

#[tokio::test]
async fn what_is_newer_than_what_was_seen_is_unread() {
    let (world, ..) = world().await;
    let read = async |query: &str| {
        let output = output(&world, ALICE, query).await;
        let read: Vec<bool> = output["notifications"].as_array().unwrap().iter().map(|item| item["isRead"].as_bool().unwrap()).collect();
        (read, output["seenAt"].as_str().map(str::to_owned), output["cursor"].as_str().map(str::to_owned))
    };
    let (first, seen_at, cursor) = read("limit=3").await;
    assert_eq!((first, seen_at), (vec![false, true, true], Some(time(15))), "who never said so has only the newest unread");
    let (next, seen_at, _) = read(&format!("limit=3&cursor={}", cursor.unwrap())).await;
    assert_eq!((next, seen_at), (vec![true; 3], None));
    saw(&world, ALICE, 12).await;
    let (all, seen_at, cursor) = read("limit=4").await;
    assert_eq!((all, seen_at), (vec![false; 4], Some(time(12))), "the millisecond that was seen is still unread");
    assert_eq!(read(&format!("cursor={}", cursor.unwrap())).await.0, [true, true]);
    let refused = world.get_as(ALICE, &format!("{LIST}?seenAt={}", time(1))).await.error();
    assert_eq!(refused, (400, "InvalidRequest".to_owned(), "The seenAt parameter is unsupported".to_owned()));
}

#[tokio::test]
async fn only_the_reasons_asked_for_are_listed() {
    let (world, ..) = world().await;
    assert_eq!(shown(&world, ALICE, "reasons=like&reasons=quote").await, ["quote bob", "like bob"]);
    assert_eq!(shown(&world, ALICE, "reasons=like&reasons=quote&limit=1").await, ["quote bob"]);
    assert_eq!(shown(&world, ALICE, "reasons=mention").await, ["mention bob"]);
    assert_eq!(shown(&world, ALICE, "reasons=subscribed-post").await, Vec::<String>::new());
}

#[tokio::test]
async fn priority_notifications_are_of_those_whom_the_viewer_follows() {
    let (mut world, of, cid) = world().await;
    world.put(CAROL, LIKE, &key(16), &edge(LIKE, &of, cid, 16)).await;
    world.put(ALICE, FOLLOW, &key(20), &follow(FOLLOW, CAROL, 20)).await;
    assert_eq!(shown(&world, ALICE, "priority=true").await, ["like carol"]);
    assert_eq!(output(&world, ALICE, "priority=true").await["priority"], json!(true));
    assert_eq!((count(&world, ALICE, "priority=true").await, count(&world, ALICE, "").await), (1, 7));
}

#[tokio::test]
async fn who_is_blocked_or_blocks_notifies_nobody() {
    let (mut world, ..) = world().await;
    world.put(ALICE, BLOCK, &key(30), &follow(BLOCK, BOB, 30)).await;
    assert_eq!(shown(&world, ALICE, "").await, Vec::<String>::new());
    world.delete(ALICE, BLOCK, &key(30)).await;
    assert_eq!(shown(&world, ALICE, "").await, BOBS);
    world.put(BOB, BLOCK, &key(31), &follow(BLOCK, ALICE, 31)).await;
    assert_eq!(shown(&world, ALICE, "").await, Vec::<String>::new());
}

#[tokio::test]
async fn who_is_muted_notifies_nobody_and_who_is_muted_in_part_does() {
    let (world, ..) = world().await;
    mute(&world, ALICE, BOB, 1).await;
    assert_eq!(shown(&world, ALICE, "").await, BOBS);
    sql(&world, "UPDATE mute SET scope = 0").await;
    assert_eq!(shown(&world, ALICE, "").await, Vec::<String>::new());
}

#[tokio::test]
async fn hidden_accounts_and_posts_are_told_of_to_nobody() {
    let (mut world, ..) = world().await;
    let rkey = key(13).parse::<Tid>().unwrap().value();
    sql(&world, &format!("INSERT INTO takedown_record VALUES ({rkey}, {}, 2, 1)", id(BOB))).await;
    let left = ["mention bob", "quote bob", "follow bob", "repost bob", "like bob"];
    assert_eq!(shown(&world, ALICE, "").await, left);
    world.account(BOB, false, Some("deactivated")).await;
    assert_eq!(shown(&world, ALICE, "").await, Vec::<String>::new());
    world.account(BOB, true, None).await;
    assert_eq!(shown(&world, ALICE, "").await, left);
    sql(&world, &format!("INSERT INTO takedown_account VALUES ({}, 1)", id(BOB))).await;
    assert_eq!(shown(&world, ALICE, "").await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_about_a_deleted_record_is_not_told() {
    let (mut world, ..) = world().await;
    world.delete(ALICE, POST, &key(1)).await;
    assert_eq!(shown(&world, ALICE, "").await, ["mention bob", "follow bob"]);
}

#[tokio::test]
async fn a_muted_thread_is_silent_and_counts_nothing() {
    let (mut world, of, cid) = world().await;
    let own = world.put(ALICE, POST, &key(20), &post("in the thread", 20, reply((&of, cid), (&of, cid)))).await;
    let answer = uri(ALICE, POST, &key(20));
    world.put(CAROL, LIKE, &key(21), &edge(LIKE, &answer, own, 21)).await;
    world.put(CAROL, POST, &key(22), &post("deeper", 22, reply((&of, cid), (&answer, own)))).await;
    assert_eq!(
        (shown(&world, ALICE, "limit=2").await, count(&world, ALICE, "").await),
        (vec!["reply carol".to_owned(), "like carol".into()], 8)
    );
    mute_thread(&world, ALICE, ALICE, 1).await;
    assert_eq!(shown(&world, ALICE, "").await, ["mention bob", "follow bob"]);
    assert_eq!(count(&world, ALICE, "").await, 2);
}

#[tokio::test]
async fn a_reply_that_the_owner_of_its_thread_hides_is_not_told_to_the_owner_alone() {
    let (mut world, of, cid) = world().await;
    let bobs = uri(BOB, POST, &key(13));
    let parent = Cid::dag_cbor(&post("reply", 13, reply((&of, cid), (&of, cid))).encode());
    world.put(CAROL, POST, &key(20), &post("to both", 20, reply((&of, cid), (&bobs, parent)))).await;
    assert_eq!(shown(&world, ALICE, "limit=1").await, ["reply carol"]);
    let hidden = Value::Array(vec![Value::text(uri(CAROL, POST, &key(20)))]);
    let gate = record("app.bsky.feed.threadgate", 21, vec![("post", Value::text(&of)), ("hiddenReplies", hidden)]);
    world.put(ALICE, "app.bsky.feed.threadgate", &key(1), &gate).await;
    assert_eq!(shown(&world, ALICE, "").await, BOBS);
    assert_eq!(shown(&world, BOB, "").await, ["reply carol"]);
}

#[tokio::test]
async fn own_acts_and_second_likes_notify_nobody() {
    let (mut world, of, cid) = world().await;
    world.put(ALICE, LIKE, &key(20), &edge(LIKE, &of, cid, 20)).await;
    world.put(BOB, LIKE, &key(21), &edge(LIKE, &of, cid, 21)).await;
    assert_eq!((shown(&world, ALICE, "").await, count(&world, ALICE, "").await), (BOBS.map(str::to_owned).to_vec(), 6));
}

#[tokio::test]
async fn a_record_from_the_future_does_not_stand_above_the_newest() {
    let (mut world, of, cid) = world().await;
    let future = Tid::from_micros(4_000_000_000_000_000, 0).to_string();
    world.put(CAROL, LIKE, &future, &edge(LIKE, &of, cid, 20)).await;
    assert_eq!((shown(&world, ALICE, "").await, count(&world, ALICE, "").await), (BOBS.map(str::to_owned).to_vec(), 6));
}

#[tokio::test]
async fn the_unread_count_is_of_what_is_newer_and_asks_for_no_mutes_and_blocks() {
    let (mut world, ..) = world().await;
    assert_eq!(count(&world, ALICE, "").await, 6, "nothing was seen");
    for (seconds, unread) in [(9, 6), (10, 5), (12, 3), (15, 0)] {
        saw(&world, ALICE, seconds).await;
        assert_eq!(count(&world, ALICE, "").await, unread, "{seconds}");
    }
    saw(&world, ALICE, 1).await;
    mute(&world, ALICE, BOB, 0).await;
    world.put(ALICE, BLOCK, &key(30), &follow(BLOCK, BOB, 30)).await;
    assert_eq!(count(&world, ALICE, "").await, 6);
    assert_eq!(count(&world, DAVE, "").await, 0, "who was never seen");
    let refused = world.get_as(ALICE, &format!("{COUNT}?seenAt={}", time(1))).await.error();
    assert_eq!(refused.2, "The seenAt parameter is unsupported");
}

#[tokio::test]
async fn the_unread_count_ends_at_a_thousand() {
    let (world, ..) = world().await;
    let more = "INSERT INTO \"like\" (rkey, sr, author, sa, dms) SELECT l.rkey + n * 1024, l.sr, l.author, l.sa, 0 FROM \"like\" l, generate_series(1, 2000) n";
    sql(&world, more).await;
    assert_eq!(count(&world, ALICE, "").await, 1000);
    assert_eq!(count(&world, ALICE, "priority=true").await, 0);
}

#[tokio::test]
async fn a_token_for_the_notification_service_is_taken() {
    let (world, ..) = world().await;
    for (path, status) in [(LIST, 200), (COUNT, 200), ("/xrpc/app.bsky.feed.getTimeline", 401)] {
        world.bearer(ALICE, path);
        let claims = sign_in::claims(ALICE, path);
        let claims = appviewd::atproto::jwt::Claims { aud: format!("{}#bsky_notif", sign_in::SERVICE), ..claims };
        let token = appviewd::atproto::jwt::issue(&claims, &sign_in::key(ALICE));
        let answer = world.ask("GET", path, &format!("authorization: Bearer {token}\r\n")).await;
        assert_eq!(answer.status, status, "{path}");
    }
}
