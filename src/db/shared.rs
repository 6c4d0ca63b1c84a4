//! Connections that several requests use at once. PostgreSQL answers the statements of a connection in their order and takes the next one in
//! while it answers: a page's statements go out together, and so do those of the pages beside it. Only for statements that stand for
//! themselves: a transaction, or anything else that a connection remembers, belongs on a connection of its own.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use deadpool_postgres::{Pool, PoolError};

use super::{Client, server};

/// More backends than this take turns on the cores without answering sooner.
const MOST: usize = 8;
/// Connections of a pool that are not shared: one that looks for changes, and one for `/status`.
pub const APART: usize = 2;
/// A connection is made anew after this time: its role and options are those of its beginning, and its plans only grow.
const AGE: Duration = Duration::from_hours(1);

/// Open connections, as many as are worth having.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: Pool,
    most: usize,
    open: Mutex<Vec<Arc<Connection>>>,
    /// One connection is opened at a time.
    opening: tokio::sync::Mutex<()>,
}

/// A connection that others may be using.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    since: Instant,
    server: SystemTime,
}

impl Connection {
    /// When the server behind it was started: two connections with the same are to the same server.
    #[must_use]
    pub fn server(&self) -> SystemTime {
        self.server
    }
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Shared {
    /// Takes its connections from `pool`, all but [`APART`], which are left to those who need one for themselves. Connects nowhere yet.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        let most = pool.status().max_size.saturating_sub(APART).clamp(1, MOST);
        Self(Arc::new(Inner { pool, most, open: Mutex::default(), opening: tokio::sync::Mutex::default() }))
    }

    /// The connection that fewest are using; another one is opened where all are in use and there may be more.
    ///
    /// # Errors
    /// There is none and none can be opened: the server is away, or has no place.
    pub async fn connection(&self) -> Result<Arc<Connection>, PoolError> {
        match self.least_used() {
            Some((connection, true)) => Ok(connection),
            // Whoever opens another one waits for it; the others go on with what there is.
            Some((connection, false)) => match self.0.opening.try_lock() {
                Ok(_guard) => Ok(self.open().await.unwrap_or(connection)),
                Err(_) => Ok(connection),
            },
            None => {
                let _guard = self.0.opening.lock().await;
                match self.least_used() {
                    Some((connection, _)) => Ok(connection),
                    None => self.open().await,
                }
            }
        }
    }

    /// The open connection that fewest are using, and whether another one would not help.
    fn least_used(&self) -> Option<(Arc<Connection>, bool)> {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|connection| !connection.client.is_closed() && connection.since.elapsed() < AGE);
        let enough = open.len() >= self.0.most;
        let least = open.iter().min_by_key(|connection| Arc::strong_count(connection))?;
        Some((Arc::clone(least), enough || Arc::strong_count(least) <= 2))
    }

    async fn open(&self) -> Result<Arc<Connection>, PoolError> {
        let (client, since) = (self.0.pool.get().await?, Instant::now());
        let server = server::started(&client).await.map_err(PoolError::Backend)?;
        let connection = Arc::new(Connection { client, since, server });
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&connection));
        Ok(connection)
    }
}
