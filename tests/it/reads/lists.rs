//! Lists of who did what: likes, reposts, quotes, follows. Every page in its place, nothing twice, nothing missed, no cursor on the last.

use appviewd::atproto::Cid;
use appviewd::atproto::cbor::Value;

use super::world::{ALICE, World, edge, follow, key, post, reference, uri};

const POST: &str = "app.bsky.feed.post";
const LIKE: &str = "app.bsky.feed.like";
const REPOST: &str = "app.bsky.feed.repost";
const FOLLOW: &str = "app.bsky.graph.follow";

/// Accounts that do things to ALICE, who has a post.
const CROWD: usize = 7;

fn did(n: usize) -> String {
    format!("did:plc:crowd{}{}", (b'a' + u8::try_from(n).unwrap()) as char, "a".repeat(18))
}

fn quote(of: &str, cid: Cid) -> Vec<(&'static str, Value)> {
    let embed = [("$type", Value::text("app.bsky.embed.record")), ("record", reference(of, cid))];
    vec![("embed", Value::map(embed))]
}

/// Each of the crowd likes, reposts and quotes the post, and follows ALICE and is followed; one more like of a second key does not count.
async fn crowd(world: &mut World) -> String {
    let cid = world.put(ALICE, POST, &key(0), &post("the post", 0, vec![])).await;
    let of = uri(ALICE, POST, &key(0));
    for n in 0..CROWD {
        let (did, at) = (did(n), 10 + i64::try_from(n).unwrap());
        world.put(&did, LIKE, &key(at), &edge(LIKE, &of, cid, at)).await;
        world.put(&did, REPOST, &key(at), &edge(REPOST, &of, cid, at)).await;
        world.put(&did, POST, &key(at), &post(&format!("quote {n}"), at, quote(&of, cid))).await;
        world.put(&did, FOLLOW, &key(at), &follow(FOLLOW, ALICE, at)).await;
        world.put(ALICE, FOLLOW, &key(at), &follow(FOLLOW, &did, at)).await;
    }
    world.put(&did(0), LIKE, &key(50), &edge(LIKE, &of, cid, 50)).await;
    of
}

/// The DIDs on a page of this method, and its cursor.
fn page(nsid: &str, output: &serde_json::Value) -> (Vec<String>, Option<String>) {
    let (items, path): (&str, &[&str]) = match nsid {
        "app.bsky.feed.getLikes" => ("likes", &["actor", "did"]),
        "app.bsky.feed.getRepostedBy" => ("repostedBy", &["did"]),
        "app.bsky.feed.getQuotes" => ("posts", &["author", "did"]),
        "app.bsky.graph.getFollowers" | "app.bsky.graph.getKnownFollowers" => ("followers", &["did"]),
        _ => ("follows", &["did"]),
    };
    let did = |item: &serde_json::Value| path.iter().fold(item, |at, key| &at[*key]).as_str().unwrap().to_owned();
    (output[items].as_array().unwrap().iter().map(did).collect(), output["cursor"].as_str().map(str::to_owned))
}

async fn read(world: &World, nsid: &str, subject: (&str, &str), limit: usize, cursor: Option<&str>) -> (Vec<String>, Option<String>) {
    let limit = limit.to_string();
    let mut params = vec![subject, ("limit", &*limit)];
    params.extend(cursor.map(|cursor| ("cursor", cursor)));
    page(nsid, &world.query(nsid, &params).await)
}

