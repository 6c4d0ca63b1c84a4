//! Which PostgreSQL answers: ids learnt from one server mean nothing on another, nor on one that was set back.

use std::sync::{Arc, Weak};
use std::time::SystemTime;

use deadpool_postgres::StatementCache;
use tokio_postgres::{Client, Error};

/// A server as far as its sequences can be trusted to have gone only forward: it changes when the server is another cluster, was promoted,
/// or was started again (and may have lost its last commits).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub system: i64,
    pub timeline: i32,
    pub started: SystemTime,
}

/// The identity of the server behind `client`.
///
/// # Errors
/// Those of the connection.
pub async fn identity(client: &Client) -> Result<Identity, Error> {
    let sql = "-- server::identity
        SELECT s.system_identifier, c.timeline_id, pg_postmaster_start_time()
        FROM pg_control_system() s, pg_control_checkpoint() c";
    let row = client.query_one(sql, &[]).await?;
    Ok(Identity { system: row.try_get(0)?, timeline: row.try_get(1)?, started: row.try_get(2)? })
}

/// When the server behind `client` was started: another time, another server, or one that may have lost its last commits.
///
/// # Errors
/// Those of the connection.
pub async fn started(client: &Client) -> Result<SystemTime, Error> {
    let sql = "-- server::started
        SELECT pg_postmaster_start_time()";
    client.query_one(sql, &[]).await?.try_get(0)
}

/// A pooled connection, known again as long as it lives: told apart by its cache of statements, of which each has one of its own.
#[derive(Debug)]
pub struct Connection(Weak<StatementCache>);

impl Connection {
    /// The connection behind `client`.
    #[must_use]
    pub fn of(client: &super::Client) -> Self {
        Self(Arc::downgrade(&client.statement_cache))
    }

    /// Whether it is the one behind `client`.
    #[must_use]
    pub fn is(&self, client: &super::Client) -> bool {
        self.0.as_ptr() == Arc::as_ptr(&client.statement_cache)
    }

    /// Whether its pool still holds it.
    #[must_use]
    pub fn lives(&self) -> bool {
        self.0.strong_count() > 0
    }
}
