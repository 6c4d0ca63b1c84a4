//! Connections that several requests use at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use appviewd::db::pool;
use appviewd::db::shared::{APART, Shared};

use crate::support::postgres::Postgres;

/// With so many connections to share at most.
async fn shared(most: usize) -> (Postgres, Shared) {
    let postgres = Postgres::start().await;
    let shared = Shared::new(pool::api(&postgres.url(), most + APART, false).unwrap());
    (postgres, shared)
}

async fn backends(postgres: &Postgres) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'appviewd api'";
    postgres.connect().await.query_one(sql, &[]).await.unwrap().get(0)
}

/// One who asks gets a connection to itself as long as there is one; many share them, and there are no more than so many.
#[tokio::test]
async fn many_requests_share_few_connections_and_are_spread_over_them() {
    let (postgres, shared) = shared(4).await;
    for _ in 0..3 {
        shared.connection().await.unwrap();
    }
    assert_eq!(backends(&postgres).await, 1, "one after the other needs one");
    let mut held = Vec::new();
    for _ in 0..40 {
        held.push(shared.connection().await.unwrap());
    }
    assert_eq!(backends(&postgres).await, 4, "some are left to others");
    for connection in &held {
        // The list's own, and ten requests.
        assert_eq!(Arc::strong_count(connection), 11);
    }
}

/// A page that takes long is not waited for by those that come after it.
#[tokio::test]
async fn who_comes_after_a_slow_statement_does_not_wait_for_it() {
    let (_postgres, shared) = shared(2).await;
    let slow = shared.connection().await.unwrap();
    let sleep = tokio::spawn(async move { slow.simple_query("SELECT pg_sleep(3)").await.is_ok() });
    let began = Instant::now();
    for _ in 0..20 {
        let connection = shared.connection().await.unwrap();
        connection.query_one("SELECT 1", &[]).await.unwrap();
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(!sleep.is_finished());
    assert!(sleep.await.unwrap());
}

/// Statements of several requests are on their way at once on one connection.
#[tokio::test]
async fn statements_of_several_requests_go_out_together() {
    let (_postgres, shared) = shared(1).await;
    let all = futures_util::future::join_all((0..50_i32).map(|n| {
        let shared = shared.clone();
        async move {
            let connection = shared.connection().await.unwrap();
            connection.query_one("SELECT $1::int4", &[&n]).await.unwrap().get::<_, i32>(0)
        }
    }));
    assert_eq!(all.await, (0..50).collect::<Vec<_>>(), "everyone gets its own answer");
}

#[tokio::test]
async fn a_connection_that_broke_is_replaced() {
    let (postgres, shared) = shared(1).await;
    let pid = |connection: Arc<appviewd::db::shared::Connection>| async move {
        Some(connection.query_one("SELECT pg_backend_pid()", &[]).await.ok()?.get::<_, i32>(0))
    };
    let first = pid(shared.connection().await.unwrap()).await.unwrap();
    postgres.connect().await.execute("SELECT pg_terminate_backend($1)", &[&first]).await.unwrap();
    let second = {
        let mut found = None;
        crate::support::eventually("another connection", 5, async || {
            found = pid(shared.connection().await.unwrap()).await;
            found.is_some()
        })
        .await;
        found.unwrap()
    };
    assert_ne!(first, second);
}
