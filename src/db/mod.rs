//! PostgreSQL: all SQL of the daemon. One file a table or subject, one function a query, slices in, rows out; never a decision about events.

use deadpool_postgres::GenericClient;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

pub mod meta;
pub mod migrate;
pub mod offset;
pub mod pool;
pub mod server;
mod tls;

pub use deadpool_postgres::{Client, Transaction};

type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Runs a prepared statement and reads its rows.
async fn query(client: &impl GenericClient, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Error> {
    let statement = client.prepare_cached(sql).await?;
    client.query(&statement, params).await
}

/// Runs a prepared statement; the number of rows it touched.
async fn execute(client: &impl GenericClient, sql: &str, params: Params<'_>) -> Result<u64, Error> {
    let statement = client.prepare_cached(sql).await?;
    client.execute(&statement, params).await
}
