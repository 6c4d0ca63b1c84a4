//! Pools and migrations: who may write, who waits for whom, what is refused.

use appviewd::config::database::Database;
use appviewd::db::migrate::{self, MigrateError};
use appviewd::db::pool::{self, API_ROLE, Pools};
use appviewd::db::{meta, server};
use appviewd::query::QueryError;
use refinery::error::WrapMigrationError as _;
use tokio_postgres::error::SqlState;

use crate::support::postgres::Postgres;

async fn migrated() -> (Postgres, Pools) {
    let postgres = Postgres::start().await;
    let pools = Pools::new(&Database { url: Some(postgres.url()), pool_size: 4, ..Database::default() }).unwrap();
    migrate::with_pool(&pools.writer).await.unwrap();
    (postgres, pools)
}

#[tokio::test]
async fn the_api_cannot_write_even_when_it_tries_to() {
    let (_postgres, pools) = migrated().await;
    let client = pools.api.get().await.unwrap();
    let role: String = client.query_one("SELECT current_user::text", &[]).await.unwrap().get(0);
    assert_eq!(role, API_ROLE);
    let write = "INSERT INTO meta VALUES ('a', 'b')";
    let refused = client.batch_execute(write).await.unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::READ_ONLY_SQL_TRANSACTION));
    client.batch_execute("SET default_transaction_read_only = off").await.unwrap();
    let refused = client.batch_execute(write).await.unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "the role is the second fence");
    for table in ["post", "\"like\"", "account", "meta", "heartbeat"] {
        client.query(&format!("SELECT * FROM {table}"), &[]).await.unwrap();
    }
    assert!(client.query_one("SHOW enable_sort", &[]).await.unwrap().get::<_, &str>(0) == "off");
}

#[tokio::test]
async fn without_the_role_the_api_has_read_only_transactions() {
    let postgres = Postgres::start().await;
    let pools = Pools::new(&Database { url: Some(postgres.url()), pool_size: 4, ..Database::default() }).unwrap();
    let client = pools.api.get().await.unwrap();
    let refused = client.batch_execute("CREATE TABLE t (i int4)").await.unwrap_err();
    assert_eq!(refused.code(), Some(&SqlState::READ_ONLY_SQL_TRANSACTION));
}

#[tokio::test]
async fn an_address_of_the_api_s_own_keeps_its_user() {
    let (postgres, _) = migrated().await;
    postgres.connect().await.batch_execute("CREATE ROLE reader LOGIN").await.unwrap();
    let own = postgres.url().replace("postgres@", "reader@");
    let pools = Pools::new(&Database { url: Some(postgres.url()), api_url: Some(own), pool_size: 4 }).unwrap();
    let user: String = pools.api.get().await.unwrap().query_one("SELECT current_user::text", &[]).await.unwrap().get(0);
    assert_eq!(user, "reader");
}

#[tokio::test]
async fn writers_commit_without_waiting_and_plan_once() {
    let (_postgres, pools) = migrated().await;
    let client = pools.writer.get().await.unwrap();
    for (setting, value) in
        [("synchronous_commit", "off"), ("plan_cache_mode", "force_generic_plan"), ("idle_in_transaction_session_timeout", "10s")]
    {
        assert_eq!(client.query_one(&format!("SHOW {setting}"), &[]).await.unwrap().get::<_, String>(0), value, "{setting}");
    }
}

#[tokio::test]
async fn a_socket_folder_may_stand_in_the_query() {
    let postgres = Postgres::start().await;
    let url = format!("postgres:///postgres?user=postgres&host={}", postgres.socket_dir().display());
    assert!(pool::writer(&url, 1).unwrap().get().await.is_ok());
}

#[tokio::test]
async fn several_hosts_may_migrate_at_once() {
    let postgres = Postgres::start().await;
    let pools: Vec<_> = (0..4).map(|_| pool::writer(&postgres.url(), 1).unwrap()).collect();
    let outcomes = futures_util::future::join_all(pools.iter().map(migrate::with_pool)).await;
    for outcome in outcomes {
        let status = outcome.unwrap();
        assert!(status.pending.is_empty() && status.database == status.binary, "{status:?}");
    }
    let client = postgres.connect().await;
    let applied = "SELECT max(version), count(*) = count(DISTINCT version) FROM refinery_schema_history";
    let applied = client.query_one(applied, &[]).await.unwrap();
    assert_eq!((applied.get::<_, i32>(0), applied.get::<_, bool>(1)), (migrate::status(&client).await.unwrap().binary, true));
    let locks: i64 = client.query_one("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", &[]).await.unwrap().get(0);
    assert_eq!(locks, 0);
}

