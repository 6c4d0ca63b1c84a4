//! What the database weighs, for benchmarks. Reads whole tables: never for a daemon at work.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::query;

/// A table without its indexes, or an index of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    pub table: String,
    pub index: Option<String>,
    /// Bytes on disk, with what a table keeps beside its rows.
    pub bytes: i64,
}

/// All tables and indexes of the schema, by table, each table before its indexes.
pub async fn relations(client: &impl GenericClient) -> Result<Vec<Relation>, Error> {
    const SQL: &str = "-- size::relations
        SELECT t.relname::text, NULL::text, pg_table_size(t.relid) FROM pg_stat_user_tables t
        UNION ALL
        SELECT i.relname::text, i.indexrelname::text, pg_relation_size(i.indexrelid) FROM pg_stat_user_indexes i
        ORDER BY 1, 2 NULLS FIRST";
    let rows = query(client, SQL, &[]).await?;
    rows.iter().map(|row| Ok(Relation { table: row.try_get(0)?, index: row.try_get(1)?, bytes: row.try_get(2)? })).collect()
}

/// Rows of a table, all of them counted. `table` is a name that [`relations`] gave.
pub async fn rows(client: &impl GenericClient, table: &str) -> Result<i64, Error> {
    let sql = format!("-- size::rows\nSELECT count(*) FROM \"{}\"", table.replace('"', "\"\""));
    client.query_one(&sql, &[]).await?.try_get(0)
}

/// Makes an empty database, in place of one of this name.
pub async fn create_database(client: &tokio_postgres::Client, name: &str) -> Result<(), Error> {
    let quoted = name.replace('"', "\"\"");
    client.batch_execute(&format!("-- size::create_database\nDROP DATABASE IF EXISTS \"{quoted}\"")).await?;
    client.batch_execute(&format!("-- size::create_database\nCREATE DATABASE \"{quoted}\"")).await
}

/// Bytes of write-ahead log ever written.
pub async fn wal(client: &impl GenericClient) -> Result<i64, Error> {
    const SQL: &str = "-- size::wal
        SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8";
    query(client, SQL, &[]).await?.first().map_or(Ok(0), |row| row.try_get(0))
}

/// Process id of the server's process behind this connection, on the server's machine.
pub async fn backend(client: &impl GenericClient) -> Result<i32, Error> {
    const SQL: &str = "-- size::backend
        SELECT pg_backend_pid()";
    query(client, SQL, &[]).await?.first().map_or(Ok(0), |row| row.try_get(0))
}

/// What the server has done in this database so far. Its processes tell with up to a second's delay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activity {
    /// Transactions: as many as statements where each stands for itself.
    pub transactions: i64,
    /// Pages of 8 KiB found in shared buffers.
    pub hits: i64,
    /// Pages asked of the operating system.
    pub reads: i64,
}

/// The activity of the database that `client` is connected to.
pub async fn activity(client: &impl GenericClient) -> Result<Activity, Error> {
    const SQL: &str = "-- size::activity
        SELECT xact_commit + xact_rollback, blks_hit, blks_read FROM pg_stat_database WHERE datname = current_database()";
    let rows = query(client, SQL, &[]).await?;
    let row = |row: &tokio_postgres::Row| Ok(Activity { transactions: row.try_get(0)?, hits: row.try_get(1)?, reads: row.try_get(2)? });
    rows.first().map_or_else(|| Ok(Activity::default()), row)
}
