//! Reindexing: what an older version kept whole gets its rows, while workers run, whatever is killed.

use std::process::Command;

use appviewd::atproto::cbor::Value;
use appviewd::atproto::{Cid, Tid};
use appviewd::collection::{Coll, pack};
use appviewd::index::Reindexed;
use appviewd::queue::{Action, Event};

use super::kit::*;

const LISTITEM: &str = "app.bsky.graph.listitem";
const LISTBLOCK: &str = "app.bsky.graph.listblock";
const VERIFICATION: &str = "app.bsky.graph.verification";
const PUBLICATION: &str = "site.standard.publication";

fn record(collection: &str, fields: &[(&str, &str)], n: i64) -> Value {
    let fields = fields.iter().map(|(key, value)| (*key, Value::text(*value)));
    Value::map([("$type", Value::text(collection)), ("createdAt", Value::text(created(n)))].into_iter().chain(fields))
}

/// On a list of the author's own, or of another's.
fn item(author: &Repo, list_of: &Repo, n: i64) -> (String, Value) {
    let (list, subject) = (list_of.uri(LIST, &key(1)), format!("did:plc:member{}", n % 7));
    (author.did.clone(), record(LISTITEM, &[("list", &list), ("subject", &subject)], n))
}

/// Stores a record as a version would that knows nothing of its type; under this number.
async fn keep(desk: &Desk, did: &str, coll: i16, rkey: i64, record: &Value) {
    const ACCOUNT: &str = "INSERT INTO account (did) SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM account WHERE did = $1)";
    const RECORD: &str = "INSERT INTO record_other (rkey, author, coll, rec) SELECT $2, id, $3, $4 FROM account WHERE did = $1";
    desk.client.execute(ACCOUNT, &[&did]).await.unwrap();
    desk.client.execute(RECORD, &[&did, &rkey, &coll, &pack(&record.encode()).unwrap()]).await.unwrap();
}

fn tid(n: i64) -> i64 {
    key(n).parse::<Tid>().unwrap().value()
}

fn coll(nsid: &str) -> Coll {
    Coll::from_nsid(nsid).unwrap()
}

async fn reindex(desk: &mut Desk, nsid: &str) -> Reindexed {
    desk.index.reindex(&mut desk.client, coll(nsid)).await.unwrap()
}

/// The lines of records and edges.
async fn held(desk: &Desk) -> Vec<String> {
    [desk.lines_of("record").await, desk.lines_of("edge").await].concat()
}

/// 250 list items of two authors, some of pairs that have one already, one of another's list; a list block; a verification.
fn older() -> Vec<(&'static str, String, i64, Value)> {
    let (alice, bob) = (Repo::new("alice"), Repo::new("bob"));
    let mut all: Vec<_> = (0..250)
        .map(|n| {
            let author = if n % 3 == 0 { &bob } else { &alice };
            let (did, record) = item(author, if n == 77 { &bob } else { author }, n);
            (LISTITEM, did, n, record)
        })
        .collect();
    all.push((LISTBLOCK, alice.did.clone(), 300, record(LISTBLOCK, &[("subject", &bob.uri(LIST, &key(1)))], 300)));
    let said = [("subject", "did:plc:bob"), ("handle", "bob.example.com"), ("displayName", "Bob")];
    all.push((VERIFICATION, alice.did.clone(), 301, record(VERIFICATION, &said, 301)));
    all
}

/// What this version makes of the same records when they come as events.
async fn as_events() -> Desk {
    let mut desk = Desk::open().await;
    for (collection, did, n, record) in older() {
        let mut repo = Repo { did, ..Repo::new("") };
        repo.clock = n;
        desk.apply([repo.commit([create(collection, n, &record)])]).await;
    }
    desk
}

async fn as_kept() -> Desk {
    let desk = Desk::open().await;
    for (collection, did, n, record) in older() {
        keep(&desk, &did, coll(collection).number(), tid(n), &record).await;
    }
    desk
}

#[tokio::test]
async fn what_an_older_version_kept_whole_becomes_what_this_one_would_have_made_of_it() {
    let (mut desk, events) = (as_kept().await, as_events().await);
    assert_eq!(desk.lines_of("edge").await.len(), 0);
    let done = reindex(&mut desk, LISTITEM).await;
    assert_eq!(done, Reindexed { indexed: 249, whole: 1, ..Reindexed::default() });
    assert_eq!(reindex(&mut desk, LISTBLOCK).await.indexed, 1);
    assert_eq!(reindex(&mut desk, VERIFICATION).await.indexed, 1);
    assert_eq!(held(&desk).await, held(&events).await);
    assert_eq!(desk.number("SELECT count(*) FROM record_other").await, 1);
    // Again: nothing is left to be done.
    assert_eq!(reindex(&mut desk, LISTITEM).await, Reindexed { whole: 1, ..Reindexed::default() });
    assert_eq!(held(&desk).await, held(&events).await);
}

