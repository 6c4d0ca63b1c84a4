//! Every statement of the API, as it was prepared on its own connection with its own settings, goes over an index and sorts no whole range.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use appviewd::atproto::Cid;
use appviewd::atproto::cbor::Value;
use appviewd::db::read::feed::Before;
use appviewd::db::read::relation;
use appviewd::db::read::search::{self, Window};

use super::world::{ALICE, BOB, World, edge, key, post, reference, time, uri};

/// Tables of a row a process or a setting, read whole on purpose.
const SMALL: [&str; 2] = ["heartbeat", "collection"];

/// Pages in an order that their index has but for ties.
const PAGES: [&str; 7] = [
    "read::list::known_likers",
    "read::list::likes",
    "read::list::reposts",
    "read::list::quotes",
    "read::list::followers",
    "read::list::follows",
    "read::notification::newest",
];

/// Statements that must have been prepared, so that none is passed over.
const PREPARED: [&str; 71] = [
    "read::post::shown",
    "read::verification::of",
    "read::list::known_likers",
    "read::pack::joined",
    "read::relation::muted_lists",
    "listblock::of",
    "read::thread::above",
    "read::thread::newest_below",
    "read::thread::oldest_below",
    "read::thread::own",
    "read::gate::threads",
    "listitem::of",
    "post::records",
    "read::actor::by_id",
    "read::actor::counts",
    "read::list::known_followers",
    "read::search::carriers",
    "read::search::first_handles",
    "read::search::first_names",
    "read::search::followed",
    "read::search::handle_carriers",
    "read::search::last_account",
    "read::search::name_carriers",
    "read::search::handles",
    "read::search::names",
    "read::search::newest_posts",
    "read::search::posts",
    "read::list::likes",
    "read::list::reposts",
    "read::list::quotes",
    "read::list::followers",
    "read::list::follows",
    "read::list::members",
    "read::notification::newest",
    "read::notification::seen",
    "read::notification::threads",
    "read::notification::unread",
    "record::held",
    "threadgate::of",
    "read::relation::blocked_by",
    "read::relation::blocks",
    "read::relation::list_blocks",
    "read::relation::followed",
    "read::relation::follows",
    "read::relation::known",
    "read::relation::mutes",
    "read::relation::muted_threads",
    "read::takedown::of",
    "read::timeline::posts",
    "read::timeline::reposts",
    "like::of",
    "read::reaction::of",
    "read::actor::kept",
    "read::feed::all",
    "read::feed::flagged",
    "read::feed::own_threads",
    "read::feed::posts",
    "read::post::at",
    "read::key::did",
    "read::key::texts",
    "read::label::of",
    "read::labeler::known",
    "read::record::kept",
    "read::record::raw",
    "stat::under",
    "account::ids",
    "alias::ids",
    "like::at",
    "repost::at",
    "follow::at",
    "block::at",
];

/// A post of BOB's below which may reply whom it mentions and who is on a list of his.
async fn gated_post(world: &mut World) {
    let (own, list) = (uri(BOB, "app.bsky.feed.post", &key(30)), uri(BOB, "app.bsky.graph.list", &key(31)));
    world.put(BOB, "app.bsky.feed.post", &key(30), &post("gated", 30, vec![])).await;
    let rule = |name: &str| Value::map([("$type", Value::text(format!("app.bsky.feed.threadgate#{name}"))), ("list", Value::text(&*list))]);
    let gate = [
        ("$type", Value::text("app.bsky.feed.threadgate")),
        ("createdAt", Value::text(time(30))),
        ("post", Value::text(&*own)),
        ("allow", Value::Array(vec![rule("listRule"), rule("mentionRule")])),
    ];
    world.put(BOB, "app.bsky.feed.threadgate", &key(30), &Value::map(gate)).await;
}

