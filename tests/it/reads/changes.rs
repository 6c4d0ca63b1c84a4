//! What was changed is told to everyone who asks since a mark: once where it can be known, never not at all.

use appviewd::config::database::Database;
use appviewd::db::change::{self, Changed, Mark};
use appviewd::db::pool::Pools;
use appviewd::db::{Client, migrate};

use crate::support::eventually;
use crate::support::postgres::Postgres;

const CHANGED: [Changed; 1] = [Changed::Account(1)];

async fn migrated() -> (Postgres, Pools) {
    let postgres = Postgres::start().await;
    let pools = pools(&postgres);
    migrate::with_pool(&pools.writer).await.unwrap();
    postgres.connect().await.batch_execute("INSERT INTO account (did) VALUES ('did:plc:one'), ('did:plc:two')").await.unwrap();
    (postgres, pools)
}

fn pools(postgres: &Postgres) -> Pools {
    Pools::new(&Database { url: Some(postgres.url()), pool_size: 4, ..Database::default() }).unwrap()
}

async fn since(client: &Client, mark: &Mark) -> (Option<Vec<Changed>>, Mark) {
    change::since(client, mark, 100).await.unwrap()
}

const RENAME: &str = "UPDATE account SET handle = 'x' || pg_current_xact_id() WHERE id = 1";

#[tokio::test]
async fn a_change_is_told_once_in_whatever_order_transactions_end() {
    let (postgres, pools) = migrated().await;
    let client = pools.api.get().await.unwrap();
    let (open, other) = (postgres.connect().await, postgres.connect().await);
    open.batch_execute(&format!("BEGIN; {RENAME}")).await.unwrap();
    let mark = change::mark(&client).await.unwrap();
    other.batch_execute("UPDATE account SET handle = 'b' WHERE id = 2").await.unwrap();
    let (changed, mark) = since(&client, &mark).await;
    assert_eq!(changed.unwrap(), [Changed::Account(2)], "the other has not ended");
    open.batch_execute("COMMIT").await.unwrap();
    let (changed, mark) = since(&client, &mark).await;
    assert_eq!(changed.unwrap(), CHANGED, "though it began before the one that was told already");
    assert_eq!(since(&client, &mark).await.0.unwrap(), []);
}

/// A replica's snapshots do not say which transactions are under way.
#[tokio::test]
async fn a_replica_tells_of_what_was_under_way_at_the_mark() {
    let (postgres, _) = migrated().await;
    let standby = postgres.standby().await;
    let pools = pools(&standby);
    let client = pools.api.get().await.unwrap();
    let (open, other) = (postgres.connect().await, postgres.connect().await);
    open.batch_execute(&format!("BEGIN; {RENAME}")).await.unwrap();
    other.batch_execute("UPDATE account SET handle = 'b' WHERE id = 2").await.unwrap();
    let handles = "SELECT count(*) FROM account WHERE handle IS NOT NULL";
    eventually("the replica has followed", 20, async || client.query_one(handles, &[]).await.unwrap().get::<_, i64>(0) == 1).await;
    let mark = change::mark(&client).await.unwrap();
    open.batch_execute("COMMIT").await.unwrap();
    eventually("the replica has followed", 20, async || client.query_one(handles, &[]).await.unwrap().get::<_, i64>(0) == 2).await;
    let (changed, _) = since(&client, &mark).await;
    assert!(changed.unwrap().contains(&CHANGED[0]));
}

/// Whoever did not look for so long (or read a replica that stood still) is told that it missed some, however long that was.
#[tokio::test]
async fn who_missed_what_was_forgotten_is_told_so() {
    let (postgres, pools) = migrated().await;
    let (client, writer) = (pools.api.get().await.unwrap(), pools.writer.get().await.unwrap());
    let early = change::mark(&client).await.unwrap();
    postgres.connect().await.batch_execute(RENAME).await.unwrap();
    let late = change::mark(&client).await.unwrap();
    for _ in 0..2 {
        change::forget(&writer, &late).await.unwrap();
        assert_eq!(since(&client, &early).await.0, None, "it was told of nothing in between");
        assert_eq!(since(&client, &late).await.0, Some(Vec::new()), "what it missed it had seen");
    }
    postgres.connect().await.batch_execute(RENAME).await.unwrap();
    assert_eq!(since(&client, &late).await.0.unwrap(), CHANGED);
    let rows: i64 = client.query_one("SELECT count(*) FROM change", &[]).await.unwrap().get(0);
    assert_eq!(rows, 2, "one that says up to where, and what came since");
}

/// Counts are changed by hundreds: a row tells of a thousand, and all rows of all of them.
#[tokio::test]
async fn what_a_statement_changes_by_thousands_is_told_whole_in_few_rows() {
    let (postgres, pools) = migrated().await;
    let client = pools.api.get().await.unwrap();
    let mark = change::mark(&client).await.unwrap();
    let counted = "INSERT INTO post_stat (sr, sa, kind) SELECT n, 0, 0 FROM generate_series(1, 2500) n, generate_series(1, 2)";
    postgres.connect().await.batch_execute(counted).await.unwrap();
    let mut told = since(&client, &mark).await.0.unwrap();
    told.sort_unstable_by_key(|changed| if let Changed::Counts(hash) = changed { *hash } else { 0 });
    assert_eq!(told, (1..=2500).map(Changed::Counts).collect::<Vec<_>>(), "each once");
    let rows: Vec<i32> = client.query("SELECT cardinality(keys) FROM change", &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(rows, [1000, 1000, 500]);
    assert_eq!(change::since(&client, &mark, 3).await.unwrap().0, None, "as many as were asked for: there may be more");
    assert!(change::since(&client, &mark, 4).await.unwrap().0.is_some());
    postgres.connect().await.batch_execute("DELETE FROM post_stat WHERE sr > 2500").await.unwrap();
    assert_eq!(since(&client, &mark).await.0.unwrap().len(), 2500, "a statement that changes nothing tells of nothing");
}
