//! What an account owns, found by the columns that name owners: so a new table is not forgotten.

use tokio_postgres::Client;

/// How many rows an account owns, by table and column; those of which it owns none are left out, and what was changed of it: that names
/// keys only, and is gone after some minutes.
pub async fn owned(client: &Client, did: &str) -> Vec<(String, i64)> {
    let columns = "SELECT table_name::text, column_name::text FROM information_schema.columns
        JOIN pg_class ON relname = table_name AND relkind = 'r'
        WHERE table_schema = 'public' AND table_name <> 'change' AND (column_name IN ('author', 'recipient')
          OR (column_name = 'account' AND table_name NOT IN ('repo', 'actor_stat')))";
    let mut found: Vec<(String, i64)> = Vec::new();
    for row in client.query(columns, &[]).await.unwrap() {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let sql = format!("SELECT count(*) FROM \"{table}\" t JOIN account a ON a.id = t.{column} WHERE a.did = '{did}'");
        found.push((format!("{table}.{column}"), client.query_one(&sql, &[]).await.unwrap().get(0)));
    }
    assert!(found.len() > 15, "{found:?}");
    found.into_iter().filter(|(_, rows)| *rows > 0).collect()
}
