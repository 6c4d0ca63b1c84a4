//! Search for posts: each operator and parameter by its name, every script, pages, and nothing stale.

use appviewd::atproto::cbor::Value;
use serde_json::{Value as Json, json};

use super::world::{ALICE, BOB, CAROL, World, edge, follow, key, post, time, uri};

const SEARCH: &str = "app.bsky.feed.searchPosts";
const POST: &str = "app.bsky.feed.post";
const LIKE: &str = "app.bsky.feed.like";

fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::map(fields)
}

fn texts(values: &[&str]) -> Value {
    Value::Array(values.iter().map(|value| Value::text(*value)).collect())
}

/// Facets with these features.
fn facets(features: Vec<Value>) -> (&'static str, Value) {
    let index = || map([("byteStart", Value::Int(0)), ("byteEnd", Value::Int(1))]);
    let facet = |feature: Value| map([("index", index()), ("features", Value::Array(vec![feature]))]);
    ("facets", Value::Array(features.into_iter().map(facet).collect()))
}

fn feature(kind: &str, field: &str, value: &str) -> Value {
    map([("$type", Value::text(format!("app.bsky.richtext.facet#{kind}"))), (field, Value::text(value))])
}

fn external(address: &str) -> (&'static str, Value) {
    let external = map([("uri", Value::text(address)), ("title", Value::text("t")), ("description", Value::text("d"))]);
    ("embed", map([("$type", Value::text("app.bsky.embed.external")), ("external", external)]))
}

/// The texts of the posts found, and the cursor.
async fn page(world: &World, params: &[(&str, &str)]) -> (Vec<String>, Option<String>) {
    found(&world.query(SEARCH, params).await)
}

fn found(answer: &Json) -> (Vec<String>, Option<String>) {
    let posts = answer["posts"].as_array().unwrap().iter();
    (posts.map(|post| post["record"]["text"].as_str().unwrap().to_owned()).collect(), answer["cursor"].as_str().map(str::to_owned))
}

async fn find(world: &World, q: &str) -> Vec<String> {
    page(world, &[("q", q)]).await.0
}

/// ALICE and BOB, who have handles, and posts of every kind.
async fn world() -> World {
    let mut world = World::start().await;
    let mention = facets(vec![feature("mention", "did", BOB)]);
    let link = facets(vec![feature("link", "uri", "https://www.Example.com/a?b=1#c"), feature("tag", "tag", "Caturday")]);
    for (author, at, text, more) in [
        (ALICE, 10, "The quick brown fox", vec![("langs", texts(&["en"]))]),
        (BOB, 20, "The brown quick fox", vec![("langs", texts(&["en-GB", "de"]))]),
        (ALICE, 30, "Olá raposa", vec![("langs", texts(&["pt-BR"]))]),
        (ALICE, 40, "hello bob", vec![mention]),
        (BOB, 50, "a link and a tag", vec![link]),
        (ALICE, 60, "a card", vec![external("http://news.example.com/today/")]),
        (BOB, 70, "an outer tag", vec![("tags", texts(&["CATURDAY", "Ünï"]))]),
        (ALICE, -86_400 * 3, "the fox of another day", vec![]),
    ] {
        world.put(author, POST, &key(at), &post(text, at, more)).await;
    }
    handle(&world, ALICE, "alice.test").await;
    handle(&world, BOB, "bob.test").await;
    world
}

async fn handle(world: &World, did: &str, handle: &str) {
    let client = world.postgres.connect().await;
    assert_eq!(client.execute("UPDATE account SET handle = $2 WHERE did = $1", &[&did, &handle]).await.unwrap(), 1);
}

#[tokio::test]
async fn all_words_must_stand_somewhere_and_the_newest_comes_first() {
    let world = world().await;
    assert_eq!(find(&world, "fox").await, ["The brown quick fox", "The quick brown fox", "the fox of another day"]);
    assert_eq!(find(&world, "FÓX day").await, ["the fox of another day"]);
    assert_eq!(find(&world, "fox cat").await, [""; 0]);
    assert_eq!(find(&world, "fo").await, [""; 0]);
}

