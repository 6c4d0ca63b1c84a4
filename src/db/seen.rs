//! Up to when accounts have seen their notifications.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::{column, execute};

/// Sets the marks of accounts, sorted; microseconds since 1970.
pub async fn put(client: &impl GenericClient, marks: &[(i32, i64)]) -> Result<u64, Error> {
    const SQL: &str = "-- seen::put
        INSERT INTO seen (account, time) SELECT * FROM UNNEST($1::int4[], $2::int8[])
        ON CONFLICT (account) DO UPDATE SET time = excluded.time";
    execute(client, SQL, &[&column(marks, |m| m.0), &column(marks, |m| m.1)]).await
}
