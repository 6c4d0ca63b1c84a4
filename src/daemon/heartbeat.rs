//! Writes the row of a process that has no worker, so that every process can show it. A database that is away is waited for.

use std::time::Duration;

use anyhow::Context as _;
use deadpool_postgres::Pool;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::db::heartbeat;
use crate::telemetry::Telemetry;

/// As often as the worker writes its row.
const EVERY: Duration = Duration::from_secs(1);

/// Runs until the stop, under the name `process`.
pub async fn run(pool: Pool, process: String, telemetry: Telemetry, stop: CancellationToken) -> anyhow::Result<()> {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_well = true;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let Some(written) = stop.run_until_cancelled(write(&pool, &process, &telemetry)).await else { break };
        match &written {
            Ok(()) if !is_well => info!("heartbeat row is written again"),
            Err(error) if is_well => warn!(error = format!("{error:#}"), "heartbeat row cannot be written"),
            _ => {}
        }
        is_well = written.is_ok();
    }
    Ok(())
}

async fn write(pool: &Pool, process: &str, telemetry: &Telemetry) -> anyhow::Result<()> {
    let client = pool.get().await.context("no connection")?;
    let status = telemetry.status().get();
    heartbeat::write(&client, process, &status.roles.join(","), &serde_json::to_string(&status)?).await?;
    Ok(())
}