#[tokio::test]
async fn a_phrase_in_quotes_stands_as_it_is() {
    let world = world().await;
    assert_eq!(find(&world, "\"quick brown\"").await, ["The quick brown fox"]);
    assert_eq!(find(&world, "\"brown quick\" -\"quick brown\"").await, ["The brown quick fox"]);
}

#[tokio::test]
async fn what_stands_behind_a_minus_is_not_found() {
    let world = world().await;
    assert_eq!(find(&world, "fox -brown").await, ["the fox of another day"]);
    assert_eq!(find(&world, "fox -from:bob.test -lang:en").await, ["the fox of another day"]);
    assert_eq!(find(&world, "-from:alice.test -#caturday").await, ["The brown quick fox"], "nothing else is asked for");
}

#[tokio::test]
async fn from_finds_the_posts_of_an_account() {
    let world = world().await;
    for q in ["from:bob.test fox", "from:@BOB.test fox", &format!("from:{BOB} fox"), "author:bob.test fox", &format!("{BOB} fox")] {
        assert_eq!(find(&world, q).await, ["The brown quick fox"], "{q}");
    }
    assert_eq!(page(&world, &[("q", "fox"), ("author", "bob.test")]).await.0, ["The brown quick fox"]);
    assert_eq!(
        page(&world, &[("q", "fox from:bob.test"), ("author", "alice.test")]).await.0,
        ["The brown quick fox"],
        "the string is preferred"
    );
    assert_eq!(find(&world, "from:nobody.test fox").await, [""; 0]);
    let mine = world.get_as(BOB, "/xrpc/app.bsky.feed.searchPosts?q=from:me%20fox").await.json();
    assert_eq!(found(&mine).0, ["The brown quick fox"]);
    assert_eq!(find(&world, "from:me fox").await, [""; 0], "nobody asks");
}

#[tokio::test]
async fn to_and_mentions_find_the_posts_that_mention_an_account() {
    let world = world().await;
    for q in ["to:bob.test", "mentions:@bob.test", "@bob.test hello", &format!("mentions:{BOB}")] {
        assert_eq!(find(&world, q).await, ["hello bob"], "{q}");
    }
    assert_eq!(page(&world, &[("q", "hello"), ("mentions", "bob.test")]).await.0, ["hello bob"]);
    assert_eq!(page(&world, &[("q", "hello"), ("mentions", "alice.test")]).await.0, [""; 0]);
}

#[tokio::test]
async fn since_is_included_and_until_is_not() {
    let world = world().await;
    let at = |seconds: i64| time(seconds);
    assert_eq!(find(&world, &format!("fox since:{}", at(10))).await, ["The brown quick fox", "The quick brown fox"]);
    assert_eq!(find(&world, "fox since:2023-11-14").await.len(), 2, "2023-11-14T22:13:20Z is the beginning");
    assert_eq!(find(&world, "fox until:2023-11-14").await, ["the fox of another day"]);
    assert_eq!(find(&world, &format!("fox until:{}", at(10))).await, ["the fox of another day"]);
    assert_eq!(page(&world, &[("q", "fox"), ("since", "2023-11-12"), ("until", &at(20))]).await.0, ["The quick brown fox"]);
    assert_eq!(page(&world, &[("q", "since:2023-11-14 from:alice.test")]).await.0.len(), 4);
}

#[tokio::test]
async fn lang_finds_a_language_and_its_regions() {
    let world = world().await;
    assert_eq!(find(&world, "lang:en fox").await, ["The brown quick fox", "The quick brown fox"]);
    assert_eq!(find(&world, "lang:en-gb fox").await, ["The brown quick fox"]);
    assert_eq!(page(&world, &[("q", "olá"), ("lang", "pt")]).await.0, ["Olá raposa"]);
    assert_eq!(page(&world, &[("q", "olá"), ("lang", "pt-PT")]).await.0, [""; 0]);
}

#[tokio::test]
async fn domain_and_url_find_links_and_cards() {
    let world = world().await;
    assert_eq!(find(&world, "domain:example.com").await, ["a link and a tag"]);
    assert_eq!(page(&world, &[("q", "a"), ("domain", "www.news.Example.com")]).await.0, ["a card"]);
    assert_eq!(page(&world, &[("q", "a"), ("url", "https://example.com/a?b=1")]).await.0, ["a link and a tag"]);
    assert_eq!(find(&world, "https://news.example.com/today").await, ["a card"]);
    assert_eq!(page(&world, &[("q", "a"), ("url", "https://example.com/")]).await.0, [""; 0]);
}

