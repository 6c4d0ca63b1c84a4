//! Table `meta`: what this database was made for, fixed at first start, and how far it was brought after the code.

use tokio_postgres::{Client, Error};

/// The value of `key`, if it was ever set.
///
/// # Errors
/// Those of the connection.
pub async fn get(client: &Client, key: &str) -> Result<Option<String>, Error> {
    let row = client.query_opt("-- meta::get\nSELECT value FROM meta WHERE key = $1", &[&key]).await?;
    row.map(|row| row.try_get(0)).transpose()
}

/// Sets `key` where it has no value; the value that holds now, for the caller to compare.
///
/// # Errors
/// Those of the connection.
pub async fn insert_or_get(client: &Client, key: &str, value: &str) -> Result<String, Error> {
    let sql = "-- meta::insert_or_get
        INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = meta.value RETURNING value";
    client.query_one(sql, &[&key, &value]).await?.try_get(0)
}

/// Sets `key`, whatever it was.
///
/// # Errors
/// Those of the connection.
pub async fn set(client: &Client, key: &str, value: &str) -> Result<(), Error> {
    let sql = "-- meta::set
        INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    client.execute(sql, &[&key, &value]).await.map(drop)
}