#[tokio::test]
async fn types_that_stay_whole_get_what_they_derive() {
    let mut desk = Desk::open().await;
    let alice = Repo::new("alice");
    let pack = Value::map([
        ("$type", Value::text(PROFILE)),
        ("joinedViaStarterPack", strong_ref("at://did:plc:bob/app.bsky.graph.starterpack/3jzfcijpj2z2a", Cid::dag_cbor(b"pack"))),
    ]);
    desk.client.execute("INSERT INTO account (did) VALUES ($1)", &[&alice.did]).await.unwrap();
    desk.client.execute("INSERT INTO rkey_alias (author, coll, rkey, real_rkey) VALUES (1, 1, -1, 'self')", &[]).await.unwrap();
    desk.client.execute("SELECT setval('rkey_alias_id', -2)", &[]).await.unwrap();
    keep(&desk, &alice.did, 1, -1, &pack).await;
    let gate = Value::map([
        ("$type", Value::text("app.bsky.feed.threadgate")),
        ("post", Value::text(alice.uri(POST, &key(5)))),
        ("allow", Value::Array(vec![])),
        ("createdAt", Value::text(created(5))),
    ]);
    keep(&desk, &alice.did, 13, tid(5), &gate).await;
    for (nsid, table) in [(PROFILE, "pack_join"), ("app.bsky.feed.threadgate", "threadgate")] {
        for _ in 0..2 {
            assert_eq!(reindex(&mut desk, nsid).await, Reindexed { indexed: 1, ..Reindexed::default() });
            assert_eq!(desk.number(&format!("SELECT count(*) FROM {table}")).await, 1);
        }
    }
    assert_eq!(desk.lines_of("record").await.len(), 2);
}

/// A publication at a key that is a TID and at one that is none, kept under a number of the database.
async fn under_another_number(desk: &Desk, alice: &Repo) -> i16 {
    let id: i16 = desk.client.query_one("INSERT INTO collection (nsid) VALUES ($1) RETURNING id", &[&PUBLICATION]).await.unwrap().get(0);
    assert!(id >= Coll::FIRST_FREE);
    keep(desk, &alice.did, id, tid(1), &publication("one")).await;
    keep(desk, &alice.did, id, -1, &publication("two")).await;
    desk.client.execute("INSERT INTO rkey_alias (author, coll, rkey, real_rkey) VALUES (1, $1, -1, 'blog')", &[&id]).await.unwrap();
    desk.client.execute("SELECT setval('rkey_alias_id', -2)", &[]).await.unwrap();
    id
}

fn publication(name: &str) -> Value {
    record(PUBLICATION, &[("url", "https://example.com"), ("name", name)], 1)
}

fn lines(alice: &Repo, records: &[(&str, &str)]) -> Vec<String> {
    let line =
        |(rkey, name): &(&str, &str)| format!("record {} {}", alice.uri(PUBLICATION, rkey), Cid::dag_cbor(&publication(name).encode()));
    records.iter().map(line).collect()
}

#[tokio::test]
async fn records_under_another_number_are_moved_and_counted() {
    let (mut desk, alice) = (Desk::open().await, Repo::new("alice"));
    under_another_number(&desk, &alice).await;
    let before = desk.lines_of("record").await;
    assert_eq!(before, lines(&alice, &[(&key(1), "one"), ("blog", "two")]));
    assert_eq!(reindex(&mut desk, PUBLICATION).await, Reindexed { renumbered: 2, whole: 2, ..Reindexed::default() });
    assert_eq!(desk.lines_of("record").await, before);
    assert_eq!(desk.number("SELECT count(*) FROM record_other WHERE coll = 22").await, 2);
    assert_eq!(desk.number("SELECT count(*) FROM rkey_alias WHERE coll = 22").await, 1);
    assert_eq!(desk.number("SELECT count(*) FROM collection").await, 0);
    assert_eq!(reindex(&mut desk, PUBLICATION).await, Reindexed { whole: 2, ..Reindexed::default() });
}

#[tokio::test]
async fn a_worker_finds_records_under_another_number_before_anyone_reindexes() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let id = under_another_number(&desk, &alice).await;
    // The newer version names a key of that collection before the older records are moved: both names are one afterwards.
    desk.client.execute("INSERT INTO rkey_alias (author, coll, rkey, real_rkey) VALUES (1, 22, -2, 'blog')", &[]).await.unwrap();
    desk.client.execute("SELECT setval('rkey_alias_id', -3)", &[]).await.unwrap();
    let mut gone = delete(PUBLICATION, 1);
    let applied = desk.apply([alice.commit([gone.clone(), put(Action::Update, PUBLICATION, "blog", &publication("three"))])]).await;
    assert_eq!((applied.deleted, applied.updated, applied.created), (1, 1, 0));
    assert_eq!(desk.lines_of("record").await, lines(&alice, &[("blog", "three")]));
    gone.rkey = "blog".parse().unwrap();
    assert_eq!(desk.apply([alice.commit([gone])]).await.deleted, 1);
    assert_eq!(reindex(&mut desk, PUBLICATION).await, Reindexed::default(), "what is deleted does not come back");
    assert_eq!(desk.number(&format!("SELECT count(*) FROM record_other WHERE coll IN (22, {id})")).await, 0);
}

