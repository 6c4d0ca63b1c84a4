//! What is found out is written so that a handle has one owner, and an event that came meanwhile is not lost.

use appviewd::config::database::Database;
use appviewd::config::index::Index as Options;
use appviewd::db::identity::{self, Due, Failed, Outcome};
use appviewd::db::pool::Pools;
use appviewd::db::{Client, account, migrate};
use appviewd::index::Index;

use super::resolve::{ALICE, BOB};
use crate::support::postgres::Postgres;

struct Rig {
    _postgres: Postgres,
    client: Client,
    alice: i32,
    bob: i32,
}

impl Rig {
    async fn start() -> Self {
        let postgres = Postgres::start().await;
        let pools = Pools::new(&Database { url: Some(postgres.url()), ..Database::default() }).unwrap();
        migrate::with_pool(&pools.writer).await.unwrap();
        let client = pools.writer.get().await.unwrap();
        let ids = account::insert(&client, &[ALICE, BOB]).await.unwrap();
        let id = |did| ids.iter().find(|(found, _)| found == did).unwrap().1;
        let (alice, bob) = (id(ALICE), id(BOB));
        identity::add(&client, &[alice, bob]).await.unwrap();
        Self { _postgres: postgres, client, alice, bob }
    }

    async fn settle(&mut self, outcomes: &[Outcome]) {
        let transaction = self.client.transaction().await.unwrap();
        identity::settle(&transaction, outcomes).await.unwrap();
        transaction.commit().await.unwrap();
    }

    async fn handles(&self) -> [Option<String>; 2] {
        let rows = self.client.query("SELECT handle FROM account ORDER BY id = $1", &[&self.bob]).await.unwrap();
        [rows[0].get(0), rows[1].get(0)]
    }

    async fn due(&self, which: Due) -> Vec<i32> {
        identity::due(&self.client, which, &[], 10).await.unwrap().iter().map(|task| task.account).collect()
    }
}

fn found(account: i32, due: i32, handle: Option<&str>) -> Outcome {
    let failed = if handle.is_some() { Failed::No } else { Failed::Nobody };
    Outcome { account, due, handle: handle.map(ToOwned::to_owned), failed, tries: 0, certain: true, again_in: 3600 }
}

fn of(alice: Option<&str>, bob: Option<&str>) -> [Option<String>; 2] {
    [alice.map(ToOwned::to_owned), bob.map(ToOwned::to_owned)]
}

#[tokio::test]
async fn a_handle_that_moves_is_taken_from_its_owner() {
    let mut rig = Rig::start().await;
    let (alice, bob) = (rig.alice, rig.bob);
    rig.settle(&[found(alice, 1, Some("a.test")), found(bob, 1, Some("b.test"))]).await;
    assert_eq!(rig.handles().await, of(Some("a.test"), Some("b.test")));
    assert_eq!((rig.due(Due::First).await, rig.due(Due::Events).await), (vec![], vec![]));
    // Alice does not know of it: she loses the handle, and is looked at again.
    rig.settle(&[found(bob, 0, Some("a.test"))]).await;
    assert_eq!(rig.handles().await, of(None, Some("a.test")));
    assert_eq!(rig.due(Due::Events).await, [alice]);
    assert_eq!(identity::owners(&rig.client, &["a.test", "b.test"]).await.unwrap(), [("a.test".to_owned(), bob)]);
    // Two change at once.
    rig.settle(&[found(alice, 0, Some("a.test")), found(bob, 0, Some("c.test"))]).await;
    assert_eq!(rig.handles().await, of(Some("a.test"), Some("c.test")));
    rig.settle(&[found(alice, 0, None)]).await;
    assert_eq!(rig.handles().await, of(None, Some("c.test")));
}

#[tokio::test]
async fn an_event_that_comes_while_an_account_is_resolved_has_it_resolved_again() {
    let mut rig = Rig::start().await;
    let alice = rig.alice;
    identity::mark(&rig.client, &[alice]).await.unwrap();
    let task = identity::due(&rig.client, Due::Events, &[], 10).await.unwrap().remove(0);
    identity::mark(&rig.client, &[alice]).await.unwrap();
    rig.settle(&[found(alice, task.due, Some("a.test"))]).await;
    let again = identity::due(&rig.client, Due::Events, &[], 10).await.unwrap();
    assert_eq!(again.iter().map(|task| (task.account, task.handle.as_deref())).collect::<Vec<_>>(), [(alice, Some("a.test"))]);
    assert_eq!(identity::pending(&rig.client).await.unwrap(), 2);
    rig.settle(&[found(alice, again[0].due, Some("a.test"))]).await;
    assert_eq!((rig.due(Due::Events).await, identity::pending(&rig.client).await.unwrap()), (vec![], 1));
}