#[tokio::test]
async fn a_tag_is_found_in_facets_and_beside_them() {
    let world = world().await;
    assert_eq!(find(&world, "#caturday").await, ["an outer tag", "a link and a tag"]);
    assert_eq!(page(&world, &[("q", "tag"), ("tag", "caturday"), ("tag", "uni")]).await.0, ["an outer tag"]);
    assert_eq!(find(&world, "#tag").await, [""; 0], "a word is no tag");
}

#[tokio::test]
async fn bad_query_strings_are_named() {
    let world = world().await;
    for params in [
        [("q", " "), ("sort", "top")],
        [("q", "?!"), ("sort", "latest")],
        [("q", "x since:now"), ("sort", "top")],
        [("q", "x"), ("until", "then")],
    ] {
        assert_eq!(world.try_query(SEARCH, &params).await.error().1, "BadQueryString", "{params:?}");
    }
    assert_eq!(
        world.try_query(SEARCH, &[("q", "from:!")]).await.error(),
        (400, "BadQueryString".to_owned(), "from: ! is neither a handle nor a DID".to_owned())
    );
    for (sort, cursor) in [("latest", "0__1_2_3"), ("top", "1_2_3"), ("latest", "x")] {
        let refused = world.try_query(SEARCH, &[("q", "fox"), ("sort", sort), ("cursor", cursor)]).await.error();
        assert_eq!(refused.2, "Malformed cursor", "{sort} {cursor}");
    }
}

#[tokio::test]
async fn posts_in_every_script_are_found() {
    let mut world = World::start().await;
    let scripts = [
        ("Crème brûlée", "creme"),
        ("Доброе утро", "УТРО"),
        ("Καλημέρα κόσμε", "καλημερα"),
        ("السَّلَامُ عَلَيْكُمْ", "السلام"),
        ("שָׁלוֹם עולם", "שלום"),
        ("नमस्ते दुनिया", "दुनिया"),
        ("สวัสดีชาวโลก", "ชาวโลก"),
        ("我爱北京天安门", "天安门"),
        ("東京タワーへ行きました", "タワー"),
        ("오늘 학교에서 공부했다", "학교"),
        ("sunrise 🌅", "🌅"),
    ];
    for (at, (text, _)) in (1..).zip(scripts) {
        world.put(ALICE, POST, &key(at), &post(text, at, vec![])).await;
    }
    for (text, word) in scripts {
        assert_eq!(find(&world, word).await, [text]);
    }
}

#[tokio::test]
async fn deleted_and_updated_posts_are_not_found_as_they_were() {
    let mut world = world().await;
    world.put(BOB, POST, &key(20), &post("The red hen", 20, vec![])).await;
    assert_eq!(find(&world, "fox").await, ["The quick brown fox", "the fox of another day"]);
    assert_eq!(find(&world, "hen").await, ["The red hen"]);
    world.delete(ALICE, POST, &key(10)).await;
    assert_eq!(find(&world, "fox").await, ["the fox of another day"]);
    world.account(ALICE, false, Some("deactivated")).await;
    assert_eq!(find(&world, "fox").await, [""; 0]);
    world.account(ALICE, true, None).await;
    assert_eq!(find(&world, "fox").await, ["the fox of another day"]);
    world.account(ALICE, false, Some("deleted")).await;
    assert_eq!(find(&world, "fox").await, [""; 0]);
}

