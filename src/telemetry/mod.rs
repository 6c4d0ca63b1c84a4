//! Logs, metrics, status and failpoints.

pub mod failpoint;
pub mod logs;
pub mod metrics;
pub mod status;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::registry::Registry;

use metrics::Metrics;
use status::Board;

/// What a role tells the outside world through: cheap to clone, one a process.
#[derive(Debug, Clone)]
pub struct Telemetry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    metrics: Metrics,
    status: Board,
    registry: Registry,
}

impl Telemetry {
    /// For a process with these roles.
    pub fn new(roles: &[&str]) -> Self {
        let metrics = Metrics::default();
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        metrics.process.started_at_seconds.set(i64::try_from(started.as_secs()).unwrap_or(i64::MAX));
        Self(Arc::new(Inner { metrics, status: Board::new(env!("CARGO_PKG_VERSION"), roles), registry }))
    }

    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub fn status(&self) -> &Board {
        &self.0.status
    }

    /// All metrics in the text format of Prometheus (`OpenMetrics` 1.0).
    pub fn scrape(&self) -> String {
        let mut text = String::new();
        if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &self.0.registry) {
            tracing::error!(%error, "metrics cannot be written");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_scraped() {
        let telemetry = Telemetry::new(&["ingest"]);
        telemetry.metrics().ingest.rejects.inc("proof");
        telemetry.clone().metrics().ingest.connects.inc();
        let text = telemetry.scrape();
        assert!(text.contains("appviewd_ingest_rejects_total{reason=\"proof\"} 1"), "{text}");
        assert!(text.contains("appviewd_ingest_connects_total 1"), "{text}");
    }
}
