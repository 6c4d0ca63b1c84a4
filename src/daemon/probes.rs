//! What operators and their probes ask of any process: `/health`, `/ready`, `/status`, `/metrics`.
//!
//! Never waits long for the database: that these answer is most needed when it does not.

use std::fs;
use std::time::{Duration, SystemTime};

use deadpool_postgres::Pool;
use hyper::StatusCode;
use serde::Serialize;

use crate::db::read::process::{self, Process};
use crate::http::{Failure, Response, Router, bytes, handler, json, text};
use crate::telemetry::Telemetry;
use crate::telemetry::status::Status;

/// The type of Prometheus' text format as `prometheus-client` writes it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The other processes' rows are left out of an answer that would have to wait longer for them.
const DATABASE: Duration = Duration::from_secs(1);
/// A process that was silent for longer says nothing about now; each writes its row every second.
const SILENT: Duration = Duration::from_secs(15);

/// What the probes look at.
#[derive(Debug, Clone)]
struct Probes {
    telemetry: Telemetry,
    /// Where the rows of other processes are read; ingest alone may have none.
    database: Option<Pool>,
}

/// `/status`: this process, the roles that others have filled in from their rows, and all of them by name.
#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    status: Status,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    processes: Vec<Other>,
}

#[derive(Debug, Serialize)]
struct Other {
    process: String,
    roles: String,
    seen_seconds_ago: u64,
}

/// The four routes. `database`: where heartbeats of other processes can be read.
pub fn router(telemetry: Telemetry, database: Option<Pool>) -> Router {
    let probes = Probes { telemetry, database };
    let (ready, status, metrics) = (probes.clone(), probes.clone(), probes);
    Router::new()
        .probe("/health", handler(|_| async { Ok(text(StatusCode::OK, "ok\n")) }))
        .probe("/ready", handler(move |_| std::future::ready(Ok(ready.ready()))))
        .probe("/status", handler(move |_| status.clone().status()))
        .probe("/metrics", handler(move |_| std::future::ready(Ok(metrics.metrics()))))
}

impl Probes {
    /// 200, or 503 with one line a problem.
    fn ready(&self) -> Response {
        let problems = self.telemetry.status().get().problems();
        if problems.is_empty() {
            return text(StatusCode::OK, "ready\n");
        }
        text(StatusCode::SERVICE_UNAVAILABLE, problems.join("\n") + "\n")
    }

    fn metrics(&self) -> Response {
        if let Some(resident) = resident_bytes() {
            self.telemetry.metrics().process.resident_bytes.set(resident);
        }
        bytes(StatusCode::OK, OPEN_METRICS, self.telemetry.scrape())
    }

    async fn status(self) -> Result<Response, Failure> {
        let rows = tokio::time::timeout(DATABASE, self.processes()).await.unwrap_or_default();
        Ok(json(StatusCode::OK, &merge(self.telemetry.status().get(), rows, SystemTime::now())))
    }

    async fn processes(&self) -> Vec<Process> {
        let Some(pool) = &self.database else { return Vec::new() };
        let Ok(client) = pool.get().await else { return Vec::new() };
        process::alive(&client).await.unwrap_or_default()
    }
}

/// Roles that this process does not have are shown as the newest row of a process that has them.
fn merge(mut status: Status, rows: Vec<Process>, now: SystemTime) -> Answer {
    let age = |row: &Process| now.duration_since(row.seen_at).unwrap_or_default();
    for row in rows.iter().filter(|row| age(row) <= SILENT) {
        let Ok(other) = serde_json::from_str::<Status>(&row.status) else { continue };
        status.ingest = status.ingest.or(other.ingest);
        status.worker = status.worker.or(other.worker);
        status.api = status.api.or(other.api);
        status.identity = status.identity.or(other.identity);
        status.labels = status.labels.or(other.labels);
    }
    let other = |row: Process| Other { seen_seconds_ago: age(&row).as_secs(), process: row.name, roles: row.roles };
    Answer { status, processes: rows.into_iter().map(other).collect() }
}

/// Resident set of this process; the second number of `statm`, in pages.
fn resident_bytes() -> Option<i64> {
    let pages: i64 = fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(i64::try_from(rustix::param::page_size()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, roles: &[&str], seen_at: SystemTime) -> Process {
        let telemetry = Telemetry::new(roles);
        telemetry.status().worker(|worker| worker.applied_seq = 7);
        let status = serde_json::to_string(&telemetry.status().get()).unwrap();
        Process { name: name.to_owned(), roles: roles.join(","), seen_at, status }
    }

    #[test]
    fn a_process_shows_the_roles_of_others_while_they_live() {
        let now = SystemTime::now();
        let own = || Telemetry::new(&["api"]).status().get();
        let seen = now - Duration::from_secs(2);
        let json = serde_json::to_value(merge(own(), vec![row("w", &["worker"], seen)], now)).unwrap();
        assert_eq!(json.pointer("/worker/applied_seq"), Some(&serde_json::json!(7)));
        assert_eq!(json["roles"], serde_json::json!(["api"]));
        assert_eq!(json["processes"], serde_json::json!([{"process": "w", "roles": "worker", "seen_seconds_ago": 2}]));
        let silent = now - SILENT * 4;
        let json = serde_json::to_value(merge(own(), vec![row("w", &["worker"], silent)], now)).unwrap();
        assert_eq!(json.get("worker"), None);
    }
}