#[tokio::test]
async fn all_pages_of_a_list_are_one_big_page_and_the_last_has_no_cursor() {
    let mut world = World::start().await;
    let of = crowd(&mut world).await;
    let newest_first: Vec<String> = (0..CROWD).rev().map(did).collect();
    for (nsid, subject) in [
        ("app.bsky.feed.getLikes", ("uri", &*of)),
        ("app.bsky.feed.getRepostedBy", ("uri", &*of)),
        ("app.bsky.feed.getQuotes", ("uri", &*of)),
        ("app.bsky.graph.getFollowers", ("actor", ALICE)),
        ("app.bsky.graph.getFollows", ("actor", ALICE)),
    ] {
        assert_eq!(read(&world, nsid, subject, 100, None).await, (newest_first.clone(), None), "{nsid}");
        for limit in 1..=CROWD {
            let (mut all, mut cursor, mut pages) = (Vec::new(), None::<String>, 0);
            loop {
                let (items, next) = read(&world, nsid, subject, limit, cursor.as_deref()).await;
                assert!(items.len() == limit || next.is_none(), "{nsid}: a page that is not full has a cursor");
                all.extend(items);
                pages += 1;
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!((&all, pages), (&newest_first, CROWD.div_ceil(limit)), "{nsid} by {limit}");
        }
    }
}

#[tokio::test]
async fn a_list_of_nothing_and_a_bad_cursor_are_answered_as_clients_know_it() {
    let mut world = World::start().await;
    crowd(&mut world).await;
    let nowhere = uri(ALICE, POST, &key(99));
    for nsid in ["app.bsky.feed.getLikes", "app.bsky.feed.getRepostedBy", "app.bsky.feed.getQuotes"] {
        assert_eq!(read(&world, nsid, ("uri", &nowhere), 10, None).await, (vec![], None), "{nsid}");
        assert_eq!(read(&world, nsid, ("uri", &nowhere), 10, Some("1::x")).await, (vec![], None), "{nsid}");
        let refused = world.try_query(nsid, &[("uri", &nowhere), ("cursor", "nonsense")]).await.error();
        assert_eq!(refused, (400, "InvalidRequest".to_owned(), "Malformed cursor".to_owned()), "{nsid}");
    }
    let unknown = "did:plc:nobodyaaaaaaaaaaaaaaaaaa";
    for nsid in ["app.bsky.graph.getFollowers", "app.bsky.graph.getFollows"] {
        let refused = world.try_query(nsid, &[("actor", unknown)]).await.error();
        assert_eq!(refused, (400, "InvalidRequest".to_owned(), format!("Actor not found: {unknown}")), "{nsid}");
    }
}

#[tokio::test]
async fn hidden_accounts_leave_no_hole_in_a_list() {
    let mut world = World::start().await;
    let of = crowd(&mut world).await;
    for n in [1, 2, 5] {
        world.account(&did(n), false, Some("deactivated")).await;
    }
    let shown: Vec<String> = [6, 4, 3, 0].map(did).to_vec();
    for (nsid, subject) in [
        ("app.bsky.feed.getLikes", ("uri", &*of)),
        ("app.bsky.feed.getRepostedBy", ("uri", &*of)),
        ("app.bsky.feed.getQuotes", ("uri", &*of)),
        ("app.bsky.graph.getFollowers", ("actor", ALICE)),
        ("app.bsky.graph.getFollows", ("actor", ALICE)),
    ] {
        let (first, cursor) = read(&world, nsid, subject, 3, None).await;
        assert_eq!(first, shown[..3], "{nsid}");
        assert_eq!(read(&world, nsid, subject, 3, cursor.as_deref()).await.0, shown[3..], "{nsid}");
    }
}

/// Whatever the record's key and the form of its time: columns hold neither an hour's difference nor another way to write it.
#[tokio::test]
async fn a_like_is_told_with_the_time_that_its_record_says() {
    let mut world = World::start().await;
    let cid = world.put(ALICE, POST, &key(0), &post("the post", 0, vec![])).await;
    let of = uri(ALICE, POST, &key(0));
    for (n, created) in ["2023-11-14T22:14:00.500Z", "2020-01-01T00:00:00.000Z", "2023-11-14T22:14:02Z"].into_iter().enumerate() {
        let like = Value::map([("$type", Value::text(LIKE)), ("subject", reference(&of, cid)), ("createdAt", Value::text(created))]);
        world.put(&did(n), LIKE, &key(40 + i64::try_from(n).unwrap()), &like).await;
    }
    let likes = world.query("app.bsky.feed.getLikes", &[("uri", &of)]).await;
    let created: Vec<&str> = likes["likes"].as_array().unwrap().iter().map(|like| like["createdAt"].as_str().unwrap()).collect();
    assert_eq!(created, ["2023-11-14T22:14:02.000Z", "2020-01-01T00:00:00.000Z", "2023-11-14T22:14:00.500Z"]);
}
