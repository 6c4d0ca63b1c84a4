//! Interning: durable before use, right when several do it at once, forgotten when the server changes.

use std::sync::Arc;

use appviewd::index::{Batch, IndexError};
use appviewd::queue::Action;

use super::kit::*;

#[tokio::test]
async fn a_prepared_batch_of_an_earlier_life_of_the_server_is_stale() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let batch = desk.batch(vec![alice.commit([create(POST, 1, &post("x", 1))])]);
    let prepared = desk.prepare(batch.clone()).await;
    desk.postgres.stop();
    desk.postgres.restart().await;
    desk.client = desk.pools.writer.get().await.unwrap();
    let stale = desk.index.apply(&mut desk.client, &[prepared]).await;
    assert!(matches!(stale, Err(IndexError::Stale)), "{stale:?}");
    let prepared = desk.prepare(batch).await;
    assert_eq!(desk.index.apply(&mut desk.client, &[prepared]).await.unwrap().created, 1);
}

#[tokio::test]
async fn ids_of_an_earlier_life_are_not_used_again() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    desk.postgres.stop();
    let backup = desk.postgres.backup();
    desk.postgres.restart().await;
    desk.client = desk.pools.writer.get().await.unwrap();
    let batch = desk.batch(vec![alice.commit([create(POST, 1, &post("x", 1))])]);
    desk.prepare(batch.clone()).await;
    desk.postgres.stop();
    desk.postgres.restore(&backup);
    desk.postgres.restart().await;
    desk.client = desk.pools.writer.get().await.unwrap();
    desk.client.execute("INSERT INTO account (did) VALUES ('did:plc:mallory')", &[]).await.unwrap();
    let prepared = desk.prepare(batch).await;
    desk.index.apply(&mut desk.client, &[prepared]).await.unwrap();
    assert_eq!(desk.lines_of("count").await, [format!("count {} posts=1", alice.did)], "mallory has the id that alice had");
}

#[tokio::test]
async fn pipelines_that_intern_the_same_names_at_once_agree() {
    let desk = Desk::open().await;
    let subject = Repo::new("bob").uri("app.bsky.feed.generator", "a-feed");
    let ops: Vec<_> = (0..50).map(|n| create(FOLLOW, n, &tie(FOLLOW, &format!("did:plc:f{n}"), n))).collect();
    let batch = |part: i32| {
        let mut repo = Repo::new(&format!("r{part}"));
        let like = put(Action::Create, LIKE, &key(100), &edge(LIKE, &subject, 100));
        let mut event = repo.commit(ops.iter().cloned().chain([like]));
        event.seq = 1;
        Batch { source: Arc::from(SOURCE), part, old: desk.at, new: appviewd::atproto::Position::new(0, 1), events: vec![event] }
    };
    let prepare = async |part| {
        let mut client = desk.pools.writer.get().await.unwrap();
        desk.index.prepare(&mut client, batch(part)).await.unwrap()
    };
    let (a, b, c, d) = tokio::join!(prepare(0), prepare(1), prepare(2), prepare(3));
    let mut client = desk.pools.writer.get().await.unwrap();
    desk.index.apply(&mut client, &[a, b, c, d]).await.unwrap();
    assert_eq!(desk.number("SELECT count(*) FROM account").await, 55);
    assert_eq!(desk.number("SELECT count(*) FROM rkey_alias").await, 1);
    assert_eq!(desk.number("SELECT likes::int8 FROM post_stat").await, 4);
    assert_eq!(desk.number("SELECT count(*) FROM actor_stat WHERE followers = 4").await, 50);
}

#[tokio::test]
async fn interning_commits_durably_before_its_ids_are_used() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let setting = "CREATE TABLE noted (setting text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO noted VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
        CREATE TRIGGER note AFTER INSERT ON account FOR EACH STATEMENT EXECUTE FUNCTION note();
        CREATE TRIGGER note AFTER INSERT ON rkey_alias FOR EACH STATEMENT EXECUTE FUNCTION note()";
    desk.client.batch_execute(setting).await.unwrap();
    let op = put(Action::Create, POST, "no-tid", &post("x", 1));
    desk.prepare(desk.batch(vec![alice.commit([op])])).await;
    assert_eq!(desk.number("SELECT count(*) FROM noted WHERE setting = 'on'").await, 2);
    assert_eq!(desk.number("SELECT count(*) FROM noted WHERE setting <> 'on'").await, 0);
    assert_eq!(desk.number("SELECT count(*) FROM repo").await, 0, "nothing else is written by preparing");
}

#[tokio::test]
async fn a_connection_is_asked_once_which_server_it_leads_to() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    desk.apply([alice.commit([create(POST, 1, &post("x", 1))])]).await;
    desk.client.execute("SELECT 'the last statement'", &[]).await.unwrap();
    let batch = desk.batch(vec![alice.commit([create(POST, 2, &post("y", 2))])]);
    desk.prepare(batch.clone()).await;
    let other = desk.pools.writer.get().await.unwrap();
    let last = "SELECT query FROM pg_stat_activity WHERE query LIKE '%the last statement%' AND pid <> pg_backend_pid()";
    assert_eq!(other.query(last, &[]).await.unwrap().len(), 1, "all names are known, and so is the server");
    let mut fresh = other;
    desk.index.prepare(&mut fresh, batch).await.unwrap();
    let asked = "SELECT query FROM pg_stat_activity WHERE query LIKE '-- server::identity%'";
    assert_eq!(desk.client.query(asked, &[]).await.unwrap().len(), 1, "a new connection may lead elsewhere");
}
