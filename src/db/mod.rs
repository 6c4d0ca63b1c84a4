//! PostgreSQL: all SQL of the daemon. One file a table or subject, one function a query, slices in, rows out; never a decision about events.

use deadpool_postgres::GenericClient;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

pub mod account;
pub mod alias;
pub mod bucket;
pub mod bulk;
pub mod change;
pub mod collection;
pub mod command;
pub mod dead_letter;
pub mod edge;
pub mod gap;
pub mod heartbeat;
pub mod identity;
pub mod label;
pub mod labeler;
pub mod lease;
pub mod lock;
pub mod meta;
pub mod migrate;
pub mod mute;
pub mod notif;
pub mod offset;
pub mod pack_join;
pub mod passing;
pub mod pending;
pub mod pool;
pub mod post;
pub mod postgate;
pub mod purge;
pub mod read;
pub mod record;
pub mod reindex;
pub mod reject;
pub mod repo;
pub mod search;
pub mod seen;
pub mod server;
pub mod shared;
pub mod size;
pub mod stat;
pub mod statements;
pub mod takedown;
pub mod threadgate;
pub mod verifier;

mod block;
mod follow;
mod like;
mod listblock;
mod listitem;
mod repost;
mod tls;
mod verification;

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

/// One column of rows, as the array that UNNEST takes.
fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// The rows read into values.
fn read<T>(rows: &[Row], value: impl Fn(&Row) -> Result<T, Error>) -> Result<Vec<T>, Error> {
    rows.iter().map(value).collect()
}
