//! What each statement costs the server, by its extension `pg_stat_statements`. For benchmarks: it takes some percent of the CPU.

use tokio_postgres::{Client, Error};

/// A kind of statement since the last [`forget`].
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// `module::function`, as its first line says.
    pub name: String,
    pub calls: i64,
    /// Milliseconds of execution, planning not included.
    pub milliseconds: f64,
    pub rows: i64,
    /// Pages of 8 KiB that were looked at.
    pub pages: i64,
}

/// Whether the server has loaded the extension; it is made known to the database then.
pub async fn begin(client: &Client) -> Result<bool, Error> {
    let row = client
        .query_one("-- statements::begin\nSELECT current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'", &[])
        .await?;
    let loaded = row.try_get(0)?;
    if loaded {
        client.batch_execute("-- statements::begin\nCREATE EXTENSION IF NOT EXISTS pg_stat_statements").await?;
    }
    Ok(loaded)
}

/// Has the server load the extension at its next start, or not any more.
///
/// # Errors
/// Those of the connection; also where the extension is not installed.
pub async fn load_at_next_start(client: &Client, yes: bool) -> Result<(), Error> {
    if !yes {
        return client.batch_execute("-- statements::load_at_next_start\nALTER SYSTEM RESET shared_preload_libraries").await;
    }
    // A server that is to load what is not there does not start.
    client.batch_execute("-- statements::load_at_next_start\nLOAD 'pg_stat_statements'").await?;
    client.batch_execute("-- statements::load_at_next_start\nALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'").await
}

/// Begins to count anew.
pub async fn forget(client: &Client) -> Result<(), Error> {
    client.batch_execute("-- statements::forget\nSELECT pg_stat_statements_reset()").await
}

/// The statements that took most of the time, first.
pub async fn most(client: &Client, limit: i64) -> Result<Vec<Statement>, Error> {
    let sql = "-- statements::most
        SELECT coalesce(substring(query FROM '^-- (\\S+)'), left(query, 60)), sum(calls)::int8, sum(total_exec_time), sum(rows)::int8,
          sum(shared_blks_hit + shared_blks_read)::int8
        FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND query NOT LIKE '-- statements::%'
        GROUP BY 1 ORDER BY 3 DESC LIMIT $1";
    let rows = client.query(sql, &[&limit]).await?;
    let statement = |row: &tokio_postgres::Row| {
        Ok(Statement {
            name: row.try_get(0)?,
            calls: row.try_get(1)?,
            milliseconds: row.try_get(2)?,
            rows: row.try_get(3)?,
            pages: row.try_get(4)?,
        })
    };
    rows.iter().map(statement).collect()
}
