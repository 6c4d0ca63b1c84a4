//! Where Redis and PostgreSQL are: at the addresses of the config, or embedded where a process does everything and none is set.

use std::time::Duration;

use anyhow::Context as _;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::embedded::Servers;
use super::role::{Role, Roles};
use crate::config::{Config, Problems};
use crate::db::migrate::{self, MigrateError};
use crate::db::pool::{self, Pools};
use crate::telemetry::Telemetry;

/// Pauses between attempts to reach a PostgreSQL that is away, doubled each time.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Refuses roles that stand on a server that is neither named nor ours to run: only a process with all roles runs its own.
pub fn check(config: &Config, roles: &Roles) -> Result<(), Problems> {
    if roles.are_all() {
        return Ok(());
    }
    let lacks = |needs: fn(Role) -> bool, url: &Option<String>| url.is_none() && roles.iter().any(needs);
    let mut problems = Vec::new();
    if lacks(Role::needs_redis, &config.redis.url) {
        problems.push(format!("--roles={roles}: set REDIS_URL (redis.url); only a daemon that runs all roles keeps a Redis of its own"));
    }
    if lacks(Role::needs_postgres, &config.database.url) {
        problems.push(format!(
            "--roles={roles}: set DATABASE_URL (database.url); only a daemon that runs all roles keeps a PostgreSQL of its own"
        ));
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

/// Starts the servers that no address is set for, and puts theirs into the config. `None` = both are someone else's.
pub async fn embed(
    config: &mut Config,
    roles: &Roles,
    telemetry: &Telemetry,
    servers: &mut Option<Servers>,
    abandon: CancellationToken,
) -> anyhow::Result<()> {
    let redis = config.redis.url.is_none() && roles.iter().any(Role::needs_redis);
    let postgres = config.database.url.is_none() && roles.iter().any(Role::needs_postgres);
    if !redis && !postgres {
        return Ok(());
    }
    let servers = servers.insert(Servers::new(&config.data_dir, telemetry.clone(), abandon)?);
    if redis {
        config.redis.url = Some(servers.start_redis().await?);
    }
    if postgres {
        config.database.url = Some(servers.start_postgres(config.database.pool_size).await?);
    }
    Ok(())
}

/// The pools over `database.url`, or `None` where none is known.
pub fn pools(config: &Config) -> anyhow::Result<Option<Pools>> {
    if config.database.url.is_none() {
        return Ok(None);
    }
    Ok(Some(Pools::new(&config.database)?))
}

/// Where PostgreSQL is, once that is known.
pub fn database_url(config: &Config) -> anyhow::Result<&str> {
    config.database.url.as_deref().context("no database.url is set")
}

/// Brings the schema up to this binary; waits for a server that is away, gives up on a database that is newer.
pub async fn migrate(config: &Config) -> anyhow::Result<()> {
    let pool = pool::writer(database_url(config)?, 1)?;
    let mut pause = PAUSE;
    loop {
        match migrate::with_pool(&pool).await {
            Ok(status) => {
                info!(version = status.database, "schema is up to date");
                return Ok(());
            }
            Err(error @ (MigrateError::Pool(_) | MigrateError::Database(_) | MigrateError::Interrupted(_))) => {
                warn!(error = format!("{:#}", anyhow::Error::from(error)), again_in_ms = pause.as_millis(), "cannot migrate yet");
            }
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
