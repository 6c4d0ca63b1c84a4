//! Who starts with what: one match on the roles, and what every process has besides them.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::crew::Crew;
use super::role::{Role, Roles};
use super::{probes, stores};
use crate::config::Config;
use crate::http;
use crate::telemetry::Telemetry;

/// Starts the roles as tasks of the crew, in their order; fails only where none of them could ever work.
pub async fn start(crew: &mut Crew, config: Config, roles: &Roles, telemetry: &Telemetry, stop: &CancellationToken) -> anyhow::Result<()> {
    let config = Arc::new(config);
    let pools = stores::pools(&config)?;
    let probes = probes::router(telemetry.clone(), pools.as_ref().map(|pools| pools.writer.clone()));
    for role in Role::ALL {
        if !roles.has(role) {
            info!(role = role.as_str(), "this role is off in this process (--roles={roles})");
        }
    }
    if !roles.has(Role::Api) {
        let listener = listen(&config.telemetry.listen).await?;
        let (settings, telemetry, stop) = (config.http.clone(), telemetry.clone(), stop.clone());
        crew.spawn("probes", async move { Ok(http::serve(listener, probes, &settings, telemetry, stop).await?) });
    }
    Ok(())
}

async fn listen(address: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    info!(address = %listener.local_addr()?, "serving /health, /ready, /status and /metrics");
    Ok(listener)
}