#[tokio::test]
async fn repos_that_an_older_binary_brought_are_found() {
    let rig = Rig::start().await;
    rig.client.execute("DELETE FROM identity", &[]).await.unwrap();
    rig.client.execute("INSERT INTO repo (account) SELECT id FROM account", &[]).await.unwrap();
    let mut after = Some(0);
    let mut pages = 0;
    while let Some(from) = after {
        after = identity::add_missing(&rig.client, from, 1).await.unwrap();
        pages += 1;
    }
    assert_eq!((pages, rig.due(Due::First).await.len()), (3, 2));
}

#[tokio::test]
async fn a_deleted_account_leaves_its_handle_to_others() {
    let mut rig = Rig::start().await;
    let (alice, bob) = (rig.alice, rig.bob);
    rig.settle(&[found(alice, 1, Some("a.test")), found(bob, 1, Some("b.test"))]).await;
    rig.client.execute("INSERT INTO repo (account, status, purge) VALUES ($1, 3, true)", &[&alice]).await.unwrap();
    Index::new(Options::default()).purge(&mut rig.client, alice).await.unwrap().unwrap();
    assert_eq!(rig.handles().await, of(None, Some("b.test")));
    assert_eq!(rig.client.query("SELECT FROM identity", &[]).await.unwrap().len(), 1);
    // Who looks for repos that are not resolved does not bring it back.
    identity::add_missing(&rig.client, 0, 10).await.unwrap();
    assert_eq!(rig.client.query("SELECT FROM identity WHERE account = $1", &[&alice]).await.unwrap().len(), 0);
    // Active again, it is an account seen first.
    identity::add(&rig.client, &[alice]).await.unwrap();
    assert_eq!(rig.due(Due::First).await, [alice]);
}

/// The #identity and the #account of its next life do not wait for the purge.
#[tokio::test]
async fn an_account_that_is_born_again_before_its_purge_is_still_resolved() {
    let mut rig = Rig::start().await;
    let (alice, bob) = (rig.alice, rig.bob);
    rig.settle(&[found(alice, 1, Some("a.test")), found(bob, 1, Some("b.test"))]).await;
    rig.client.execute("INSERT INTO repo (account, status, purge) VALUES ($1, 3, true)", &[&alice]).await.unwrap();
    identity::mark(&rig.client, &[alice]).await.unwrap();
    rig.client.execute("UPDATE repo SET status = 0", &[]).await.unwrap();
    Index::new(Options::default()).purge(&mut rig.client, alice).await.unwrap().unwrap();
    assert_eq!(rig.due(Due::Events).await, [alice]);
    assert_eq!(rig.handles().await, of(Some("a.test"), Some("b.test")));
}

#[tokio::test]
async fn every_statement_uses_its_index() {
    let mut rig = Rig::start().await;
    let (alice, bob) = (rig.alice, rig.bob);
    rig.settle(&[found(alice, 1, Some("a.test")), found(bob, 1, None)]).await;
    for which in [Due::Events, Due::Again, Due::First] {
        identity::due(&rig.client, which, &[], 10).await.unwrap();
    }
    identity::pending(&rig.client).await.unwrap();
    identity::owners(&rig.client, &["a.test"]).await.unwrap();
    identity::did_of(&rig.client, "a.test").await.unwrap();
    identity::mark(&rig.client, &[alice]).await.unwrap();
    identity::release(&rig.client, alice).await.unwrap();
    identity::add_missing(&rig.client, 0, 10).await.unwrap();
    let sql = "SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements WHERE statement LIKE '-- identity::%'";
    let statements = rig.client.query(sql, &[]).await.unwrap();
    assert!(statements.len() >= 12, "{}", statements.len());
    for row in &statements {
        let (name, sql, parameters): (String, String, i32) = (row.get(0), row.get(1), row.get(2));
        let nulls = vec!["NULL"; usize::try_from(parameters).unwrap()].join(", ");
        let arguments = if parameters == 0 { String::new() } else { format!("({nulls})") };
        let plan = rig.client.simple_query(&format!("EXPLAIN (COSTS OFF) EXECUTE \"{name}\"{arguments}")).await.unwrap();
        for line in plan.iter().filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        }) {
            assert!(!line.contains("Seq Scan"), "{}\n{line}", sql.lines().next().unwrap());
        }
    }
}
