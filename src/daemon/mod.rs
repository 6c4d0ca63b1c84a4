//! The process: assembles the roles that were asked for, supervises them, and stops them in order.
//!
//! The only place that knows every role. No role may know this module.

pub mod bench;
pub mod commands;
mod crew;
mod embedded;
mod heartbeat;
mod lock;
mod notify;
mod probes;
mod role;
mod roles;
mod signals;
mod signing_key;
mod stores;

use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::crew::Crew;
use self::embedded::Servers;
pub use self::role::{Role, Roles};
use self::signals::Signals;
use crate::config::{self, Config, Sources};
use crate::telemetry::{Telemetry, logs};

/// A stop has 25 s in all: the roles this long, the embedded servers the rest (5 s each, of which they rarely need one).
const DRAIN: Duration = Duration::from_secs(15);
/// After a second signal: enough for the embedded servers to be told, not waited for.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Runs the roles until a stop is asked for. `Err` with [`config::Problems`] = wrong usage or configuration.
pub fn run(sources: &Sources, roles: &Roles) -> anyhow::Result<()> {
    let loaded = config::load(sources)?;
    stores::check(&loaded.config, roles)?;
    log(&loaded.config.log)?;
    info!(version = env!("CARGO_PKG_VERSION"), roles = %roles, "appviewd starts");
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    let runtime = runtime()?;
    let outcome = runtime.block_on(live(loaded.config, roles));
    runtime.shutdown_background();
    match &outcome {
        Ok(()) => info!("appviewd has stopped"),
        Err(cause) => tracing::error!(error = format!("{cause:#}"), "appviewd ends"),
    }
    outcome
}

/// Begins the log of this process.
fn log(options: &config::log::Log) -> anyhow::Result<()> {
    let format = match options.format {
        config::log::Format::Human => logs::Format::Human,
        config::log::Format::Json => logs::Format::Json,
    };
    Ok(logs::init(&options.level, format)?)
}

/// The one runtime of the process.
fn runtime() -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime for tasks")
}

/// From start to stop, with the signals: the first asks for a stop, the second ends the process at once.
async fn live(config: Config, roles: &Roles) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let telemetry = Telemetry::new(&roles.names());
    let (stop, abandon) = (CancellationToken::new(), CancellationToken::new());
    let mut work = pin!(work(config, roles, telemetry.clone(), stop.clone(), abandon.clone()));
    tokio::select! {
        outcome = &mut work => return outcome,
        name = signals.next() => info!(signal = name, "a stop was asked for; a second signal ends the process at once"),
    }
    telemetry.status().stopping();
    notify::stopping();
    stop.cancel();
    tokio::select! {
        outcome = &mut work => outcome,
        name = signals.next() => {
            warn!(signal = name, "second signal: nothing more is waited for");
            abandon.cancel();
            tokio::time::sleep(LAST_WORDS).await;
            bail!("ended by a second signal")
        }
    }
}

/// The embedded servers around the roles: they start first and stop last, whatever happens in between.
async fn work(
    mut config: Config,
    roles: &Roles,
    telemetry: Telemetry,
    stop: CancellationToken,
    abandon: CancellationToken,
) -> anyhow::Result<()> {
    let mut servers: Option<Servers> = None;
    let embedded = stop.run_until_cancelled(stores::embed(&mut config, roles, &telemetry, &mut servers, abandon)).await;
    let outcome = match embedded {
        None => Ok(()),
        Some(Err(cause)) => Err(cause),
        Some(Ok(())) => on_duty(config, roles, telemetry, stop).await,
    };
    if let Some(servers) = servers {
        servers.stop().await;
    }
    outcome
}

/// The roles and what every process has besides, until the stop.
async fn on_duty(config: Config, roles: &Roles, telemetry: Telemetry, stop: CancellationToken) -> anyhow::Result<()> {
    let mut crew = Crew::new(stop.clone());
    crew.spawn("watchdog", {
        let stop = stop.clone();
        async move {
            notify::watchdog(stop).await;
            Ok(())
        }
    });
    roles::start(&mut crew, config, roles, &telemetry, &stop).await?;
    notify::ready();
    crew.run(DRAIN).await
}
