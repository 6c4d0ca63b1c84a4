//! Deleted accounts: their rows go in batches, counts are taken back, nothing of others is touched; what comes after begins anew.

use std::sync::Arc;

use appviewd::atproto::cbor::Value;
use appviewd::atproto::mst::EMPTY_ROOT;
use appviewd::atproto::{Cid, Position};
use appviewd::collection::SubjectKind;
use appviewd::config;
use appviewd::db::dead_letter::Filter;
use appviewd::index::{Applied, Batch, Index, IndexError, Purged, Purging, Replayed};
use appviewd::queue::{Action, Event, Op};

use super::accounts::account;
use super::kit::*;
use super::plans::plan;
use crate::support::dump::miscounts;
use crate::support::owned::owned;

const GENERATOR: &str = "app.bsky.feed.generator";

/// Purges until there is nothing to purge; every step.
async fn purge_all(desk: &mut Desk) -> Vec<Purged> {
    let mut steps = Vec::new();
    while let Some(step) = desk.index.purge_some(&mut desk.client).await.unwrap() {
        steps.push(step);
    }
    steps
}

fn deleted(repo: &Repo, second: i64) -> Event {
    account(repo, second, false, Some("deleted"))
}

fn active(repo: &Repo, second: i64) -> Event {
    account(repo, second, true, None)
}

