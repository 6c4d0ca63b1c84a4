//! Pools of PostgreSQL connections: one for those who write, one for the API, which cannot. Every wait here has an end.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::{ConfigConnectImpl, Connect, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::warn;

use super::shared::APART;
use super::tls::{Tls, TlsSettingError};
use crate::config::database::Database;

/// The role that may only read; made by [`super::migrate::run`] where the server lets it.
pub const API_ROLE: &str = "appview_api";

/// A busy pool hands out a connection within this time, or the caller hears of it.
const WAIT: Duration = Duration::from_secs(5);
/// A server that accepts but does not answer is given up after this time.
const CREATE: Duration = Duration::from_secs(5);

/// Options of every connection: plans are made once for all parameters (a bucket's plan must not depend on the value), and compiling
/// them costs more than it gives.
const COMMON: &[&str] = &["jit=off", "plan_cache_mode=force_generic_plan"];

/// The writers'. `synchronous_commit = off` is safe since positions and rows commit together; whoever needs a durable commit asks for it
/// in the transaction. A holder of the apply lock that froze is cut off after 10 s. The plans: each statement is written for nested loops
/// over indexes, and a table that was analyzed while it was empty must not turn them around.
const WRITER: &[&str] = &[
    "synchronous_commit=off",
    "idle_in_transaction_session_timeout=10s",
    "statement_timeout=60s",
    "enable_seqscan=off",
    "enable_hashjoin=off",
    "enable_mergejoin=off",
    "enable_bitmapscan=off",
    "enable_material=off",
];

/// The API's. `enable_sort = off`: a generic plan otherwise sorts the whole range of a celebrity (38 -> 11,254 buffers).
const API: &[&str] = &[
    "default_transaction_read_only=on",
    "statement_timeout=10s",
    "idle_in_transaction_session_timeout=10s",
    "enable_sort=off",
    "enable_seqscan=off",
    "enable_hashjoin=off",
    "enable_mergejoin=off",
];

/// Why no pool could be made; a server that is away is none of these.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    #[error("no database.url is set")]
    NoUrl,
    #[error("database.url is no postgres:// address")]
    Url(#[source] Error),
    #[error("database.url asks for TLS that cannot be had")]
    Tls(#[from] TlsSettingError),
    #[error("no pool of connections")]
    Build(#[from] deadpool_postgres::BuildError),
}

/// The two pools of a process.
#[derive(Debug, Clone)]
pub struct Pools {
    /// For ingesting roles, commands and migrations.
    pub writer: Pool,
    /// For the api role: it cannot write.
    pub api: Pool,
}

impl Pools {
    /// Pools over `database.url` (and `database.api_url`); `pool_size` is shared out between them. Connects nowhere yet.
    ///
    /// # Errors
    /// Settings that can never lead to a connection.
    pub fn new(database: &Database) -> Result<Self, PoolError> {
        let url = database.url.as_deref().ok_or(PoolError::NoUrl)?;
        let half = (database.pool_size / 2).max(1);
        let api_size = database.pool_size.saturating_sub(half).max(APART + 1);
        let api = match &database.api_url {
            Some(own) => api(own, api_size, false)?,
            None => api(url, api_size, true)?,
        };
        Ok(Self { writer: writer(url, half)?, api })
    }
}

/// A pool for those who write.
///
/// # Errors
/// Settings that can never lead to a connection.
pub fn writer(url: &str, size: usize) -> Result<Pool, PoolError> {
    let (config, tls) = configure(url, "appviewd writer", WRITER)?;
    build(config, ConfigConnectImpl { tls }, size)
}

/// A pool that cannot write. `take_role`: switch to [`API_ROLE`] where the user of `url` may; the user of a `database.api_url` is left as
/// the operator made it.
///
/// # Errors
/// Settings that can never lead to a connection.
pub fn api(url: &str, size: usize, take_role: bool) -> Result<Pool, PoolError> {
    let (config, tls) = configure(url, "appviewd api", API)?;
    build(config, ApiConnect { inner: ConfigConnectImpl { tls }, take_role, warned: Arc::default() }, size)
}

fn configure(url: &str, name: &str, options: &[&str]) -> Result<(Config, MakeRustlsConnect), PoolError> {
    let (url, tls) = Tls::split(url)?;
    let mut config: Config = url.parse().map_err(PoolError::Url)?;
    let local = !config.get_hosts().is_empty() && config.get_hosts().iter().all(|h| matches!(h, Host::Unix(_)));
    config.ssl_mode(if local { SslMode::Disable } else { tls.mode });
    if config.get_application_name().is_none() {
        config.application_name(name);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CREATE);
    }
    config.keepalives_idle(Duration::from_secs(30)).tcp_user_timeout(Duration::from_secs(30));
    // The URL's own options come last and win.
    let own = config.get_options().unwrap_or_default().to_owned();
    let ours: Vec<_> = COMMON.iter().chain(options).map(|o| format!("-c {o}")).collect();
    config.options(format!("{} {own}", ours.join(" ")));
    Ok((config, tls.connector()?))
}

fn build(config: Config, connect: impl Connect + 'static, size: usize) -> Result<Pool, PoolError> {
    let manager = Manager::from_connect(config, connect, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    let builder = Pool::builder(manager).max_size(size).runtime(Runtime::Tokio1);
    Ok(builder.wait_timeout(Some(WAIT)).create_timeout(Some(CREATE)).recycle_timeout(Some(CREATE)).build()?)
}

type Connected<'a> = Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

/// Connects as [`API_ROLE`], or, where that is not possible, as the URL's user with read-only transactions, and says so once.
struct ApiConnect {
    inner: ConfigConnectImpl<MakeRustlsConnect>,
    take_role: bool,
    warned: Arc<AtomicBool>,
}

impl Connect for ApiConnect {
    fn connect(&self, config: &Config) -> Connected<'_> {
        let plain = config.clone();
        Box::pin(async move {
            if !self.take_role {
                return self.inner.connect(&plain).await;
            }
            let mut with_role = plain.clone();
            with_role.options(format!("{} -c role={API_ROLE}", plain.get_options().unwrap_or_default()));
            match self.inner.connect(&with_role).await {
                Err(error) if is_about_the_role(&error) => {
                    if !self.warned.swap(true, Ordering::Relaxed) {
                        let error = &error as &dyn std::error::Error;
                        warn!(error, "the API cannot take role {API_ROLE}; its transactions are read-only, which is weaker");
                    }
                    self.inner.connect(&plain).await
                }
                other => other,
            }
        })
    }
}

/// The role does not exist (yet), or the user is no member of it.
fn is_about_the_role(error: &Error) -> bool {
    const CODES: [&SqlState; 3] = [&SqlState::UNDEFINED_OBJECT, &SqlState::INSUFFICIENT_PRIVILEGE, &SqlState::INVALID_PARAMETER_VALUE];
    error.code().is_some_and(|code| CODES.contains(&code))
}