/// Asks as ALICE, who blocks a list that BOB is on, for everything about the post at `target` and for lists of accounts.
async fn signed_in(world: &mut World, target: &str) {
    let list = uri(ALICE, "app.bsky.graph.list", &key(20));
    let text = |value: &str| Value::text(value);
    let record = |collection: &'static str, fields: Vec<(&'static str, Value)>| {
        Value::map([("$type", text(collection)), ("createdAt", text(&time(20)))].into_iter().chain(fields))
    };
    let fields = vec![("name", text("l")), ("purpose", text("app.bsky.graph.defs#modlist"))];
    world.put(ALICE, "app.bsky.graph.list", &key(20), &record("app.bsky.graph.list", fields)).await;
    let fields = vec![("list", text(&list)), ("subject", text(BOB))];
    world.put(ALICE, "app.bsky.graph.listitem", &key(21), &record("app.bsky.graph.listitem", fields)).await;
    let fields = vec![("subject", text(&list))];
    world.put(ALICE, "app.bsky.graph.listblock", &key(22), &record("app.bsky.graph.listblock", fields)).await;
    gated_post(world).await;
    let pack = uri(ALICE, "app.bsky.graph.starterpack", &key(23));
    for (at, of) in [(40, &list), (41, &pack)] {
        let embed = [("$type", text("app.bsky.embed.record")), ("record", reference(of, Cid::dag_cbor(b"")))];
        world.put(BOB, "app.bsky.feed.post", &key(at), &post("embeds", at, vec![("embed", Value::map(embed))])).await;
    }
    // Who mutes nothing is not asked about it.
    for table in ["mute (account, subject, scope, time) SELECT id, 7, 0, 1", "thread_mute (account, sr, sa, time) SELECT id, 7, 7, 1"] {
        let sql = format!("INSERT INTO {table} FROM account WHERE did = '{ALICE}'");
        world.postgres.connect().await.execute(&sql, &[]).await.unwrap();
    }
    let fields = vec![("subject", text(BOB)), ("handle", text("bob.example")), ("displayName", text("Bob"))];
    world.put(ALICE, "app.bsky.graph.verification", &key(24), &record("app.bsky.graph.verification", fields)).await;
    let trusted = format!("INSERT INTO trusted_verifier SELECT id, 1 FROM account WHERE did = '{ALICE}'");
    world.postgres.connect().await.execute(&trusted, &[]).await.unwrap();
    for path in [
        format!("app.bsky.feed.getPosts?uris={}", uri(BOB, "app.bsky.feed.post", &key(30))),
        format!("app.bsky.feed.getPosts?uris={}", uri(BOB, "app.bsky.feed.post", &key(40))),
        format!("app.bsky.feed.getPosts?uris={}", uri(BOB, "app.bsky.feed.post", &key(41))),
        format!("app.bsky.feed.getLikes?uri={target}"),
        format!("app.bsky.feed.getRepostedBy?uri={target}"),
        format!("app.bsky.feed.getQuotes?uri={target}"),
        format!("app.bsky.actor.getProfile?actor={BOB}"),
        format!("app.bsky.graph.getFollowers?actor={BOB}"),
        format!("app.bsky.graph.getFollows?actor={BOB}"),
        format!("app.bsky.graph.getKnownFollowers?actor={BOB}"),
        "app.bsky.feed.getTimeline".to_owned(),
        "app.bsky.notification.listNotifications".to_owned(),
        "app.bsky.notification.getUnreadCount".to_owned(),
        format!("app.bsky.feed.getPostThread?uri={target}"),
        format!("app.bsky.unspecced.getPostThreadV2?anchor={target}"),
    ] {
        let answer = world.get_as(ALICE, &format!("/xrpc/{path}")).await;
        assert_eq!(answer.status, 200, "{path}");
    }
}

/// Records that are not there, whose keys are TIDs and whose are not.
async fn absent_records(world: &World) {
    for collection in
        ["app.bsky.feed.post", "app.bsky.graph.follow", "app.bsky.graph.block", "com.example.thing", "app.bsky.feed.generator"]
    {
        for rkey in ["no-tid", &key(9)] {
            world.try_query("com.atproto.repo.getRecord", &[("repo", ALICE), ("collection", collection), ("rkey", rkey)]).await;
        }
    }
}

/// What is asked where too much is blocked or followed to be remembered, or a list is blocked.
async fn too_many(world: &World) {
    let client = world.pools.api.get().await.unwrap();
    assert_eq!(relation::blocks(&client, &[(8_000, 8_001)]).await.unwrap(), []);
    assert_eq!(relation::list_blocks(&client, &[(8_000, 8_001)]).await.unwrap(), []);
    assert_eq!(relation::followed(&client, 8_000, 10).await.unwrap(), [0_i32; 0]);
}

