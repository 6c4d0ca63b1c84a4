//! What operators and their probes ask of any process: `/health`, `/ready`, `/status`, `/metrics`.

use std::future::{Ready, ready};

use deadpool_postgres::Pool;
use hyper::StatusCode;

use crate::http::{Failure, Response, Router, bytes, handler, json, text};
use crate::telemetry::Telemetry;

/// The type of Prometheus' text format as `prometheus-client` writes it.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The four routes. `database`: where heartbeats of other processes can be read.
pub fn router(telemetry: Telemetry, database: Option<Pool>) -> Router {
    drop(database);
    let (red, status, metrics) = (telemetry.clone(), telemetry.clone(), telemetry);
    Router::new()
        .probe("/health", handler(|_| async { Ok(text(StatusCode::OK, "ok\n")) }))
        .probe("/ready", handler(move |_| answer(readiness(&red))))
        .probe("/status", handler(move |_| answer(json(StatusCode::OK, &status.status().get()))))
        .probe("/metrics", handler(move |_| answer(scrape(&metrics))))
}

fn answer(response: Response) -> Ready<Result<Response, Failure>> {
    ready(Ok(response))
}

/// 200, or 503 with one line a problem.
fn readiness(telemetry: &Telemetry) -> Response {
    let problems = telemetry.status().get().problems();
    if problems.is_empty() {
        return text(StatusCode::OK, "ready\n");
    }
    text(StatusCode::SERVICE_UNAVAILABLE, problems.join("\n") + "\n")
}

fn scrape(telemetry: &Telemetry) -> Response {
    bytes(StatusCode::OK, OPEN_METRICS, telemetry.scrape())
}