fn record(collection: &str, n: i64, fields: impl IntoIterator<Item = (&'static str, Value)>) -> Op {
    create(collection, n, &typed(collection, n, fields))
}

fn typed(collection: &str, n: i64, fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let base = [("$type", Value::text(collection)), ("createdAt", Value::text(created(n)))];
    Value::map(base.into_iter().chain(fields))
}

fn generator(name: &str) -> Op {
    let fields = [("did", Value::text("did:web:feeds.test")), ("displayName", Value::text("a feed"))];
    put(Action::Create, GENERATOR, name, &typed(GENERATOR, 1, fields))
}

/// A record of every kind by `repo`, of what `other` has; its own things are at the keys from `n` on.
fn everything(repo: &Repo, other: &Repo, n: i64) -> Vec<Op> {
    let (their_post, their_feed) = (other.uri(POST, &key(1)), other.uri(GENERATOR, "feed"));
    let own_post = repo.uri(POST, &key(1));
    let rule = Value::map([("$type", Value::text("app.bsky.feed.postgate#disableRule"))]);
    vec![
        create(POST, n, &reply(&their_post, n)),
        create(POST, n + 1, &quote(&their_post, n)),
        create(POST, n + 2, &reply(&own_post, n)),
        create(POST, n + 3, &invalid(n)),
        create(LIKE, n, &edge(LIKE, &their_post, n)),
        create(LIKE, n + 1, &edge(LIKE, &their_post, n)),
        create(LIKE, n + 2, &edge_naming(LIKE, &their_post, Cid::dag_cbor(b"another"), n)),
        create(LIKE, n + 3, &edge(LIKE, &their_feed, n)),
        create(LIKE, n + 4, &edge(LIKE, &own_post, n)),
        create(REPOST, n, &edge(REPOST, &their_post, n)),
        create(FOLLOW, n, &tie(FOLLOW, &other.did, n)),
        create(FOLLOW, n + 1, &tie(FOLLOW, &other.did, n)),
        create(BLOCK, n, &tie(BLOCK, &other.did, n)),
        create(LIST, n, &list("a list", n)),
        record("app.bsky.graph.listitem", n, [("subject", Value::text(&other.did)), ("list", Value::text(repo.uri(LIST, &key(n))))]),
        record("app.bsky.graph.listblock", n, [("subject", Value::text(other.uri(LIST, &key(n))))]),
        record(
            "app.bsky.graph.verification",
            n,
            [("subject", Value::text(&other.did)), ("handle", Value::text("other.test")), ("displayName", Value::text("Other"))],
        ),
        record("app.bsky.feed.threadgate", 1, [("post", Value::text(&own_post)), ("allow", Value::Array(Vec::new()))]),
        record("app.bsky.feed.postgate", 1, [("post", Value::text(&own_post)), ("embeddingRules", Value::Array(vec![rule]))]),
        put(Action::Create, PROFILE, "self", &typed(PROFILE, n, [("displayName", Value::text("A name"))])),
    ]
}

/// Three accounts with a record of every kind, each about the next and the one after; the first of them.
async fn crowd(desk: &mut Desk) -> [Repo; 3] {
    let mut repos = ["alice", "bob", "carol"].map(Repo::new);
    let first: Vec<Event> = repos.iter_mut().map(|repo| repo.commit([create(POST, 1, &post("first", 1)), generator("feed")])).collect();
    desk.apply(first).await;
    for (at, n) in [(1, 10), (2, 30)] {
        for number in 0..repos.len() {
            let other = repos[(number + at) % repos.len()].clone();
            let ops: Vec<Op> = everything(&repos[number], &other, n).into_iter().collect();
            let event = repos[number].commit(ops);
            desk.apply([event]).await;
        }
    }
    repos
}

/// Side rows of every kind between the three, which no record needs to have made.
async fn side_rows(desk: &Desk) {
    let sql = "INSERT INTO notif (rkey, recipient, author, reason) SELECT 7, r.id, a.id, 1 FROM account r, account a WHERE r.id <> a.id;
        INSERT INTO pending (mr, ma, rkey, author) SELECT 5, m.id, m.id, a.id FROM account m, account a WHERE m.id <> a.id;
        INSERT INTO pack_join (author, sr, sa, time) SELECT a.id, 9, max(s.id), 1 FROM account a, account s WHERE s.id <> a.id GROUP BY a.id
          ON CONFLICT DO NOTHING;
        INSERT INTO reject (source, epoch, seq, account, time, reason, frame) SELECT 'r', 0, id, id, 1, 'wrong', '' FROM account;
        INSERT INTO threadgate (rkey, author, rules) SELECT 11, id, 1 FROM account;
        INSERT INTO postgate (rkey, author) SELECT 11, id FROM account";
    desk.client.batch_execute(sql).await.unwrap();
}

/// Every row of the tables that the dump may leave out, but for those that name the account.
async fn rows_without(desk: &Desk, repo: &Repo) -> Vec<String> {
    let mut rows = Vec::new();
    for (table, columns) in [
        ("notif", "recipient author"),
        ("pending", "author"),
        ("pack_join", "author"),
        ("threadgate", "author"),
        ("postgate", "author"),
        ("record_other", "author"),
        ("record_exc", "author"),
        ("dead_letter", "account"),
        ("dead_letter_day", "account"),
        ("rkey_alias", "author"),
        ("reject", "account"),
    ] {
        let own: Vec<String> = columns.split(' ').map(|column| format!("t.{column} <> a.id")).collect();
        let sql = format!("SELECT '{table} ' || t::text FROM {table} t, account a WHERE a.did = '{}' AND {}", repo.did, own.join(" AND "));
        rows.extend(desk.client.query(&sql, &[]).await.unwrap().iter().map(|row| row.get::<_, String>(0)));
    }
    rows.sort();
    rows
}

#[tokio::test]
async fn a_purge_leaves_all_of_others_as_it_was_and_exact_counts() {
    let mut desk = Desk::open().await;
    let [alice, ..] = crowd(&mut desk).await;
    side_rows(&desk).await;
    let of_others = |lines: Vec<String>| -> Vec<String> {
        let own = |line: &String| {
            line.split(' ').skip(1).take(3).filter(|word| !word.starts_with("about=")).any(|word| word.contains(&alice.did))
        };
        let subject = |line: &String| line.starts_with("edge ") && !line.split(' ').nth(1).unwrap().contains(&alice.did);
        lines.into_iter().filter(|line| !line.starts_with("count ") && (!own(line) || subject(line))).collect()
    };
    assert_eq!(miscounts(&desk.client).await, [""; 0]);
    let (lines, rows) = (of_others(desk.lines().await), rows_without(&desk, &alice).await);
    assert!(lines.len() > 20 && rows.len() > 20, "{lines:?} {rows:?}");
    assert!(owned(&desk.client, &alice.did).await.len() >= 19, "{:?}", owned(&desk.client, &alice.did).await);
    desk.apply([deleted(&alice, 100)]).await;
    let steps = purge_all(&mut desk).await;
    assert_eq!((steps.len(), &*steps[0].did, steps[0].done), (1, &*alice.did, true));
    assert!(steps[0].rows > 50, "{steps:?}");
    assert_eq!(owned(&desk.client, &alice.did).await, [("rkey_alias.author".to_owned(), 1)], "bob and carol like its feed");
    assert_eq!((of_others(desk.lines().await), rows_without(&desk, &alice).await), (lines, rows));
    assert_eq!(miscounts(&desk.client).await, [""; 0]);
    let sql = "SELECT data, fault, purge, rev, status FROM repo JOIN account a ON a.id = account WHERE did = $1";
    let row = desk.client.query_one(sql, &[&alice.did]).await.unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), (None::<Vec<u8>>, None::<String>, false));
    assert_eq!((row.get(3), row.get::<_, i16>(4)), (alice.rev.map(appviewd::atproto::Tid::value), 3), "the gate stays");
}