/// Searches; the statements of crowded windows, for which nothing here is common enough, are prepared by hand.
async fn searches(world: &World) {
    for path in ["app.bsky.feed.searchPosts?q=x", "app.bsky.feed.searchPosts?q=x&sort=top", "app.bsky.actor.searchActors?q=alice"] {
        assert_eq!(world.get_as(ALICE, &format!("/xrpc/{path}")).await.status, 200, "{path}");
    }
    let client = world.pools.api.get().await.unwrap();
    let before = Before { at: i64::MAX, rkey: 0, author: 0 };
    let window = Window { from: 0, before, ordered: true, limit: 26 };
    assert_eq!(search::posts(&client, &[1], &window).await.unwrap(), []);
    assert_eq!(search::carriers(&client, &[1], 2, 10).await.unwrap(), [(1, 0)]);
    assert_eq!(search::name_carriers(&client, &[1], 2, 10).await.unwrap(), [(1, 0)]);
    assert_eq!(search::handle_carriers(&client, &[1], 2, 10).await.unwrap(), [(1, 0)]);
    assert_eq!(search::names(&client, &[1], &window).await.unwrap(), []);
    assert_eq!(search::handles(&client, &[1], ("abc", false), &window).await.unwrap(), []);
}

#[tokio::test]
async fn every_statement_of_the_api_uses_its_index() {
    let mut world = World::with(|config| config.labels.default_labelers = vec![ALICE.to_owned()]).await;
    log_statements(&world).await;
    let cid = world.put(ALICE, "app.bsky.feed.post", &key(1), &post("x", 1, vec![])).await;
    let labeler = format!("INSERT INTO labeler (id, account, epoch, seq) SELECT 0, id, 0, 0 FROM account WHERE did = '{ALICE}'");
    world.postgres.connect().await.execute(&labeler, &[]).await.unwrap();
    let target = uri(ALICE, "app.bsky.feed.post", &key(1));
    let generator = uri(ALICE, "app.bsky.feed.generator", "my-feed");
    // The third cannot be rebuilt from its columns; the fourth's subject has a key that is no TID.
    for (collection, at, subject, created) in [
        ("app.bsky.feed.repost", 2, &target, 2),
        ("app.bsky.feed.like", 3, &target, 3),
        ("app.bsky.feed.like", 4, &target, -99),
        ("app.bsky.feed.like", 5, &generator, 5),
    ] {
        world.put(BOB, collection, &key(at), &edge(collection, subject, cid, created)).await;
    }
    let named = || reference(&target, cid);
    let reply = vec![("reply", Value::map([("root", named()), ("parent", named())]))];
    world.put(BOB, "app.bsky.feed.post", &key(6), &post("reply", 6, reply)).await;
    let get = "com.atproto.repo.getRecord";
    let alias = ("uris", "at://did:plc:aliceaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/no-tid");
    for (nsid, params) in [
        ("app.bsky.actor.getProfile", vec![("actor", ALICE)]),
        ("app.bsky.feed.getPosts", vec![("uris", target.as_str()), alias]),
        (get, vec![("repo", BOB), ("collection", "app.bsky.feed.like"), ("rkey", &key(3))]),
        (get, vec![("repo", BOB), ("collection", "app.bsky.feed.like"), ("rkey", &key(4))]),
        (get, vec![("repo", BOB), ("collection", "app.bsky.feed.like"), ("rkey", &key(5))]),
        (get, vec![("repo", BOB), ("collection", "app.bsky.feed.repost"), ("rkey", &key(2))]),
    ] {
        world.query(nsid, &params).await;
    }
    for filter in ["posts_with_replies", "posts_with_media", "posts_no_replies", "posts_and_author_threads"] {
        world.query("app.bsky.feed.getAuthorFeed", &[("actor", BOB), ("filter", filter)]).await;
    }
    signed_in(&mut world, &target).await;
    searches(&world).await;
    too_many(&world).await;
    absent_records(&world).await;
    world.get("/").await;

    // The connection that requests shared goes back to the pool with the server.
    world.stop().await;
    let client = world.pools.api.get().await.unwrap();
    let mut seen = String::new();
    for sql in statements(&world.postgres.said()) {
        let title = sql.lines().next().unwrap().to_owned();
        client.batch_execute(&format!("PREPARE statement AS {sql}")).await.unwrap();
        let prepared = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'statement'";
        let parameters: i32 = client.query_one(prepared, &[]).await.unwrap().get(0);
        let nulls = vec!["NULL"; usize::try_from(parameters).unwrap()].join(", ");
        let arguments = if parameters == 0 { String::new() } else { format!("({nulls})") };
        let explain = format!("EXPLAIN (COSTS OFF) EXECUTE statement{arguments}");
        let plan: Vec<String> = client.simple_query(&explain).await.unwrap().iter().filter_map(line).collect();
        client.batch_execute("DEALLOCATE statement").await.unwrap();
        for line in &plan {
            let whole = line.split_once("Seq Scan on ").map(|(_, table)| table.split(' ').next().unwrap());
            assert!(whole.is_none_or(|table| SMALL.contains(&table)), "{title}\n{}", plan.join("\n"));
        }
        if title.contains("read::thread::") && !title.ends_with("::above") {
            let sorts = plan.iter().any(|line| line.trim_start().trim_start_matches("->").trim() == "Sort");
            let plan = plan.join("\n");
            assert!(!sorts && plan.contains("Incremental Sort") && plan.contains("using post_parent"), "{title}\n{plan}");
        }
        by_author(&title, &plan);
        if PAGES.iter().any(|page| title.ends_with(page)) {
            let sorts = plan.iter().filter(|line| line.trim_start().trim_start_matches("->").trim() == "Sort").count();
            let plan = plan.join("\n");
            assert!(sorts == 0 && plan.contains("Incremental Sort") && plan.contains("Index Scan Backward using"), "{title}\n{plan}");
        }
        if title.contains("read::search::") && !title.ends_with("followed") {
            let index =
                ["post_tokens", "record_other_tokens", "account_grams", "account_pkey"].iter().any(|index| plan.join(" ").contains(index));
            assert!(index, "{title}\n{}", plan.join("\n"));
        }
        writeln!(seen, "{title}").unwrap();
    }
    for title in PREPARED {
        assert!(seen.contains(&format!("-- {title}\n")), "{title} was not prepared; these were:\n{seen}");
    }
}

