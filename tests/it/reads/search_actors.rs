//! Search for accounts: by handle, inside it and by its beginning, by display name in every script; hidden and blocked ones; never stale.

use appviewd::atproto::cbor::Value;

use super::world::{ALICE, BOB, World, follow, key};

const CAROL: &str = "did:plc:carollllllllllllllllllll";
const SEARCH: &str = "app.bsky.actor.searchActors";
const TYPEAHEAD: &str = "app.bsky.actor.searchActorsTypeahead";
const PROFILE: &str = "app.bsky.actor.profile";
const FOLLOW: &str = "app.bsky.graph.follow";
const BLOCK: &str = "app.bsky.graph.block";

fn profile(name: &str) -> Value {
    Value::map([("$type", Value::text(PROFILE)), ("displayName", Value::text(name))])
}

async fn handle(world: &World, did: &str, handle: Option<&str>) {
    let client = world.postgres.connect().await;
    assert_eq!(client.execute("UPDATE account SET handle = $2 WHERE did = $1", &[&did, &handle]).await.unwrap(), 1);
}

/// Three accounts.
async fn world() -> World {
    let mut world = World::start().await;
    for (did, name, of) in
        [(ALICE, "Alice Müller", "alice.test"), (BOB, "Bob the Builder", "bob.example"), (CAROL, "山田太郎", "malice.test")]
    {
        world.put(did, PROFILE, "self", &profile(name)).await;
        handle(&world, did, Some(of)).await;
    }
    world
}

fn dids(answer: &serde_json::Value) -> Vec<String> {
    answer["actors"].as_array().unwrap().iter().map(|actor| actor["did"].as_str().unwrap().to_owned()).collect()
}

async fn find(world: &World, nsid: &str, q: &str) -> Vec<String> {
    dids(&world.query(nsid, &[("q", q)]).await)
}

#[tokio::test]
async fn accounts_are_found_inside_their_handle_the_exact_one_first() {
    let world = world().await;
    assert_eq!(find(&world, SEARCH, ".test").await, [ALICE, CAROL]);
    assert_eq!(find(&world, SEARCH, "alice").await, [ALICE, CAROL]);
    assert_eq!(find(&world, SEARCH, "malice.test").await, [CAROL]);
    assert_eq!(find(&world, SEARCH, "@ALICE.test").await, [ALICE, CAROL], "the exact one first");
    assert_eq!(find(&world, SEARCH, BOB).await, [BOB], "a DID");
    assert_eq!(find(&world, SEARCH, "al").await, [ALICE], "two letters are a beginning");
    assert_eq!(dids(&world.query(SEARCH, &[("term", "example")]).await), [BOB], "the old name of the parameter");
    assert_eq!(find(&world, SEARCH, " ").await, [""; 0]);
    assert_eq!(dids(&world.query(SEARCH, &[]).await), [""; 0]);
}

#[tokio::test]
async fn accounts_are_found_by_words_of_their_name_in_every_script() {
    let mut world = world().await;
    assert_eq!(find(&world, SEARCH, "MULLER").await, [ALICE]);
    assert_eq!(find(&world, SEARCH, "builder bob").await, [BOB]);
    assert_eq!(find(&world, SEARCH, "uilder").await, [""; 0]);
    assert_eq!(find(&world, SEARCH, "太郎").await, [CAROL]);
    for (name, word) in [
        ("Мария Иванова", "иван"),
        ("Γιώργος", "γιωργ"),
        ("محمد علي", "علي"),
        ("दीपिका", "दीपि"),
        ("สมชาย", "ชาย"),
        ("김민준", "민준"),
        ("🦋 fly", "🦋"),
    ] {
        world.put(BOB, PROFILE, "self", &profile(name)).await;
        assert_eq!(find(&world, SEARCH, word).await, [BOB], "{name}");
        assert_eq!(find(&world, TYPEAHEAD, word).await, [BOB], "{name}");
    }
}

#[tokio::test]
async fn typeahead_has_what_begins_so_before_what_has_it_inside() {
    let world = world().await;
    assert_eq!(find(&world, TYPEAHEAD, "ali").await, [ALICE, CAROL]);
    assert_eq!(find(&world, TYPEAHEAD, "mal").await, [CAROL]);
    assert_eq!(find(&world, TYPEAHEAD, "a").await, [ALICE]);
    assert_eq!(find(&world, TYPEAHEAD, "bui").await, [BOB]);
    assert_eq!(dids(&world.query(TYPEAHEAD, &[("q", "ali"), ("limit", "1")]).await), [ALICE]);
    assert_eq!(dids(&world.query(TYPEAHEAD, &[("term", "mali")]).await), [CAROL]);
}

#[tokio::test]
async fn who_is_followed_comes_first_and_then_who_has_many_followers() {
    let mut world = world().await;
    assert_eq!(find(&world, SEARCH, ".test").await, [ALICE, CAROL]);
    world.put(BOB, FOLLOW, &key(1), &follow(FOLLOW, CAROL, 1)).await;
    world.put(ALICE, FOLLOW, &key(1), &follow(FOLLOW, CAROL, 1)).await;
    world.put(CAROL, FOLLOW, &key(2), &follow(FOLLOW, ALICE, 2)).await;
    assert_eq!(find(&world, SEARCH, ".test").await, [CAROL, ALICE]);
    let path = |nsid: &str| format!("/xrpc/{nsid}?q=.test");
    assert_eq!(dids(&world.get_as(CAROL, &path(SEARCH)).await.json()), [ALICE, CAROL]);
    assert_eq!(dids(&world.get_as(BOB, &path(TYPEAHEAD)).await.json()), [CAROL, ALICE]);
    assert_eq!(find(&world, SEARCH, "alice.test").await, [ALICE, CAROL], "the exact one first");
}