/// 12,000 likes by alice, each of another subject and counted, written past the index.
async fn many_likes(desk: &mut Desk) -> Repo {
    let mut alice = Repo::new("alice");
    let commit = alice.commit([create(FOLLOW, 1, &tie(FOLLOW, "did:plc:bob", 1))]);
    desk.apply([commit]).await;
    let post = SubjectKind::Post.number();
    let sql = format!(
        "INSERT INTO \"like\" (rkey, sr, author, sa, flags) SELECT 1000 + n, n, a.id, b.id, {post} << 4 FROM generate_series(1, 12000) n,
           account a, account b WHERE a.did = 'did:plc:alice' AND b.did = 'did:plc:bob';
         INSERT INTO post_stat (sr, sa, kind, likes) SELECT sr, sa, {post}, 1 FROM \"like\""
    );
    desk.client.batch_execute(&sql).await.unwrap();
    alice
}

#[tokio::test]
async fn many_rows_go_in_batches_each_with_its_counts() {
    let mut desk = Desk::open().await;
    let alice = many_likes(&mut desk).await;
    desk.apply([deleted(&alice, 1)]).await;
    for (rows, done) in [(5000, false), (5000, false), (2001, true)] {
        let step = desk.index.purge_some(&mut desk.client).await.unwrap().unwrap();
        assert_eq!((step.rows, step.done), (rows, done));
        assert_eq!(miscounts(&desk.client).await, [""; 0]);
    }
    assert_eq!(desk.index.purge_some(&mut desk.client).await.unwrap(), None);
    assert_eq!(owned(&desk.client, &alice.did).await, []);
}

#[tokio::test]
async fn a_purge_that_dies_in_a_batch_is_gone_on_with_by_another() {
    let mut desk = Desk::open().await;
    let alice = many_likes(&mut desk).await;
    desk.apply([deleted(&alice, 1)]).await;
    desk.index.purge_some(&mut desk.client).await.unwrap();
    let dies = "CREATE FUNCTION dies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
        CREATE TRIGGER dies AFTER UPDATE ON post_stat FOR EACH STATEMENT EXECUTE FUNCTION dies()";
    desk.client.batch_execute(dies).await.unwrap();
    desk.index.purge_some(&mut desk.client).await.unwrap_err();
    desk.client = desk.pools.writer.get().await.unwrap();
    desk.client.batch_execute("DROP TRIGGER dies ON post_stat").await.unwrap();
    assert_eq!(
        (desk.number("SELECT count(*) FROM \"like\"").await, miscounts(&desk.client).await),
        (7000, Vec::new()),
        "nothing of it is left"
    );
    desk.index = Index::new(config::index::Index::default());
    let steps = purge_all(&mut desk).await;
    assert_eq!(steps.iter().map(|step| step.rows).collect::<Vec<_>>(), [5000, 2001]);
    assert_eq!((owned(&desk.client, &alice.did).await, miscounts(&desk.client).await), (vec![], vec![]));
}

