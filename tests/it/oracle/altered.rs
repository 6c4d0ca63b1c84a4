//! The comparison can fail: one row of any kind that is not as it should be is found.

use appviewd::sandbox::Network;

use crate::sandbox::index::holds_what_is_expected;
use crate::support::{dump, judge};

/// One row of each kind that is not as it should be, by the lines that then differ.
const ALTERATIONS: &[(&str, &str)] = &[
    ("repo", "UPDATE repo SET rev = rev - 1024"),
    ("record", "UPDATE record_other SET rec = (SELECT rec FROM record_other ORDER BY length(rec) DESC LIMIT 1)"),
    ("edge", "DELETE FROM \"like\""),
    ("edge", "UPDATE follow SET flags = flags # 8"),
    ("edge", "UPDATE listitem SET flags = flags # 8"),
    ("thread", "UPDATE post SET root_r = NULL, root_a = NULL"),
    ("flags", "UPDATE post SET flags = flags # 16"),
    ("flags", "UPDATE post SET flags = flags # 32"),
    ("gate", "UPDATE threadgate SET rules = rules # 2"),
    ("gate", "DELETE FROM postgate"),
    ("notif", "DELETE FROM notif"),
    ("notif", "UPDATE notif SET sort = coalesce(sort, rkey) + (120000000::int8 << 10)"),
    ("notif", "INSERT INTO notif SELECT rkey, sr, sort, author, author, reason FROM notif"),
    ("pending", "DELETE FROM pending"),
    ("join", "UPDATE pack_join SET time = time + 1024"),
    ("count", "UPDATE post_stat SET likes = likes + 1"),
    ("count", "UPDATE actor_stat SET followers = NULL"),
    ("letter", "DELETE FROM dead_letter"),
];

#[tokio::test]
async fn one_altered_row_of_any_kind_is_found() {
    let (postgres, oracle) = holds_what_is_expected(102, Network::new(102, 25).dense().tangled(), 2000).await;
    let client = postgres.connect().await;
    for (kind, alteration) in ALTERATIONS {
        client.batch_execute("BEGIN").await.unwrap();
        assert_eq!(client.execute(&of_one_row(alteration), &[]).await.unwrap(), 1, "{alteration}");
        let compared = judge::compare_in_order(&dump::lines(&client).await, &oracle);
        let found = compared.missing.iter().chain(&compared.extra).any(|line| line.starts_with(&format!("{kind} ")));
        assert!(found, "{alteration}: {compared:?}");
        client.batch_execute("ROLLBACK").await.unwrap();
    }
}

/// The statement for one row alone, one that it changes.
fn of_one_row(statement: &str) -> String {
    let table = statement.split(' ').skip_while(|word| !["UPDATE", "FROM"].contains(word)).nth(1).unwrap();
    if statement.starts_with("INSERT") {
        return format!("{statement} LIMIT 1");
    }
    let changes = match statement {
        s if s.contains("SET root_r") => "root_r IS NOT NULL",
        s if s.contains("SET likes") => "likes IS NOT NULL",
        s if s.contains("SET followers") => "followers IS NOT NULL",
        s if s.contains("SET rev") => "rev IS NOT NULL",
        s if s.contains("SET rec") => "rec <> (SELECT rec FROM record_other ORDER BY length(rec) DESC LIMIT 1)",
        _ => "true",
    };
    format!("{statement} WHERE ctid = (SELECT ctid FROM {table} WHERE {changes} LIMIT 1)")
}
