//! What a page goes through where somebody has very much: a constant, counted by the database itself.

use appviewd::atproto::Tid;
use appviewd::collection::Ref;
use appviewd::collection::search::level_token;
use appviewd::db::Transaction;
use appviewd::db::read::notification::{self, Before, Reasons};
use appviewd::db::read::{list, search};

use super::world::World;

/// A sort key of 2023, at the beginning of the buckets of every index.
const BASE: i64 = (1_741_000_000_000_000_000 >> 50) << 50;

/// Rows of a table that were fetched by an index, in this transaction and those just before on its connection.
async fn fetched(tx: &Transaction<'_>, table: &str) -> i64 {
    let sql = "SELECT coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relname = $1";
    tx.query_one(sql, &[&table]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_page_of_notifications_sorts_no_whole_bucket() {
    let world = World::start().await;
    let mut client = world.pools.writer.get().await.unwrap();
    assert!(Tid::from_value(BASE).is_some());
    // 30,000 likes within an hour. They came nearly in their order, as they do.
    let likes = format!(
        "INSERT INTO \"like\" (rkey, author, sr, sa, flags)
         SELECT {BASE} + (i # 5)::int8 * 100000000, 1000 + i, {BASE} - i % 7, 7, 0 FROM generate_series(0, 29999) AS i"
    );
    client.batch_execute(&likes).await.unwrap();
    client.batch_execute("ANALYZE \"like\"").await.unwrap();
    let all = "SELECT rkey FROM \"like\" ORDER BY rkey DESC";
    let all: Vec<i64> = client.query(all, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let (mut before, mut found) = (Before { at: i64::MAX, rkey: i64::MAX, author: i32::MAX, why: i16::MAX }, Vec::new());
    for page in 0..4 {
        let tx = client.transaction().await.unwrap();
        let earlier = fetched(&tx, "like").await;
        let notices = notification::newest(&tx, 7, before, Reasons::ALL, 50).await.unwrap();
        let fetched = fetched(&tx, "like").await - earlier;
        assert!(fetched <= 10_000 + 50 * page + 10, "page {page} goes through {fetched} rows");
        tx.rollback().await.unwrap();
        before = notices.iter().map(Before::of).min().unwrap();
        found.extend(notices.iter().map(|notice| notice.at));
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(found, all[..200]);
}

#[tokio::test]
async fn members_of_a_list_are_counted_up_to_a_bound() {
    let world = World::start().await;
    let mut client = world.pools.writer.get().await.unwrap();
    let items = format!(
        "INSERT INTO listitem (rkey, lr, author, subject)
         SELECT {BASE} + i, {BASE}, 7, i FROM generate_series(1, 12000) AS i
         UNION ALL SELECT {BASE} + 20000 + i, {BASE} + 1, 7, i FROM generate_series(1, 3) AS i"
    );
    client.batch_execute(&items).await.unwrap();
    let place = |n: i64| Ref { rkey: BASE + n, author: 7 };
    let tx = client.transaction().await.unwrap();
    let earlier = fetched(&tx, "listitem").await;
    let mut found = list::members(&tx, &[place(0), place(1), place(2)]).await.unwrap();
    found.sort_by_key(|(place, _)| place.rkey);
    assert_eq!(found, [(place(0), list::MOST_MEMBERS), (place(1), 3)]);
    let fetched = fetched(&tx, "listitem").await - earlier;
    assert!(fetched <= list::MOST_MEMBERS + 10, "{fetched}");
}

#[tokio::test]
async fn those_who_have_a_word_are_counted_up_to_a_bound() {
    let world = World::start().await;
    let client = world.pools.writer.get().await.unwrap();
    let window = level_token(1, BASE);
    let posts = format!(
        "INSERT INTO post (rkey, author, flags, rec, tokens)
         SELECT {BASE} + i, 7, 0, '', CASE WHEN i % 4 = 0 THEN ARRAY[1, 2, {window}] ELSE ARRAY[1, {window} + (i % 2)] END
         FROM generate_series(0, 399) AS i"
    );
    client.batch_execute(&posts).await.unwrap();
    let mut found = search::carriers(&client, &[1, 2, 3], window, 150).await.unwrap();
    found.sort_unstable();
    // In the window are 200 of the first and 100 of the second.
    assert_eq!(found, [(1, 150), (2, 100), (3, 0)]);
}
