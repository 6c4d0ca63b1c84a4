//! What must be so in any database, found by SQL that shares nothing with the daemon: counts are the number of rows that count, and what an
//! account owns can be found by the columns that name owners.

use appviewd::collection::SubjectKind;
use tokio_postgres::Client;

async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Subjects and accounts whose counts are not what a count of the rows gives.
pub async fn miscounted(client: &Client) -> i64 {
    let post = SubjectKind::Post.number();
    let subjects = format!(
        "WITH rows AS (
           SELECT sr, sa, (flags & 112) >> 4 AS kind, 1 AS l, 0 AS r, 0 AS p, 0 AS q FROM \"like\" WHERE flags & 8 = 0
           UNION ALL SELECT sr, sa, (flags & 112) >> 4, 0, 1, 0, 0 FROM repost WHERE flags & 8 = 0
           UNION ALL SELECT parent_r, parent_a, {post}, 0, 0, 1, 0 FROM post WHERE parent_r IS NOT NULL AND flags & 16 = 0
           UNION ALL SELECT quote_r, quote_a, {post}, 0, 0, 0, 1 FROM post WHERE quote_r IS NOT NULL),
         sums AS (SELECT sr, sa, kind::int2, sum(l) AS l, sum(r) AS r, sum(p) AS p, sum(q) AS q FROM rows GROUP BY 1, 2, 3)
         SELECT count(*) FROM sums FULL JOIN post_stat s USING (sr, sa, kind)
         WHERE (coalesce(l, 0), coalesce(r, 0), coalesce(p, 0), coalesce(q, 0))
           <> (coalesce(likes, 0), coalesce(reposts, 0), coalesce(replies, 0), coalesce(quotes, 0))"
    );
    let accounts = "WITH rows AS (
           SELECT subject AS account, 1 AS f, 0 AS g, 0 AS p FROM follow WHERE flags & 8 = 0
           UNION ALL SELECT author, 0, 1, 0 FROM follow WHERE flags & 8 = 0
           UNION ALL SELECT author, 0, 0, 1 FROM post),
         sums AS (SELECT account, sum(f) AS f, sum(g) AS g, sum(p) AS p FROM rows GROUP BY 1)
         SELECT count(*) FROM sums FULL JOIN actor_stat s USING (account)
         WHERE (coalesce(f, 0), coalesce(g, 0), coalesce(p, 0)) <> (coalesce(followers, 0), coalesce(follows, 0), coalesce(posts, 0))";
    number(client, &subjects).await + number(client, accounts).await
}

/// How many rows an account owns, by table and column; those of which it owns none are left out.
pub async fn owned(client: &Client, did: &str) -> Vec<(String, i64)> {
    let columns = "SELECT table_name::text, column_name::text FROM information_schema.columns
        JOIN pg_class ON relname = table_name AND relkind = 'r'
        WHERE table_schema = 'public' AND (column_name IN ('author', 'recipient')
          OR (column_name = 'account' AND table_name NOT IN ('repo', 'actor_stat', 'reject')))";
    let mut found = Vec::new();
    for row in client.query(columns, &[]).await.unwrap() {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let sql = format!("SELECT count(*) FROM \"{table}\" t JOIN account a ON a.id = t.{column} WHERE a.did = '{did}'");
        found.push((format!("{table}.{column}"), number(client, &sql).await));
    }
    assert!(found.len() > 15, "{found:?}");
    found.into_iter().filter(|(_, rows)| *rows > 0).collect()
}
