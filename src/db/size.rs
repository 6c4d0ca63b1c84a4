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
