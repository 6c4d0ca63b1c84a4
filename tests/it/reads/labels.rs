//! Who sees whose labels, and what they do: by the header of the request, by what is said, and by the clock.

use appviewd::atproto::Position;
use appviewd::atproto::cbor::Value;
use appviewd::atproto::label::Label;
use appviewd::db::labeler::Labeler;
use appviewd::index::{Index, IndexError, Labelled};
use serde_json::{Value as Json, json};

use super::world::{ALICE, BOB, START, World, follow, key, post, reference, time, uri};

const POST: &str = "app.bsky.feed.post";
const FOLLOW: &str = "app.bsky.graph.follow";
/// Asked where a request does not say whose labels it wants.
const MODERATION: &str = "did:plc:moderationaaaaaaaaaaaaa";
const OTHER: &str = "did:plc:otherlabeleraaaaaaaaaaa";
/// `admin:secret`
const ADMIN: &str = "authorization: Basic YWRtaW46c2VjcmV0\r\n";
const EVERYONE: &str = "atproto-accept-labelers: did:plc:moderationaaaaaaaaaaaaa;redact, did:plc:otherlabeleraaaaaaaaaaa\r\n";

struct Rig {
    world: World,
    index: Index,
}

pub(super) fn label(uri: &str, val: &str, cts: i64) -> Label {
    Label { uri: uri.into(), cid: None, val: val.into(), neg: false, cts, exp: None }
}

impl Rig {
    /// ALICE has a post that BOB answers; OTHER is an account that is known.
    async fn start() -> Self {
        let mut world = World::with(|config| {
            config.admin.password = Some("secret".to_owned());
            config.labels.default_labelers = vec![MODERATION.to_owned()];
        })
        .await;
        let cid = world.put(ALICE, POST, &key(1), &post("alice", 1, vec![])).await;
        let of = uri(ALICE, POST, &key(1));
        let reply = Value::map([("root", reference(&of, cid)), ("parent", reference(&of, cid))]);
        world.put(BOB, POST, &key(3), &post("bob", 3, vec![("reply", reply)])).await;
        world.account(OTHER, true, None).await;
        Self { world, index: Index::new(appviewd::config::index::Index { other_collections: true }) }
    }

    async fn labeler(&self, did: &str) -> Labeler {
        let mut client = self.world.pools.writer.get().await.unwrap();
        let labelers = self.index.labelers(&mut client, &[did.parse().unwrap()]).await.unwrap();
        labelers.into_iter().find(|labeler| labeler.did == did).unwrap()
    }

    async fn says(&self, did: &str, labels: &[Label]) -> Labelled {
        let labeler = self.labeler(did).await;
        let mut client = self.world.pools.writer.get().await.unwrap();
        let labels: Vec<&Label> = labels.iter().collect();
        self.index.label(&mut client, &labeler, Position::new(0, labeler.at.seq + 1), &labels).await.unwrap()
    }