#[tokio::test]
async fn what_stands_in_its_own_table_came_later_and_stays() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let (_, newer) = item(&alice, &alice, 3);
    desk.apply([alice.commit([create(LISTITEM, 3, &newer)])]).await;
    let before = held(&desk).await;
    let (_, older) = item(&alice, &alice, 4);
    keep(&desk, &alice.did, 11, tid(3), &older).await;
    assert_eq!(reindex(&mut desk, LISTITEM).await, Reindexed { gone: 1, ..Reindexed::default() });
    assert_eq!(held(&desk).await, before);
}

#[tokio::test]
async fn what_cannot_be_indexed_stays_as_it_is() {
    let (mut desk, alice) = (Desk::open().await, Repo::new("alice"));
    keep(&desk, &alice.did, 11, tid(1), &record(LISTITEM, &[("subject", "no DID")], 1)).await;
    keep(&desk, &alice.did, 11, -7, &item(&alice, &alice, 2).1).await;
    keep(&desk, &alice.did, 11, tid(3), &item(&alice, &alice, 3).1).await;
    desk.client.execute("UPDATE record_other SET rec = 'x' WHERE rkey = $1", &[&tid(3)]).await.unwrap();
    assert_eq!(reindex(&mut desk, LISTITEM).await, Reindexed { refused: 3, ..Reindexed::default() });
    assert_eq!(desk.number("SELECT count(*) FROM record_other").await, 3);
    assert_eq!(desk.number("SELECT count(*) FROM dead_letter").await, 0);
}

/// `appviewd reindex`, on this database.
fn command(desk: &Desk, collection: &str, failpoint: Option<&str>) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_appviewd"));
    command.args(["reindex", "--collection", collection]).env_clear().env("DATABASE_URL", desk.postgres.url());
    command.envs(failpoint.map(|point| ("APPVIEW_FAILPOINT", point)));
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn a_reindex_that_is_killed_is_begun_again() {
    let (desk, events) = (as_kept().await, as_events().await);
    let (code, out, _) = command(&desk, LISTITEM, Some("reindex.before_commit:2"));
    assert_eq!((code, out.as_str()), (None, ""), "killed");
    assert_eq!(desk.number("SELECT count(*) FROM listitem").await, 100, "the first page");
    let (code, out, err) = command(&desk, LISTITEM, None);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out, "149 indexed, 1 kept whole, 0 cannot be indexed, 0 replaced in the meantime; 0 had another number\n");
    for collection in [LISTBLOCK, VERIFICATION] {
        assert_eq!(command(&desk, collection, None).0, Some(0));
    }
    assert_eq!(held(&desk).await, held(&events).await);
}

#[tokio::test]
async fn an_unknown_collection_names_the_known_ones() {
    let desk = Desk::open().await;
    let (code, _, err) = command(&desk, "com.example.thing", None);
    assert_eq!(code, Some(2));
    assert!(err.contains("com.example.thing") && err.contains("app.bsky.graph.listitem, app.bsky.graph.listblock"), "{err}");
}

#[tokio::test]
async fn a_worker_may_delete_and_update_what_is_reindexed() {
    // Of each pair exactly one counts.
    const WRONG: &str =
        "SELECT count(*) FROM (SELECT 1 FROM listitem GROUP BY author, lr, subject HAVING count(*) FILTER (WHERE flags & 8 = 0) <> 1) w";
    const RECORDS: i64 = 1200;
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    for n in 0..RECORDS {
        keep(&desk, &alice.did, 11, tid(n), &item(&alice, &alice, n).1).await;
    }
    // Every third is deleted, every third updated, from the end on, while pages are moved from the front on.
    let changed = |n: i64| record(LISTITEM, &[("list", &format!("at://did:plc:alice/{LIST}/{}", key(2))), ("subject", "did:plc:new")], n);
    let events: Vec<Event> =
        (0..RECORDS / 3).rev().map(|n| alice.commit([delete(LISTITEM, 3 * n), update(LISTITEM, 3 * n + 1, &changed(3 * n + 1))])).collect();
    let mut client = desk.pools.writer.get().await.unwrap();
    let index = appviewd::index::Index::new(appviewd::config::index::Index::default());
    let reindexing = async move { index.reindex(&mut client, coll(LISTITEM)).await.unwrap() };
    let working = async {
        for events in events.chunks(20) {
            desk.apply(events.to_vec()).await;
        }
    };
    let (done, ()) = tokio::join!(reindexing, working);
    assert!(done.indexed >= u64::try_from(RECORDS / 3).unwrap(), "{done:?}");
    let mut expected: Vec<String> = (0..RECORDS)
        .filter(|n| n % 3 != 0)
        .map(|n| {
            let record = if n % 3 == 1 { changed(n) } else { item(&alice, &alice, n).1 };
            format!("record {} {}", alice.uri(LISTITEM, &key(n)), Cid::dag_cbor(&record.encode()))
        })
        .collect();
    expected.sort();
    assert_eq!(desk.lines_of("record").await, expected);
    assert_eq!(desk.number("SELECT count(*) FROM record_other").await, 0);
    assert_eq!(desk.number(WRONG).await, 0);
}