/// Applies the events of partition 0 up to where they wait.
async fn waits(desk: &mut Desk, events: Vec<Event>) -> (Applied, i32, Position) {
    match desk.try_apply(events).await {
        Err(IndexError::Purging(purging)) => {
            let Purging { applied, waiting } = *purging;
            let [waiting] = &waiting[..] else { panic!("{waiting:?}") };
            assert_eq!((&*waiting.source, waiting.part), (SOURCE, 0));
            desk.at = waiting.reached;
            (applied, waiting.account, waiting.reached)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_commit_of_the_account_s_new_life_waits_until_the_purge_is_done() {
    let (mut desk, mut alice, mut bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
    desk.apply([alice.commit([create(POST, 1, &post("old", 1)), create(POST, 2, &post("old", 2))])]).await;
    desk.apply([deleted(&alice, 1)]).await;
    let (commit, after) = (alice.commit([create(POST, 2, &post("new", 2))]), bob.commit([create(POST, 9, &post("bob", 9))]));
    let before = bob.commit([create(POST, 8, &post("bob", 8))]);
    bob.rev = None;
    let (applied, waits_for, reached) = waits(&mut desk, vec![active(&alice, 2), before.clone(), commit.clone(), after.clone()]).await;
    assert_eq!((applied.events, applied.created, reached), (2, 1, Position::new(0, 4)));
    assert_eq!(desk.number("SELECT seq FROM stream_offset WHERE part = 0").await, 4);
    let (applied, again, reached) = waits(&mut desk, vec![commit.clone(), after.clone()]).await;
    assert_eq!((applied.events, again, reached), (0, waits_for, Position::new(0, 4)));
    assert!(desk.index.purge(&mut desk.client, waits_for).await.unwrap().unwrap().done);
    assert_eq!(desk.index.purge(&mut desk.client, waits_for).await.unwrap(), None, "what stands there now belongs to the new life");
    let applied = desk.apply([commit, after]).await;
    assert_eq!((applied.events, applied.created), (2, 1), "and bob's older commit is behind his gate");
    assert_eq!(desk.index.purge(&mut desk.client, waits_for).await.unwrap(), None);
    assert_eq!(desk.lines_of("count").await, ["count did:plc:alice posts=1", "count did:plc:bob posts=1"]);
}

#[tokio::test]
async fn only_the_partition_of_the_commit_waits() {
    let (mut desk, mut alice, mut bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
    desk.apply([alice.commit([create(POST, 1, &post("old", 1))])]).await;
    let batch = desk.batch(vec![deleted(&alice, 1), active(&alice, 2), alice.commit([create(POST, 2, &post("new", 2))])]);
    let cut = desk.prepare(batch).await;
    let event = Event { seq: 1, ..bob.commit([create(POST, 3, &post("bob", 3))]) };
    let other = Batch { source: Arc::from(SOURCE), part: 1, old: Position::new(0, 0), new: Position::new(0, 1), events: vec![event] };
    let other = desk.prepare(other).await;
    let Err(IndexError::Purging(purging)) = desk.index.apply(&mut desk.client, &[cut, other]).await else { panic!("nothing waits") };
    assert_eq!((purging.waiting.len(), purging.waiting[0].part, purging.waiting[0].reached), (1, 0, Position::new(0, 3)));
    assert_eq!((purging.applied.events, purging.applied.created), (3, 1));
    let offsets = "SELECT string_agg(seq::text, ' ' ORDER BY part) FROM stream_offset";
    let row = desk.client.query_one(offsets, &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "3 1 0 0");
}

#[tokio::test]
async fn an_account_deleted_and_made_again_in_one_batch_begins_anew() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let old = alice.commit([create(POST, 1, &post("old", 1)), create(POST, 2, &post("old", 2))]);
    let gone = (deleted(&alice, 1), active(&alice, 2));
    // A new repo: its first commit follows nothing.
    (alice.rev, alice.data) = (None, *EMPTY_ROOT);
    let (first, second) = (alice.commit([create(POST, 2, &post("new", 2))]), alice.commit([create(POST, 3, &post("new", 3))]));
    let (applied, account, _) = waits(&mut desk, vec![old.clone(), gone.0.clone(), gone.1, first.clone(), second.clone()]).await;
    assert_eq!((applied.events, applied.created), (3, 2));
    assert!(desk.index.purge(&mut desk.client, account).await.unwrap().unwrap().done);
    let applied = desk.apply([first, second]).await;
    assert_eq!((applied.created, applied.broken_chains), (2, 0));
    // A renumbered relay repeats everything.
    let applied = desk.apply([old, gone.0]).await;
    assert_eq!((applied.stale, applied.late_accounts, applied.created), (1, 1, 0));
    assert_eq!(purge_all(&mut desk).await, []);
    assert_eq!(desk.lines_of("count").await, ["count did:plc:alice posts=2"]);
    assert!(desk.lines_of("repo").await[0].contains(" synced active "), "{:?}", desk.lines_of("repo").await);
}

#[tokio::test]
async fn an_account_deleted_twice_is_purged_twice() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    for life in 0..2 {
        desk.apply([active(&alice, life * 2)]).await;
        desk.apply([alice.commit([create(POST, life, &post("x", life))])]).await;
        let again = deleted(&alice, life * 2 + 1);
        desk.apply([again.clone(), again.clone()]).await;
        assert_eq!(purge_all(&mut desk).await.len(), 1);
        assert_eq!((desk.lines_of("count").await, desk.number("SELECT count(*) FROM post").await), (vec![], 0));
        // The same event once more finds nothing to remove.
        desk.apply([again]).await;
        assert_eq!(purge_all(&mut desk).await.iter().map(|step| step.rows).collect::<Vec<_>>(), [0]);
    }
}

#[tokio::test]
async fn letters_of_a_deleted_account_are_not_replayed() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    desk.apply([alice.commit([create(POST, 1, &invalid(1))])]).await;
    desk.apply([deleted(&alice, 1)]).await;
    let replayed = desk.index.replay(&mut desk.client, &Filter::default()).await.unwrap();
    assert_eq!(replayed, Replayed { gone: 1, ..Replayed::default() });
    purge_all(&mut desk).await;
    assert_eq!(desk.index.replay(&mut desk.client, &Filter::default()).await.unwrap(), Replayed::default());
}

/// Two processes: this desk's, which purges, and another, which remembers the key of alice's feed.
async fn remembered_key(desk: &mut Desk) -> (Index, Repo, Repo, Event) {
    let (mut alice, mut bob, other) = (Repo::new("alice"), Repo::new("bob"), Index::new(config::index::Index::default()));
    let feed = alice.uri(GENERATOR, "feed");
    desk.apply([alice.commit([generator("feed")])]).await;
    let like = bob.commit([create(LIKE, 1, &edge(LIKE, &feed, 1))]);
    let batch = desk.batch(vec![like.clone()]);
    other.prepare(&mut desk.client, batch).await.unwrap();
    (other, alice, bob, like)
}

#[tokio::test]
async fn a_key_that_a_purge_took_away_is_interned_again() {
    let mut desk = Desk::open().await;
    let (other, alice, bob, like) = remembered_key(&mut desk).await;
    desk.apply([deleted(&alice, 1)]).await;
    assert_eq!(purge_all(&mut desk).await[0].rows, 2, "the record and its key");
    let batch = desk.batch(vec![like]);
    let stale = other.prepare(&mut desk.client, batch.clone()).await.unwrap();
    let error = other.apply(&mut desk.client, &[stale]).await;
    assert!(matches!(error, Err(IndexError::Stale)), "{error:?}");
    let prepared = other.prepare(&mut desk.client, batch).await.unwrap();
    assert_eq!(other.apply(&mut desk.client, &[prepared]).await.unwrap().created, 1);
    let edge = format!("edge {} -> {} counted", bob.uri(LIKE, &key(1)), alice.uri(GENERATOR, "feed"));
    assert_eq!(desk.lines_of("edge").await, [edge]);
}

#[tokio::test]
async fn a_key_that_is_named_stays_and_counts_without_a_subject_go_with_theirs() {
    let (mut desk, mut alice, mut bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
    desk.apply([alice.commit([generator("named"), generator("unliked"), put(Action::Create, POST, "a-post", &post("x", 1))])]).await;
    let likes = ["named", "unliked"].map(|name| alice.uri(GENERATOR, name));
    desk.apply([bob.commit([create(LIKE, 1, &edge(LIKE, &likes[0], 1)), create(LIKE, 2, &edge(LIKE, &likes[1], 2))])]).await;
    desk.apply([bob.commit([delete(LIKE, 2)]), deleted(&alice, 1)]).await;
    assert_eq!(desk.number("SELECT count(*) FROM post_stat").await, 2);
    purge_all(&mut desk).await;
    let names = desk.client.query("SELECT real_rkey FROM rkey_alias ORDER BY 1", &[]).await.unwrap();
    assert_eq!(names.iter().map(|row| row.get::<_, &str>(0)).collect::<Vec<_>>(), ["a-post", "named"], "gates may name posts");
    assert_eq!(desk.lines_of("count").await, [format!("count {} likes=1", likes[0])]);
    assert_eq!(desk.number("SELECT count(*) FROM post_stat").await, 1);
}

#[tokio::test]
async fn every_statement_of_a_purge_uses_an_index() {
    let mut desk = Desk::open().await;
    let [alice, ..] = crowd(&mut desk).await;
    desk.apply([deleted(&alice, 100)]).await;
    purge_all(&mut desk).await;
    desk.client.batch_execute("ANALYZE").await.unwrap();
    let names = "SELECT split_part(substr(statement, 4), chr(10), 1) FROM pg_prepared_statements WHERE statement LIKE '-- purge::%'";
    let names: Vec<String> = desk.client.query(names, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert!(names.len() >= 24, "{names:?}");
    for name in names {
        let plan = plan(&desk, &name).await;
        assert!(!plan.contains("Seq Scan") && plan.contains("Index"), "{name}:\n{plan}");
        let found_by_place = name.ends_with("likes") || name.ends_with("posts") || name.ends_with("records");
        assert!(!found_by_place || plan.contains("Tid Scan"), "{name}:\n{plan}");
    }
}