    async fn ask(&self, nsid: &str, query: &str, headers: &str) -> Json {
        let answer = self.world.ask("GET", &format!("/xrpc/{nsid}?{query}"), headers).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    async fn profile(&self, headers: &str) -> Json {
        self.ask("app.bsky.actor.getProfile", &format!("actor={ALICE}"), headers).await
    }

    async fn posts(&self, headers: &str) -> Json {
        self.ask("app.bsky.feed.getPosts", &format!("uris={}", uri(ALICE, POST, &key(1))), headers).await["posts"].clone()
    }
}

fn vals(view: &Json) -> Vec<&str> {
    view["labels"].as_array().unwrap().iter().map(|label| label["val"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn labels_of_accounts_profiles_and_posts_are_shown_beside_their_own() {
    let mut rig = Rig::start().await;
    let own = Value::map([
        ("$type", Value::text("com.atproto.label.defs#selfLabels")),
        ("values", Value::Array(vec![Value::map([("val", Value::text("own"))])])),
    ]);
    let profile = Value::map([("$type", Value::text("app.bsky.actor.profile")), ("createdAt", Value::text(time(1))), ("labels", own)]);
    let cid = rig.world.put(ALICE, "app.bsky.actor.profile", "self", &profile).await;
    let exp = START + 4_000_000_000_000_000;
    let of_profile = format!("at://{ALICE}/app.bsky.actor.profile/self");
    rig.says(
        MODERATION,
        &[
            label(ALICE, "account", START),
            Label { cid: Some(cid), exp: Some(exp), ..label(&of_profile, "profile", START + 1) },
            label(&uri(ALICE, POST, &key(1)), "post", START),
        ],
    )
    .await;
    let profile = rig.profile("").await;
    let expected = json!([
        {"src": MODERATION, "uri": ALICE, "val": "account", "cts": "2023-11-14T22:13:20.000Z"},
        {"src": MODERATION, "uri": of_profile, "cid": cid.to_string(), "val": "profile", "cts": "2023-11-14T22:13:20.000Z",
         "exp": appviewd::atproto::datetime::format_micros(exp)},
        {"src": ALICE, "uri": of_profile, "cid": cid.to_string(), "val": "own", "cts": time(1)},
    ]);
    assert_eq!(profile["labels"], expected);
    let posts = rig.posts("").await;
    assert_eq!((vals(&posts[0]), vals(&posts[0]["author"])), (vec!["post"], vec!["account", "profile", "own"]));
    let feed = rig.ask("app.bsky.feed.getAuthorFeed", &format!("actor={BOB}"), "").await;
    assert_eq!(vals(&feed["feed"][0]["reply"]["parent"]), ["post"]);
}

/// Said while the code did not number the collection: kept by address, until a version comes that does.
#[tokio::test]
async fn labels_kept_by_address_are_shown_when_their_collection_has_a_number() {
    let mut rig = Rig::start().await;
    let (of, unknown) = (uri(ALICE, POST, &key(1)), format!("at://{ALICE}/com.example.thing/x"));
    // Taken back by a later word, and said by one that is too old to count.
    let back = Label { neg: true, ..label(&of, "back", START + 1) };
    rig.says(MODERATION, &[back, label(&of, "kept", START), label(&unknown, "kept", START)]).await;
    let before = format!(
        "WITH u AS (INSERT INTO label_uri (uri) VALUES ('{of}') RETURNING id), v AS (INSERT INTO label_value (val) VALUES ('old') RETURNING id, val)
         INSERT INTO label (sa, coll, sr, labeler, val, cts, neg)
         SELECT 0, -1, u.id, 0, w.id, {START}, false FROM u, (SELECT id, val FROM v UNION SELECT id, val FROM label_value) w;
         DELETE FROM meta WHERE key = 'labels.collections'"
    );
    rig.world.pools.writer.get().await.unwrap().batch_execute(&before).await.unwrap();
    assert_eq!(vals(&rig.posts("").await[0]), ["kept"]);
    rig.index = Index::new(appviewd::config::index::Index { other_collections: true });
    rig.says(MODERATION, &[]).await;
    let posts = rig.posts("").await;
    let mut seen = vals(&posts[0]);
    seen.sort_unstable();
    assert_eq!(seen, ["kept", "old"]);
    let client = rig.world.pools.writer.get().await.unwrap();
    let left = client.query("SELECT uri, (SELECT count(*) FROM label WHERE coll = -1) FROM label_uri", &[]).await.unwrap();
    assert_eq!(left.iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<(String, i64)>>(), [(unknown, 1)]);
}

#[tokio::test]
async fn labels_are_of_those_whom_the_request_names() {
    let rig = Rig::start().await;
    rig.says(MODERATION, &[label(ALICE, "one", START)]).await;
    rig.says(OTHER, &[label(ALICE, "two", START)]).await;
    for (headers, seen) in [
        ("", vec!["one"]),
        ("atproto-accept-labelers: did:plc:otherlabeleraaaaaaaaaaa\r\n", vec!["two"]),
        (EVERYONE, vec!["one", "two"]),
        ("atproto-accept-labelers: \r\n", vec![]),
        ("atproto-accept-labelers: did:plc:nobody\r\n", vec![]),
    ] {
        let mut found = vals(&rig.profile(headers).await).iter().map(ToString::to_string).collect::<Vec<_>>();
        found.sort();
        assert_eq!(found, seen, "{headers}");
    }
}

#[tokio::test]
async fn a_takedown_label_of_who_may_hide_removes_its_subject() {
    let rig = Rig::start().await;
    let (of_alice, of_post) = (format!("/xrpc/app.bsky.actor.getProfile?actor={ALICE}"), uri(ALICE, POST, &key(1)));
    rig.says(OTHER, &[label(&of_post, "!takedown", START), label(ALICE, "!suspend", START)]).await;
    // Who is listened to without `redact` only says so.
    assert_eq!(vals(&rig.profile(EVERYONE).await), ["!suspend"]);
    assert_eq!(vals(&rig.posts(EVERYONE).await[0]), ["!takedown"]);
    let redact = "atproto-accept-labelers: did:plc:otherlabeleraaaaaaaaaaa;redact\r\n";
    assert_eq!(
        rig.world.ask("GET", &of_alice, redact).await.error(),
        (400, "AccountTakedown".to_owned(), "Account has been suspended".to_owned())
    );
    assert_eq!(rig.posts(redact).await, json!([]));
    let feed = rig.ask("app.bsky.feed.getAuthorFeed", &format!("actor={BOB}"), redact).await;
    assert_eq!(feed["feed"][0]["reply"]["parent"]["$type"], json!("app.bsky.feed.defs#notFoundPost"));
    // Those who take down see it.
    assert_eq!(vals(&rig.profile(&format!("{ADMIN}{redact}")).await), ["!suspend"]);
}

#[tokio::test]
async fn a_post_is_taken_down_by_a_label_without_its_author() {
    let rig = Rig::start().await;
    rig.says(MODERATION, &[label(&uri(ALICE, POST, &key(1)), "!takedown", START)]).await;
    assert_eq!(rig.posts("").await, json!([]));
    assert_eq!(rig.profile("").await["did"], json!(ALICE));
}

#[tokio::test]
async fn hide_is_a_plain_label_and_needs_review_is_not_shown_of_who_may_hide() {
    let rig = Rig::start().await;
    rig.says(MODERATION, &[label(ALICE, "!hide", START), label(ALICE, "needs-review", START)]).await;
    rig.says(OTHER, &[label(ALICE, "needs-review", START)]).await;
    assert_eq!(vals(&rig.profile("").await), ["!hide"]);
    let profile = rig.profile(EVERYONE).await;
    let of_other: Vec<&Json> = profile["labels"].as_array().unwrap().iter().filter(|label| label["src"] == json!(OTHER)).collect();
    assert_eq!((vals(&profile).len(), of_other[0]["val"].as_str()), (2, Some("needs-review")));
}

#[tokio::test]
async fn a_reply_under_review_by_somebody_who_is_blocked_is_a_blocked_post() {
    let mut rig = Rig::start().await;
    let path = format!("/xrpc/app.bsky.feed.getPostThread?uri={}", uri(ALICE, POST, &key(1)));
    let dave = "did:plc:daveaaaaaaaaaaaaaaaaaaaa";
    let kinds = async |rig: &Rig| {
        let replies = rig.world.get_as(dave, &path).await.json()["thread"]["replies"].clone();
        replies.as_array().unwrap().iter().map(|reply| reply["$type"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&rig).await, ["app.bsky.feed.defs#threadViewPost"]);
    rig.says(MODERATION, &[label(BOB, "needs-review", START)]).await;
    assert_eq!(kinds(&rig).await, [""; 0]);
    rig.world.put(dave, "app.bsky.graph.block", &key(9), &follow("app.bsky.graph.block", BOB, 9)).await;
    assert_eq!(kinds(&rig).await, ["app.bsky.feed.defs#blockedPost"]);
}

#[tokio::test]
async fn what_needs_review_is_told_of_and_quotes_only_to_who_follows_its_author() {
    let mut rig = Rig::start().await;
    let of = uri(ALICE, POST, &key(1));
    let cid = appviewd::atproto::Cid::dag_cbor(&post("alice", 1, vec![]).encode());
    let embed = Value::map([("$type", Value::text("app.bsky.embed.record")), ("record", reference(&of, cid))]);
    rig.world.put(BOB, POST, &key(4), &post("quote", 4, vec![("embed", embed)])).await;
    let (quotes, notices) = (format!("/xrpc/app.bsky.feed.getQuotes?uri={of}"), "/xrpc/app.bsky.notification.listNotifications".to_owned());
    let counts = async |rig: &Rig, headers: &str| {
        let bearer = |path: &str| format!("{}{headers}", rig.world.bearer(ALICE, path));
        let shown = rig.world.ask("GET", &quotes, &bearer(&quotes)).await.json()["posts"].as_array().unwrap().len();
        let told = rig.world.ask("GET", &notices, &bearer(&notices)).await.json()["notifications"].as_array().unwrap().len();
        (shown, told)
    };
    assert_eq!(counts(&rig, "").await, (1, 2));
    rig.says(MODERATION, &[label(&uri(BOB, POST, &key(4)), "needs-review", START)]).await;
    assert_eq!(counts(&rig, "").await, (0, 1));
    rig.says(MODERATION, &[label(BOB, "needs-review", START)]).await;
    assert_eq!(counts(&rig, "").await, (0, 0));
    // Who may not hide only says so.
    assert_eq!(counts(&rig, "atproto-accept-labelers: did:plc:moderationaaaaaaaaaaaaa\r\n").await, (1, 2));
    rig.world.put(ALICE, FOLLOW, &key(5), &follow(FOLLOW, BOB, 5)).await;
    assert_eq!(counts(&rig, "").await, (1, 2));
}

#[tokio::test]
async fn what_was_taken_back_or_has_ended_is_not_shown() {
    let rig = Rig::start().await;
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_micros()).unwrap();
    let until = |val: &str, exp: i64| Label { exp: Some(exp), ..label(ALICE, val, START) };
    rig.says(
        MODERATION,
        &[label(ALICE, "back", START), until("ended", now - 1), until("ending", now + 2_000_000), until("lasting", now + 3_600_000_000)],
    )
    .await;
    let seen = rig.profile("").await;
    let mut seen = vals(&seen);
    seen.sort_unstable();
    assert_eq!(seen, ["back", "ending", "lasting"]);
    rig.says(MODERATION, &[Label { neg: true, ..label(ALICE, "back", START + 1) }]).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(vals(&rig.profile("").await), ["lasting"]);
    // An older word that comes again does not bring it back; a later one does.
    assert_eq!(rig.says(MODERATION, &[label(ALICE, "back", START)]).await, Labelled { older: 1, ..Labelled::default() });
    assert_eq!(vals(&rig.profile("").await), ["lasting"]);
    rig.says(MODERATION, &[label(ALICE, "back", START + 2)]).await;
    assert_eq!(vals(&rig.profile("").await).len(), 2);
}

#[tokio::test]
async fn labels_of_subjects_that_come_later_are_found() {
    let mut rig = Rig::start().await;
    let carol = "did:plc:carolaaaaaaaaaaaaaaaaaaa";
    let of = |rkey: &str| uri(carol, POST, rkey);
    rig.says(MODERATION, &[label(carol, "account", START), label(&of(&key(9)), "tid", START), label(&of("odd.key"), "odd", START)]).await;
    rig.world.put(carol, POST, &key(9), &post("x", 9, vec![])).await;
    rig.world.put(carol, POST, "odd.key", &post("y", 9, vec![])).await;
    let posts = rig.ask("app.bsky.feed.getPosts", &format!("uris={}&uris={}", of(&key(9)), of("odd.key")), "").await;
    assert_eq!((vals(&posts["posts"][0]), vals(&posts["posts"][1])), (vec!["tid"], vec!["odd"]));
    assert_eq!(vals(&posts["posts"][0]["author"]), ["account"]);
}

/// They are the labeler's, which will not say them again: an account that comes back has them still, with the keys that they name.
#[tokio::test]
async fn labels_outlive_a_purge() {
    let mut rig = Rig::start().await;
    let odd = uri(BOB, POST, "odd.key");
    rig.world.put(BOB, POST, "odd.key", &post("y", 9, vec![])).await;
    // The keys of posts stay in any case, those of feed generators only where somebody names them.
    let (generator, feed) = ("app.bsky.feed.generator", uri(BOB, "app.bsky.feed.generator", "my-feed"));
    let fields = [("$type", generator), ("did", "did:web:feeds.example"), ("displayName", "f"), ("createdAt", "2023-11-14T22:13:20.000Z")];
    let record = Value::map(fields.map(|(key, value)| (key, Value::text(value))));
    rig.world.put(BOB, generator, "my-feed", &record).await;
    rig.says(MODERATION, &[label(BOB, "account", START), label(&odd, "odd", START), label(&feed, "feed", START)]).await;
    rig.world.account(BOB, false, Some("deleted")).await;
    let mut client = rig.world.pools.writer.get().await.unwrap();
    while rig.index.purge_some(&mut client).await.unwrap().is_some() {}
    drop(client);
    rig.world.account(BOB, true, None).await;
    rig.world.put(BOB, POST, "odd.key", &post("y", 99, vec![])).await;
    rig.world.put(BOB, generator, "my-feed", &record).await;
    let feeds = rig.ask("app.bsky.feed.getFeedGenerators", &format!("feeds={feed}"), "").await;
    assert_eq!(vals(&feeds["feeds"][0]), ["feed"]);
    let posts = rig.ask("app.bsky.feed.getPosts", &format!("uris={odd}"), "").await;
    assert_eq!((vals(&posts["posts"][0]), vals(&posts["posts"][0]["author"])), (vec!["odd"], vec!["account"]));
}

#[tokio::test]
async fn labels_move_with_their_labeler_s_place_or_not_at_all() {
    let rig = Rig::start().await;
    let before = rig.labeler(MODERATION).await;
    rig.says(MODERATION, &[label(ALICE, "one", START)]).await;
    let mut client = rig.world.pools.writer.get().await.unwrap();
    let late = label(ALICE, "two", START);
    let lost = rig.index.label(&mut client, &before, Position::new(0, 9), &[&late]).await;
    assert!(matches!(lost, Err(IndexError::Lost)), "{lost:?}");
    drop(client);
    assert_eq!((vals(&rig.profile("").await), rig.labeler(MODERATION).await.at), (vec!["one"], Position::new(0, 1)));
}

#[tokio::test]
async fn a_list_by_which_somebody_is_blocked_shows_its_labels() {
    let mut rig = Rig::start().await;
    let text = |value: &str| Value::text(value);
    let list = uri(ALICE, "app.bsky.graph.list", &key(20));
    let record = |collection: &'static str, fields: Vec<(&'static str, Value)>| {
        Value::map([("$type", text(collection)), ("createdAt", text(&time(20)))].into_iter().chain(fields))
    };
    let fields = vec![("name", text("l")), ("purpose", text("app.bsky.graph.defs#modlist"))];
    rig.world.put(ALICE, "app.bsky.graph.list", &key(20), &record("app.bsky.graph.list", fields)).await;
    let fields = vec![("list", text(&list)), ("subject", text(BOB))];
    rig.world.put(ALICE, "app.bsky.graph.listitem", &key(21), &record("app.bsky.graph.listitem", fields)).await;
    rig.world.put(ALICE, "app.bsky.graph.listblock", &key(22), &record("app.bsky.graph.listblock", vec![("subject", text(&list))])).await;
    rig.says(MODERATION, &[label(&list, "list", START)]).await;
    let path = format!("/xrpc/app.bsky.actor.getProfile?actor={BOB}");
    let profile = rig.world.get_as(ALICE, &path).await.json();
    assert_eq!(vals(&profile["viewer"]["blockingByList"]), ["list"]);
    rig.says(MODERATION, &[label(&list, "!takedown", START)]).await;
    assert_eq!(rig.world.get_as(ALICE, &path).await.json()["viewer"].get("blockingByList"), None);
}