/// Feeds and timelines go over the exact index of the author, as a rule without the rows, and over that of the few with times of their own.
fn by_author(title: &str, plan: &[String]) {
    if !title.contains("read::feed::") && !title.contains("read::timeline::") {
        return;
    }
    let plan = plan.join("\n");
    let tables: &[&str] = match title.rsplit_once("::").map(|(_, name)| name) {
        Some("posts") => &["post"],
        Some("reposts") => &["repost"],
        _ => &["post", "repost"],
    };
    for table in tables {
        let alone = title.contains("timeline") || (title.ends_with("feed::all") && *table == "post");
        let scan = if alone { "Index Only Scan Backward" } else { "Index Scan Backward" };
        assert!(plan.contains(&format!("{scan} using {table}_author on {table}")), "{title}\n{plan}");
        assert!(plan.contains(&format!("Index Scan Backward using {table}_author_dated on {table}")), "{title}\n{plan}");
    }
}

/// Has the server say each statement that it is sent from now on, and by whom.
async fn log_statements(world: &World) {
    let client = world.postgres.connect().await;
    for sql in ["ALTER SYSTEM SET log_statement = 'all'", "ALTER SYSTEM SET log_line_prefix = '%a|'", "SELECT pg_reload_conf()"] {
        client.batch_execute(sql).await.unwrap();
    }
}

/// The prepared statements of the API of which the server's log tells. Their lines but for the first begin with a tab there.
fn statements(log: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in log.replace("\n\t", "\r").lines() {
        let sql = entry.strip_prefix("appviewd api|LOG:  execute s").and_then(|entry| entry.split_once(": ")).map(|(_, sql)| sql.trim());
        found.extend(sql.filter(|sql| sql.starts_with("--")).map(|sql| sql.replace('\r', "\n")));
    }
    found
}

fn line(message: &tokio_postgres::SimpleQueryMessage) -> Option<String> {
    if let tokio_postgres::SimpleQueryMessage::Row(row) = message { row.get(0).map(ToOwned::to_owned) } else { None }
}
