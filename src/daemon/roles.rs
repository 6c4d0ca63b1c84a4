//! Who starts with what: one match on the roles, and what every process has besides them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::crew::Crew;
use super::role::{Role, Roles};
use super::{heartbeat, probes, signing_key, stores};
use crate::config::{Config, without_password};
use crate::db::pool::Pools;
use crate::identity::Identities;
use crate::queue::Queue;
use crate::telemetry::Telemetry;
use crate::{api, http, ingest, worker};

/// Pauses between attempts to reach a Redis that is away, doubled each time.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long the api waits for the schema (and its own database role, which comes with it) where a worker of this process brings it. It
/// serves without, when a store is away at the start.
const SCHEMA_WAIT: Duration = Duration::from_secs(2);

/// What roles are given.
#[derive(Debug, Clone)]
struct Means {
    config: Arc<Config>,
    telemetry: Telemetry,
    stop: CancellationToken,
    /// What is known of accounts, for all roles.
    identities: Arc<Identities>,
    /// Cancelled once a worker of this process has brought the schema up to date.
    migrated: CancellationToken,
}

/// Starts the roles as tasks of the crew, in their order; fails only where settings could never work.
pub async fn start(
    crew: &mut Crew,
    mut config: Config,
    roles: &Roles,
    telemetry: &Telemetry,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let process = config.worker.process_name(port(&config, roles));
    config.worker.consumer_id = Some(process.clone());
    // Tokens are of somebody: without a DID there is nobody to sign as.
    if roles.has(Role::Api) && config.service.did.is_some() && config.service.signing_key.is_none() {
        config.service.signing_key = Some(signing_key::of(&config.data_dir)?);
    }
    let means = Means {
        identities: Arc::new(Identities::new(&config, telemetry)),
        config: Arc::new(config),
        telemetry: telemetry.clone(),
        stop: stop.clone(),
        migrated: CancellationToken::new(),
    };
    let pools = stores::pools(&means.config)?;
    let probes = probes::router(telemetry.clone(), pools.as_ref().map(|pools| pools.api.clone()));
    if !roles.has(Role::Api) {
        let listener = listen(&means.config.telemetry.listen).await?;
        let (means, probes) = (means.clone(), probes.clone());
        crew.spawn("probes", async move { Ok(http::serve(listener, probes, &means.config.http, means.telemetry, means.stop).await?) });
    }
    // The worker writes the row of its process itself, in the transaction that makes its offsets durable.
    if let Some(pools) = pools.clone().filter(|_| !roles.has(Role::Worker)) {
        let (telemetry, stop) = (telemetry.clone(), stop.clone());
        crew.spawn("heartbeat", heartbeat::run(pools.writer, process, telemetry, stop));
    }
    for role in Role::ALL {
        if !roles.has(role) {
            info!(role = role.as_str(), "{role} is off in this process (--roles={roles})");
            continue;
        }
        let means = means.clone();
        let need_pools = || pools.clone().context("no database.url is set");
        match role {
            Role::Ingest => {
                crew.spawn("labels", run_labels(means.clone()));
                crew.spawn("ingest", run_ingest(means));
            }
            Role::Worker => crew.spawn("worker", run_worker(means, need_pools()?)),
            Role::Api => crew.spawn("api", run_api(means, roles.has(Role::Worker), need_pools()?, probes.clone())),
        }
    }
    Ok(())
}

/// The port of `/status`, which no other process of this host has.
fn port(config: &Config, roles: &Roles) -> u16 {
    let listen = || config.telemetry.listen.parse().map_or(0, |address: SocketAddr| address.port());
    if roles.has(Role::Api) { config.http.port } else { listen() }
}

async fn run_ingest(means: Means) -> anyhow::Result<()> {
    let Some(queue) = connect(&means).await? else { return Ok(()) };
    ingest::run(means.config, queue, means.telemetry, means.stop).await
}

/// A part of the ingest role that the relay's events never wait for.
async fn run_labels(means: Means) -> anyhow::Result<()> {
    let queue = queue(&means.config).context("no redis.url is set")?;
    ingest::labels::run(means.config, queue, means.identities, means.telemetry, means.stop).await
}

async fn run_worker(means: Means, pools: Pools) -> anyhow::Result<()> {
    let Some(queue) = connect(&means).await? else { return Ok(()) };
    let connections = means.config.database.pool_size;
    info!(connections, "creating PostgreSQL pool with {connections} connections");
    let Some(migrated) = means.stop.run_until_cancelled(stores::migrate(&means.config)).await else { return Ok(()) };
    migrated?;
    means.migrated.cancel();
    // Connections from before the migration may lack the api's role.
    pools.api.retain(|_, _| false);
    info!("PostgreSQL pool created");
    worker::run(means.config, queue, pools.writer, means.identities, means.telemetry, means.stop).await
}

async fn run_api(means: Means, beside_worker: bool, pools: Pools, probes: http::Router) -> anyhow::Result<()> {
    let listener = api::listen(&means.config).await?;
    if beside_worker {
        let schema = tokio::time::timeout(SCHEMA_WAIT, means.migrated.cancelled());
        let _ = means.stop.run_until_cancelled(schema).await;
    }
    let queue = queue(&means.config);
    if queue.is_none() {
        warn!("no redis.url is set: what clients write (mutes, seen marks, takedowns) is refused");
    }
    let served = api::Means { pools, queue, identities: means.identities };
    api::serve(listener, &means.config, served, means.telemetry, probes, means.stop).await
}

/// A handle on the queue, which connects at its first use; `None` where no Redis is named.
fn queue(config: &Config) -> Option<Queue> {
    config.redis.url.as_deref().map(|url| Queue::new(url, &config.queue.key, &config.queue.group))
}

/// The queue, once Redis has answered; `None` where a stop was asked for before it did.
async fn connect(means: &Means) -> anyhow::Result<Option<Queue>> {
    let queue = queue(&means.config).context("no redis.url is set")?;
    info!("connecting to Redis at {}", means.config.redis.url.as_deref().map(without_password).unwrap_or_default());
    let mut pause = PAUSE;
    let connected = async {
        while let Err(error) = queue.ping().await {
            warn!(%error, again_in_ms = pause.as_millis(), "Redis does not answer");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        info!("connected to Redis");
    };
    Ok(means.stop.run_until_cancelled(connected).await.map(|()| queue))
}

async fn listen(address: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("telemetry.listen: cannot listen on {address}"))?;
    info!(address = %listener.local_addr()?, "serving /health, /ready, /status and /metrics");
    Ok(listener)
}
