//! What was changed until now, asked for at the beginning of each request; of many that begin at once one asks for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use deadpool_postgres::Pool;
use tokio::sync::Mutex;
use tracing::debug;

use super::{Cache, Stamp};
use crate::db::Client;
use crate::db::change::{self, Changed, Mark};
use crate::query::QueryError;

/// From this many rows of changes at once on they are not gone through: everything is forgotten.
const MOST: i64 = 20_000;
/// A look that takes longer is given up. Its requests do without what is remembered.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far the changes were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub stamp: Stamp,
    /// Start of the server that told; what another one says is not to be remembered with it.
    pub server: SystemTime,
}

/// The changes of a database.
#[derive(Debug)]
pub struct News {
    cache: Arc<Cache>,
    pool: Pool,
    /// Looks that have begun.
    begun: AtomicU64,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// A connection for nothing else, so that no page is in the way.
    client: Option<Client>,
    /// Up to where.
    mark: Option<Mark>,
    /// The last look by its number, and what it gave; `None`: it failed.
    number: u64,
    look: Option<Look>,
}

impl News {
    /// Of what `cache` remembers; takes one connection of `pool` for good.
    #[must_use]
    pub fn new(cache: Arc<Cache>, pool: Pool) -> Self {
        Self { cache, pool, begun: AtomicU64::new(0), seen: Mutex::default() }
    }

    /// Has everything forgotten that was changed before this was called; `None`: the database did not tell, and nothing that is remembered
    /// may be used.
    pub async fn catch_up(&self) -> Option<Look> {
        let before = self.begun.load(Ordering::SeqCst);
        let mut seen = self.seen.lock().await;
        // A look that began after this was called has told everything.
        if seen.number > before {
            return seen.look;
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let looked = tokio::time::timeout(PATIENCE, self.look(&mut seen)).await;
        seen.number = number;
        seen.look = match looked {
            Ok(Ok(look)) => Some(look),
            Ok(Err(error)) => {
                debug!(error = &error as &dyn std::error::Error, "changes cannot be read: requests do without what is remembered");
                seen.client = None;
                None
            }
            Err(_) => {
                seen.client = None;
                None
            }
        };
        seen.look
    }

    async fn look(&self, seen: &mut Seen) -> Result<Look, QueryError> {
        let client = match seen.client.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.pool.get().await?,
        };
        let client = seen.client.insert(client);
        let (changed, now) = match &seen.mark {
            Some(mark) => change::since(client, mark, MOST).await?,
            None => (None, change::mark(client).await?),
        };
        let server = now.server();
        seen.mark = Some(now);
        Ok(Look { stamp: self.forget(changed), server })
    }

    /// `None`: it is not known what was changed.
    fn forget(&self, changed: Option<Vec<Changed>>) -> Stamp {
        changed.map_or_else(|| self.cache.clear(), |changed| self.cache.forget(&changed))
    }
}
