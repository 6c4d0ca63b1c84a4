//! The api role: XRPC methods and web pages. It only reads: its connections cannot write, and it knows no others. What clients write is a command
//! for a worker.

pub mod commands;
mod failure;
mod generators;
mod ready;
mod rest;
mod web;
mod xrpc;

use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::info;

use self::commands::{Commands, DEADLINE};
use crate::atproto::Did;
use crate::config::Config;
use crate::db::pool::Pools;
use crate::http::{self, Router};
use crate::identity::Identities;
use crate::query::Store;
use crate::query::views::Urls;
use crate::queue::Queue;
use crate::telemetry::Telemetry;

/// What every handler needs.
#[derive(Debug)]
struct Api {
    store: Store,
    urls: Urls,
    identities: Arc<Identities>,
    telemetry: Telemetry,
    commands: Commands,
    /// DID and address of this service.
    did: Option<String>,
    address: String,
    auth: xrpc::auth::Auth,
    generators: generators::Generators,
    /// Whose labels count for requests that do not say whose they want.
    default_labelers: Vec<Did>,
}

/// Opens `http.host` and `http.port`.
///
/// # Errors
/// The address cannot be listened on.
pub async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    let (host, port) = (config.http.host.as_str(), config.http.port);
    TcpListener::bind((host, port)).await.with_context(|| format!("http.host, http.port: cannot listen on {host}:{port}"))
}

/// What the role works with.
#[derive(Debug)]
pub struct Means {
    pub pools: Pools,
    /// Takes what clients write; `None`: nothing can be written.
    pub queue: Option<Queue>,
    /// Shared with the worker of the same process, which learns first that a key or a handle has changed.
    pub identities: Arc<Identities>,
}

/// Serves until `shutdown`; `probes` are the routes that every process has (`/health`, `/ready`, `/status`, `/metrics`). A database that is
/// away is no reason to stop: reads answer 503 until it is back.
///
/// # Errors
/// The listener's address cannot be told.
pub async fn serve(
    listener: TcpListener,
    config: &Config,
    means: Means,
    telemetry: Telemetry,
    probes: Router,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let listen = listener.local_addr()?;
    telemetry.status().api(|api| api.listen = listen.to_string());
    let address = config.service.address(listen.port());
    let store = Store::new(means.pools.api, config.api.cache_bytes);
    let (commands, driver) = Commands::new(means.queue, store.clone(), telemetry.clone(), DEADLINE);
    let api = Arc::new(Api {
        commands,
        store,
        urls: Urls::new(&address, &config.service.video_url),
        identities: means.identities,
        telemetry: telemetry.clone(),
        did: config.service.did.clone(),
        address,
        auth: xrpc::auth::Auth::new(config),
        generators: generators::Generators::new(config),
        default_labelers: config.labels.default_labelers.iter().filter_map(|did| did.parse().ok()).collect(),
    });
    let router = xrpc::routes(&api).merge(rest::routes(&api)).merge(web::routes(&api)).merge(probes);
    info!(listen = %listen, "serving HTTP");
    let readiness = ready::watch(&api.store, &telemetry, &shutdown);
    let served = async { tokio::join!(http::serve(listener, router, &config.http, telemetry.clone(), shutdown.clone()), readiness).0 };
    // Requests that are being answered at the end may still wait for their commands.
    tokio::select! {
        served = served => Ok(served?),
        never = driver.run() => match never {},
    }
}
