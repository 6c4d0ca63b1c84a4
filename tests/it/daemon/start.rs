//! What a start says, in which order: operators of the system before know these lines.

use serde_json::Value;

use crate::support::eventually;
use crate::support::stack::Stack;

/// Lines of JSON as (role, message).
fn lines(said: &str) -> Vec<(String, String)> {
    said.lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let text = |key: &str| line[key].as_str().unwrap_or_else(|| panic!("no {key} in {line}")).to_owned();
            // Tasks within a role carry it on.
            for role in ["ingest", "worker", "api"].iter().filter(|role| text("target").starts_with(&format!("appviewd::{role}"))) {
                assert_eq!(text("role"), **role, "{line}");
            }
            (text("role"), text("message"))
        })
        .collect()
}

#[tokio::test]
async fn start_up_lines_keep_their_meaning_and_order() {
    let stack = Stack::start(7).await;
    let mut daemon = stack.daemon("start", "worker,api");
    daemon.set("APPVIEW_LOG__FORMAT", "json").set("PARALLEL_CONSUMERS", 3).set("DB_POOL_SIZE", 12).spawn();
    eventually("the pipelines start", 30, async || daemon.said().contains("starting 3 pipelines")).await;
    assert_eq!(daemon.stop().await.code(), Some(0));
    let said = lines(&daemon.said());
    let redis = format!("connecting to Redis at {}", stack.redis.url());
    let expected = [
        ("ingest", "ingest is off in this process (--roles=worker,api)"),
        ("worker", redis.as_str()),
        ("worker", "connected to Redis"),
        ("worker", "creating PostgreSQL pool with 12 connections"),
        ("worker", "PostgreSQL pool created"),
        ("worker", "starting 3 pipelines"),
    ];
    let mut rest = said.iter();
    for (role, message) in expected {
        assert!(rest.any(|(r, m)| (r.as_str(), m.as_str()) == (role, message)), "{role}: {message} not in its place in {said:#?}");
    }
}

#[tokio::test]
async fn every_process_answers_its_probes_and_any_shows_all() {
    let stack = Stack::start(8).await;
    let (mut worker, mut api) = (stack.daemon("w", "worker"), stack.daemon("a", "api"));
    worker.start().await;
    api.start().await;
    for daemon in [&worker, &api] {
        assert_eq!(daemon.get("/health").await.as_deref(), Some("ok\n"));
        assert!(daemon.get("/metrics").await.unwrap().contains("appviewd_process_started_at_seconds"));
        eventually("it is ready", 20, async || daemon.get("/ready").await.as_deref() == Some("ready\n")).await;
    }
    eventually("the api shows the worker", 20, async || api.number("/worker/applied_seq").await.is_some()).await;
    let status = api.status().await.unwrap();
    assert_eq!(status["roles"], serde_json::json!(["api"]));
    let mut names: Vec<&str> = status["processes"].as_array().unwrap().iter().map(|p| p["process"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "w"]);
    assert!(worker.metric("appviewd_process_resident_bytes").await > 1e6);
}

#[tokio::test]
async fn a_database_that_is_away_at_the_start_is_waited_for() {
    let mut stack = Stack::start(9).await;
    stack.postgres.kill();
    let mut daemon = stack.daemon("patient", "worker,api");
    daemon.start().await;
    eventually("it says that it waits", 20, async || daemon.said().contains("cannot migrate yet")).await;
    assert_ne!(daemon.get("/ready").await.as_deref(), Some("ready\n"));
    stack.postgres.restart().await;
    eventually("it is ready", 30, async || daemon.get("/ready").await.as_deref() == Some("ready\n")).await;
    assert_eq!(daemon.stop().await.code(), Some(0));
}

#[tokio::test]
async fn a_database_that_goes_away_during_a_migration_is_waited_for() {
    let mut stack = Stack::start(10).await;
    let mut daemon = stack.daemon("patient", "worker,api");
    let holder = stack.postgres.connect().await;
    // The first migration waits for whoever reads the table in which it is to be noted.
    let history = "CREATE TABLE refinery_schema_history (version INT4 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255))";
    holder.batch_execute(history).await.unwrap();
    holder.batch_execute("BEGIN; LOCK TABLE refinery_schema_history IN SHARE MODE").await.unwrap();
    daemon.start().await;
    let watcher = stack.postgres.connect().await;
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'refinery_schema_history'::regclass";
    eventually("a migration is under way", 20, async || watcher.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) > 0).await;
    stack.postgres.kill();
    eventually("it says that it waits", 20, async || daemon.said().contains("cannot migrate yet")).await;
    stack.postgres.restart().await;
    eventually("it is ready", 30, async || daemon.get("/ready").await.as_deref() == Some("ready\n")).await;
    assert_eq!(daemon.stop().await.code(), Some(0));
}

/// Made at the first start, shown in the document, the same after the next; a file that is damaged ends the start and stays as it is.
#[tokio::test]
async fn a_signing_key_is_made_once_and_shown() {
    use std::os::unix::fs::PermissionsExt as _;
    let stack = Stack::start(9).await;
    let data = tempfile::tempdir().unwrap();
    let mut daemon = stack.daemon("key", "api");
    daemon.set("APPVIEW_DID", "did:web:appview.example").set("APPVIEW_DATA_DIR", data.path().display());
    let shown = async |daemon: &crate::support::daemon::Daemon| -> String {
        let document: Value = serde_json::from_str(&daemon.get("/.well-known/did.json").await.unwrap()).unwrap();
        document["verificationMethod"][0]["publicKeyMultibase"].as_str().unwrap().to_owned()
    };
    daemon.start().await;
    let (first, file) = (shown(&daemon).await, data.path().join("signing_key"));
    let kept = std::fs::read_to_string(&file).unwrap();
    let key = appviewd::atproto::SigningKey::from_hex(kept.trim_end()).unwrap();
    assert_eq!((key.multibase(), std::fs::metadata(&file).unwrap().permissions().mode() & 0o777), (first.clone(), 0o600));
    assert!(
        daemon.said().contains(&key.did_key()) && !daemon.said().contains(kept.trim_end()),
        "the public half is told, the secret is not"
    );
    daemon.stop().await;
    daemon.start().await;
    assert_eq!(shown(&daemon).await, first);
    daemon.stop().await;
    // What is configured counts.
    let other = appviewd::atproto::SigningKey::from_bytes([9; 32]).unwrap();
    daemon.set("APPVIEW_SIGNING_KEY", "09".repeat(32)).start().await;
    assert_eq!(shown(&daemon).await, other.multibase());
    daemon.stop().await;
    daemon.unset("APPVIEW_SIGNING_KEY");
    std::fs::write(&file, &kept[..40]).unwrap();
    daemon.spawn();
    assert_eq!(daemon.ended(20).await.code(), Some(1));
    assert!(daemon.said().contains("is damaged") && !daemon.said().contains(&kept[..40]));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), kept[..40]);
}
