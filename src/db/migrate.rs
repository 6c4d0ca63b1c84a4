//! Brings the database to the schema of this binary: embedded migrations, each in a transaction, by one host at a time. Never touches a
//! database that a newer binary has migrated.

use std::time::Instant;

use deadpool_postgres::{Object, Pool};
use refinery::Target;
use refinery::error::Kind;
use tokio_postgres::Client;
use tracing::{info, warn};

use super::passing::is_passing;
use super::pool::API_ROLE;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Oldest PostgreSQL whose features are used.
const LEAST_SERVER: i32 = 15;

/// The advisory lock of migrations ("appview" and a number, as two halves).
const LOCK: i64 = 0x6170_7076_6965_7701;

/// How the schema of a database stands to this binary's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Version of the last migration that was applied; 0 = none.
    pub database: i32,
    /// Version of the last migration in this binary.
    pub binary: i32,
    /// Migrations to be applied, as `V2__name`.
    pub pending: Vec<String>,
}

/// Why the database was not migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error(
        "the database has schema version {database}, this appviewd knows versions up to {binary}: start the newer appviewd that migrated it, \
         or restore a backup from before"
    )]
    Newer { database: i32, binary: i32 },
    #[error("the database's encoding is {0}, it must be UTF8: create it with ENCODING 'UTF8' TEMPLATE template0")]
    Encoding(String),
    #[error("PostgreSQL {0} is too old, {LEAST_SERVER} or later is needed")]
    Server(String),
    #[error("a migration failed")]
    Refinery(#[source] refinery::Error),
    /// The server went away or is short of something: the migration was rolled back, and the next attempt may succeed.
    #[error("the database could not finish a migration")]
    Interrupted(#[source] refinery::Error),
    #[error("the database did not answer while it was being migrated")]
    Database(#[from] tokio_postgres::Error),
    #[error("no connection to migrate the database over")]
    Pool(#[from] deadpool_postgres::PoolError),
}

impl From<refinery::Error> for MigrateError {
    fn from(error: refinery::Error) -> Self {
        let is_passing = cause(&error).is_some_and(is_passing);
        if is_passing { Self::Interrupted(error) } else { Self::Refinery(error) }
    }
}

/// What the server or the connection said; refinery wraps its own errors once more.
fn cause(error: &refinery::Error) -> Option<&tokio_postgres::Error> {
    match error.kind() {
        Kind::Connection(_, inner) => inner.downcast_ref().or_else(|| inner.downcast_ref().and_then(cause)),
        _ => None,
    }
}

/// Migrates over a connection taken out of `pool`, which ends afterwards: so does its lock, whatever happens.
///
/// # Errors
/// See [`MigrateError`].
pub async fn with_pool(pool: &Pool) -> Result<Status, MigrateError> {
    let mut client = Object::take(pool.get().await?);
    run(&mut client).await
}

/// Applies what is pending, then makes the API's role where the user may. Several hosts may call it at once: they wait for each other.
/// A statement may take as long as it takes, but a process that froze loses its session, and the lock with it, after a minute.
/// The lock is the session's; a caller that may be cancelled gives it a connection of its own, as [`with_pool`] does.
///
/// # Errors
/// See [`MigrateError`].
pub async fn run(client: &mut Client) -> Result<Status, MigrateError> {
    check_server(client).await?;
    client
        .batch_execute(
            "-- migrate::run\nSET statement_timeout = 0; SET synchronous_commit = on;
             SET idle_session_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'",
        )
        .await?;
    let outcome = locked(client).await;
    // A connection that broke has let the lock go by itself.
    let reset = "-- migrate::run\nRESET statement_timeout; RESET synchronous_commit; RESET idle_session_timeout; RESET idle_in_transaction_session_timeout";
    if !client.is_closed() {
        client.execute("-- migrate::run\nSELECT pg_advisory_unlock($1)", &[&LOCK]).await?;
        client.batch_execute(reset).await?;
    }
    outcome
}

/// How the database stands, changing nothing.
///
/// # Errors
/// Those of the connection.
pub async fn status(client: &Client) -> Result<Status, MigrateError> {
    let known = client.query_one("-- migrate::status\nSELECT to_regclass('refinery_schema_history') IS NOT NULL", &[]).await?;
    let database = if known.try_get(0)? {
        client.query_one("-- migrate::status\nSELECT coalesce(max(version), 0) FROM refinery_schema_history", &[]).await?.try_get(0)?
    } else {
        0
    };
    let runner = embedded::migrations::runner();
    let binary = runner.get_migrations().iter().map(refinery::Migration::version).max().unwrap_or(0);
    let mut pending: Vec<_> = runner.get_migrations().iter().filter(|m| m.version() > database).collect();
    pending.sort();
    Ok(Status { database, binary, pending: pending.into_iter().map(ToString::to_string).collect() })
}

async fn check_server(client: &Client) -> Result<(), MigrateError> {
    let sql = "-- migrate::check_server
        SELECT current_setting('server_encoding'), current_setting('server_version'), current_setting('server_version_num')::int4 / 10000";
    let row = client.query_one(sql, &[]).await?;
    if row.try_get::<_, i32>(2)? < LEAST_SERVER {
        return Err(MigrateError::Server(row.try_get(1)?));
    }
    let encoding: String = row.try_get(0)?;
    if encoding == "UTF8" { Ok(()) } else { Err(MigrateError::Encoding(encoding)) }
}

async fn locked(client: &mut Client) -> Result<Status, MigrateError> {
    let free = client.query_one("-- migrate::locked\nSELECT pg_try_advisory_lock($1)", &[&LOCK]).await?;
    if !free.try_get::<_, bool>(0)? {
        info!("another process migrates the database; waiting for it");
        client.execute("-- migrate::locked\nSELECT pg_advisory_lock($1)", &[&LOCK]).await?;
    }
    let before = status(client).await?;
    if before.database > before.binary {
        return Err(MigrateError::Newer { database: before.database, binary: before.binary });
    }
    let runner = embedded::migrations::runner();
    let mut versions: Vec<_> = runner.get_migrations().iter().map(refinery::Migration::version).collect();
    versions.sort_unstable();
    if before.pending.is_empty() {
        // Applied migrations are still compared with the embedded ones.
        runner.run_async(client).await?;
    }
    for version in versions.into_iter().filter(|v| *v > before.database) {
        apply_up_to(version, client).await?;
    }
    make_api_role(client).await;
    status(client).await
}

async fn apply_up_to(version: i32, client: &mut Client) -> Result<(), MigrateError> {
    let started = Instant::now();
    let report = embedded::migrations::runner().set_target(Target::Version(version)).run_async(client).await?;
    for migration in report.applied_migrations() {
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        info!(migration = %migration, duration_ms, "migration applied");
    }
    Ok(())
}

/// Makes the role that may only read and lets it read every table, also those to come. A user who may not is no failure: the API then
/// falls back to read-only transactions.
async fn make_api_role(client: &Client) {
    let sql = format!(
        "-- migrate::make_api_role
        DO $$ BEGIN
          IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{API_ROLE}') THEN
            BEGIN
              CREATE ROLE {API_ROLE} NOLOGIN;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
          END IF;
          IF NOT pg_has_role(current_user, '{API_ROLE}', 'MEMBER') THEN
            EXECUTE format('GRANT {API_ROLE} TO %I', current_user);
          END IF;
          EXECUTE format('GRANT USAGE ON SCHEMA %I TO {API_ROLE}', current_schema());
          EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO {API_ROLE}', current_schema());
        END $$"
    );
    if let Err(error) = client.batch_execute(&sql).await {
        let error = &error as &dyn std::error::Error;
        warn!(error, "role {API_ROLE} could not be made");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_a_gap() {
        let mut versions: Vec<_> = embedded::migrations::runner().get_migrations().iter().map(refinery::Migration::version).collect();
        versions.sort_unstable();
        assert_eq!(versions, (1..=i32::try_from(versions.len()).unwrap()).collect::<Vec<_>>());
    }
}
