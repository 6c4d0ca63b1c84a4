//! The read side: a request becomes a view. First the skeleton (which records, in what order, and the cursor), then hydration (all that is
//! shown of them, one statement a kind), then the view. Never one statement an item, never a write.

mod audience;
mod cache;
mod cursor;
mod gates;
pub mod hydrate;
mod maps;
pub mod names;
pub mod profile;
pub mod record;
mod rules;
pub mod search;
pub mod skeleton;
mod source;
pub mod thread;
pub mod viewer;
pub mod views;

pub use audience::{Audience, Labelers};
pub use cache::Look;
pub use cursor::{Cursor, CursorError};
pub use source::Source;

use std::sync::Arc;

use deadpool_postgres::Pool;

use self::cache::{Cache, News};
use crate::collection::PackError;
use crate::db::meta;
use crate::db::passing::is_passing;
use crate::db::read::process::{self, Process};
use crate::db::shared::{Connection, Shared};

/// Why a read gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// All connections are taken, or the server is away.
    #[error("no connection to the database")]
    Pool(#[from] deadpool_postgres::PoolError),
    #[error("a statement failed")]
    Database(#[from] tokio_postgres::Error),
    /// What is stored is not what was written.
    #[error("a stored record cannot be unpacked")]
    Packed(#[from] PackError),
    /// The same, found when it was to be written as JSON.
    #[error("a stored record is no DAG-CBOR")]
    Json(#[source] serde_json::Error),
}

impl QueryError {
    /// Whether the same request can succeed in a moment: the connection was the problem, not the statement.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Pool(_) => true,
            Self::Database(error) => is_passing(error),
            Self::Packed(_) | Self::Json(_) => false,
        }
    }
}

/// Where reads go: connections that cannot write.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Shared,
    cache: Arc<Cache>,
    news: Arc<News>,
}

impl Store {
    /// Takes its connections from `pool`; remembers up to about `cache_bytes` of what it read.
    #[must_use]
    pub fn new(pool: Pool, cache_bytes: u64) -> Self {
        let cache = Arc::new(Cache::new(cache_bytes));
        Self { shared: Shared::new(pool.clone()), news: Arc::new(News::new(Arc::clone(&cache), pool)), cache }
    }

    /// A connection for one request, which others use as well; its statements may be sent at once.
    ///
    /// # Errors
    /// The server is away.
    pub async fn connection(&self) -> Result<Arc<Connection>, QueryError> {
        Ok(self.shared.connection().await?)
    }

    /// How far what was changed is known, so that nothing older than this call is shown; `None`: nothing that is remembered may be.
    pub async fn look(&self) -> Option<Look> {
        self.news.catch_up().await
    }

    /// Where a request reads from that looked after it had come.
    #[must_use]
    pub fn source(&self, connection: Arc<Connection>, look: Option<Look>) -> Source {
        Source::new(connection, &self.cache, look)
    }

    /// Bytes of what is remembered, about.
    #[must_use]
    pub fn remembered_bytes(&self) -> u64 {
        self.cache.bytes()
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), QueryError> {
        let client = self.connection().await?;
        meta::get(&client, "partitions").await?;
        Ok(())
    }

    /// The processes of this installation, as each last said of itself.
    ///
    /// # Errors
    /// The database's.
    pub async fn processes(&self) -> Result<Vec<Process>, QueryError> {
        Ok(process::alive(&**self.connection().await?).await?)
    }
}