#[tokio::test]
async fn updated_names_and_handles_are_not_found_as_they_were() {
    let mut world = world().await;
    world.put(ALICE, PROFILE, "self", &profile("Anna")).await;
    assert_eq!((find(&world, SEARCH, "Müller").await, find(&world, SEARCH, "anna").await), (vec![], vec![ALICE.to_owned()]));
    handle(&world, ALICE, Some("anna.other")).await;
    assert_eq!(find(&world, SEARCH, ".test").await, [CAROL]);
    assert_eq!(find(&world, TYPEAHEAD, "anna.o").await, [ALICE]);
    handle(&world, ALICE, None).await;
    world.delete(ALICE, PROFILE, "self").await;
    assert_eq!(find(&world, SEARCH, "anna").await, [""; 0]);
}

#[tokio::test]
async fn hidden_accounts_are_never_found() {
    let mut world = world().await;
    world.account(ALICE, false, Some("deactivated")).await;
    let sql = format!("INSERT INTO takedown_account (subject, time) SELECT id, 1 FROM account WHERE did = '{CAROL}'");
    world.postgres.connect().await.execute(&sql, &[]).await.unwrap();
    for nsid in [SEARCH, TYPEAHEAD] {
        for q in [".test", "alice.test", "Müller", "太郎", "malice.test"] {
            assert_eq!(find(&world, nsid, q).await, [""; 0], "{nsid} {q}");
        }
    }
}

#[tokio::test]
async fn blocked_accounts_are_not_found_but_by_their_whole_handle_while_typing() {
    let mut world = world().await;
    world.put(BOB, BLOCK, &key(1), &follow(BLOCK, ALICE, 1)).await;
    let path = |nsid: &str, q: &str| format!("/xrpc/{nsid}?q={q}");
    for viewer in [BOB, ALICE] {
        let other = if viewer == BOB { ("alice.test", "Mull") } else { ("bob.example", "Build") };
        for (nsid, q, count) in [(SEARCH, other.0, 0), (TYPEAHEAD, other.0, 1), (SEARCH, other.1, 0), (TYPEAHEAD, other.1, 0)] {
            let found = dids(&world.get_as(viewer, &path(nsid, q)).await.json());
            let found: Vec<_> = found.iter().filter(|did| *did != CAROL).collect();
            assert_eq!(found.len(), count, "{viewer} {nsid} {q}");
        }
    }
}

#[tokio::test]
async fn all_pages_of_accounts_are_one_big_page() {
    let mut world = World::start().await;
    for n in 0..17_u8 {
        let did = format!("did:plc:crowd{}{}", char::from(b'a' + n), "a".repeat(18));
        let name = if n % 2 == 0 { "Crowd member" } else { "someone" };
        world.put(&did, PROFILE, "self", &profile(name)).await;
        if n % 3 != 1 {
            handle(&world, &did, Some(&format!("crowd{n}.test"))).await;
        }
        if n % 4 == 0 {
            world.put(ALICE, FOLLOW, &key(n.into()), &follow(FOLLOW, &did, n.into())).await;
        }
    }
    let all = dids(&world.query(SEARCH, &[("q", "crowd"), ("limit", "100")]).await);
    assert_eq!(all.len(), 14, "by name, by handle, by both");
    for limit in [1, 3, 13, 14] {
        let (mut pages, mut cursor, mut count) = (Vec::new(), None::<String>, 0);
        loop {
            let limit = limit.to_string();
            let mut params = vec![("q", "crowd"), ("limit", &*limit)];
            params.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let answer = world.query(SEARCH, &params).await;
            pages.extend(dids(&answer));
            (cursor, count) = (answer["cursor"].as_str().map(str::to_owned), count + 1);
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((&pages, count), (&all, 14_usize.div_ceil(limit)), "by {limit}");
    }
}

#[tokio::test]
async fn a_handle_has_the_grams_that_are_asked_for() {
    let world = world().await;
    let client = world.postgres.connect().await;
    for handle in ["alice.test", "a.b", "xn--bcher-kva.example.com"] {
        for id in [1_i32, 4096, 5_000_000, i32::MAX] {
            let has: Vec<i32> = client.query_one("SELECT handle_grams($1, $2)", &[&handle, &id]).await.unwrap().get(0);
            let place = appviewd::collection::search::place(id);
            let windows = (0..3).map(|level| appviewd::collection::search::window_gram(level, place));
            for (from, to) in [(0, 1), (0, 2), (0, handle.len()), (1, handle.len())] {
                let grams = appviewd::collection::search::grams(&handle[from..to], from == 0).into_iter().flatten();
                assert!(grams.chain(windows.clone()).all(|gram| has.contains(&gram)), "{handle} {id} {has:?}");
            }
        }
    }
}