#[tokio::test]
async fn a_newer_database_is_refused_and_says_what_to_do() {
    let (postgres, pools) = migrated().await;
    let client = postgres.connect().await;
    let last = migrate::status(&client).await.unwrap().binary;
    let newer = "INSERT INTO refinery_schema_history SELECT version + 7, name, applied_on, checksum FROM refinery_schema_history WHERE version = $1";
    client.execute(newer, &[&last]).await.unwrap();
    let error = migrate::with_pool(&pools.writer).await.unwrap_err();
    assert!(matches!(error, MigrateError::Newer { database, binary } if database == last + 7 && binary == last));
    assert!(error.to_string().contains(&format!("{}", last + 7)) && error.to_string().contains("backup"), "{error}");
}

#[tokio::test]
async fn an_altered_migration_is_refused() {
    let (postgres, pools) = migrated().await;
    postgres.connect().await.batch_execute("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1").await.unwrap();
    assert!(matches!(migrate::with_pool(&pools.writer).await, Err(MigrateError::Refinery(_))));
}

#[tokio::test]
async fn another_encoding_is_refused() {
    let postgres = Postgres::start().await;
    let make = "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'";
    postgres.connect().await.batch_execute(make).await.unwrap();
    let latin = format!("{}/latin", postgres.url().strip_suffix("/postgres").unwrap());
    let error = migrate::with_pool(&pool::writer(&latin, 1).unwrap()).await.unwrap_err();
    assert!(matches!(error, MigrateError::Encoding(ref e) if e == "LATIN1"), "{error}");
}

#[tokio::test]
async fn a_restart_is_another_identity() {
    let mut postgres = Postgres::start().await;
    let client = postgres.connect().await;
    let first = server::identity(&client).await.unwrap();
    assert_eq!(first, server::identity(&client).await.unwrap());
    postgres.stop();
    postgres.restart().await;
    let second = server::identity(&postgres.connect().await).await.unwrap();
    assert_eq!(first.system, second.system);
    assert_ne!(first, second);
}

#[tokio::test]
async fn meta_keeps_its_first_value() {
    let (_postgres, pools) = migrated().await;
    let client = pools.writer.get().await.unwrap();
    assert_eq!(meta::get(&client, "partitions").await.unwrap(), None);
    assert_eq!(meta::insert_or_get(&client, "partitions", "16").await.unwrap(), "16");
    assert_eq!(meta::insert_or_get(&client, "partitions", "8").await.unwrap(), "16");
    assert_eq!(meta::get(&client, "partitions").await.unwrap().as_deref(), Some("16"));
}

/// refinery says what it was about to do, and wraps that once more.
#[tokio::test]
async fn a_connection_that_ends_anywhere_in_a_migration_interrupts_it() {
    let mut postgres = Postgres::start().await;
    let client = postgres.connect().await;
    postgres.kill();
    for depth in 1..4 {
        let mut error = client.execute("SELECT 1", &[]).await.map(drop).migration_err("asking", None).unwrap_err();
        for _ in 1..depth {
            error = Err::<(), _>(error).migration_err("meanwhile", None).unwrap_err();
        }
        assert!(matches!(MigrateError::from(error), MigrateError::Interrupted(_)), "wrapped {depth} times");
    }
}

/// What else would be told as 503, again and again, is a mistake of ours: 500.
#[tokio::test]
async fn only_what_may_succeed_in_a_moment_is_transient() {
    let (_postgres, pools) = migrated().await;
    let client = pools.writer.get().await.unwrap();
    let transient = |error: tokio_postgres::Error| QueryError::from(error).is_transient();
    let text = "text";
    let wrong = client.query("SELECT $1::int4", &[&text]).await.unwrap_err();
    assert!(wrong.code().is_none() && !transient(wrong), "a parameter of another type");
    assert!(!transient(client.query_one("SELECT 1 WHERE false", &[]).await.unwrap_err()), "a row that is not there");
    let row = client.query_one("SELECT 'text'", &[]).await.unwrap();
    assert!(!transient(row.try_get::<_, i32>(0).unwrap_err()), "a column of another type");
    for (state, passes) in [
        ("22012", false),
        ("23505", false),
        ("42P01", false),
        ("XX000", false),
        ("08006", true),
        ("40001", true),
        ("40P01", true),
        ("53300", true),
        ("55P03", true),
        ("57014", true),
        ("58030", true),
    ] {
        let raised = client.batch_execute(&format!("DO $$BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END$$")).await.unwrap_err();
        assert_eq!(raised.code().map(SqlState::code), Some(state));
        assert_eq!(transient(raised), passes, "{state}");
    }
    let ended = client.query("SELECT pg_terminate_backend(pg_backend_pid())", &[]).await.unwrap_err();
    assert!(transient(ended), "the connection is lost");
    assert!(transient(client.query("SELECT 1", &[]).await.unwrap_err()), "and stays so");
}