#[tokio::test]
async fn posts_of_blocked_accounts_are_not_found_but_ones_own_are() {
    let mut world = world().await;
    world.put(BOB, "app.bsky.graph.block", &key(80), &follow("app.bsky.graph.block", ALICE, 80)).await;
    let path = "/xrpc/app.bsky.feed.searchPosts?q=fox";
    let of = |answer: &Json| found(answer).0;
    assert_eq!(of(&world.get_as(ALICE, path).await.json()), ["The quick brown fox", "the fox of another day"]);
    assert_eq!(of(&world.get_as(BOB, path).await.json()), ["The brown quick fox"]);
    assert_eq!(of(&world.get(path).await.json()).len(), 3);
    let sql = format!("INSERT INTO takedown_account (subject, time) SELECT id, 1 FROM account WHERE did = '{BOB}'");
    world.postgres.connect().await.execute(&sql, &[]).await.unwrap();
    assert_eq!(of(&world.get(path).await.json()), ["The quick brown fox", "the fox of another day"]);
}

#[tokio::test]
async fn all_pages_are_one_big_page_and_the_total_is_told_where_it_is_known() {
    let mut world = World::start().await;
    // Some of one time and one second, some years before: every window is walked.
    for n in 0..23_i64 {
        let at = if n % 5 == 0 { -n * 40_000_000 } else { n / 3 };
        let author = [ALICE, BOB, CAROL][usize::try_from(n % 3).unwrap()];
        let cid = world.put(author, POST, &key(n), &post(&format!("fox {n}"), at, vec![])).await;
        for liker in [ALICE, BOB, CAROL].iter().take(usize::try_from(n % 4).unwrap()) {
            world.put(liker, LIKE, &key(100 + n), &edge(LIKE, &uri(author, POST, &key(n)), cid, 100 + n)).await;
        }
    }
    for sort in ["latest", "top"] {
        let answer = world.query(SEARCH, &[("q", "fox"), ("sort", sort), ("limit", "100")]).await;
        assert_eq!(answer["hitsTotal"], json!(23), "{sort}");
        let (all, none) = found(&answer);
        assert_eq!((all.len(), none), (23, None), "{sort}");
        for limit in [1, 2, 5, 22, 23] {
            let (mut pages, mut cursor, mut count) = (Vec::new(), None::<String>, 0);
            loop {
                let limit = limit.to_string();
                let mut params = vec![("q", "fox"), ("sort", sort), ("limit", &*limit)];
                params.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
                let (posts, next) = page(&world, &params).await;
                pages.extend(posts);
                (cursor, count) = (next, count + 1);
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!((&pages, count), (&all, 23_usize.div_ceil(limit)), "{sort} by {limit}");
        }
    }
    let first = world.query(SEARCH, &[("q", "fox"), ("limit", "5")]).await;
    assert_eq!(first["hitsTotal"], json!(null), "what follows was not counted");
}

#[tokio::test]
async fn top_has_what_is_liked_before_what_is_new() {
    let mut world = World::start().await;
    let cid = world.put(ALICE, POST, &key(10), &post("fox liked", 10, vec![])).await;
    world.put(ALICE, POST, &key(20), &post("fox new", 20, vec![])).await;
    world.put(BOB, LIKE, &key(30), &edge(LIKE, &uri(ALICE, POST, &key(10)), cid, 30)).await;
    assert_eq!(page(&world, &[("q", "fox"), ("sort", "top")]).await.0, ["fox liked", "fox new"]);
    assert_eq!(page(&world, &[("q", "fox"), ("sort", "latest")]).await.0, ["fox new", "fox liked"]);
    world.delete(BOB, LIKE, &key(30)).await;
    assert_eq!(page(&world, &[("q", "fox"), ("sort", "top")]).await.0, ["fox new", "fox liked"]);
}

#[tokio::test]
async fn what_tokens_find_too_much_is_held_against_the_post() {
    let world = world().await;
    // As if the tokens of the words collided.
    let client = world.postgres.connect().await;
    let wrong = "UPDATE post SET tokens = (SELECT array_agg(DISTINCT t) FROM post, UNNEST(tokens) AS t)";
    assert_eq!(client.execute(wrong, &[]).await.unwrap(), 8);
    assert_eq!(find(&world, "raposa").await, ["Olá raposa"]);
    assert_eq!(find(&world, "\"quick brown\" from:alice.test lang:en").await, ["The quick brown fox"]);
    assert_eq!(find(&world, "domain:example.com #caturday").await, ["a link and a tag"]);
    assert_eq!(find(&world, "mentions:bob.test").await, ["hello bob"]);
}
