//! Two ways to the same timeline: asking everyone who is followed, and going through what everyone posted.

use appviewd::config::database::Database;
use appviewd::db::migrate;
use appviewd::db::pool::Pools;
use appviewd::db::read::feed::Before;
use appviewd::db::read::timeline;
use appviewd::db::read::walk::{self, Sieve};

use crate::support::postgres::Postgres;

/// 3,000 accounts, of whom number 1 follows every third; 6,000 posts and as many reposts in the order of their keys, many with the same key,
/// some with a time that is not that of their key.
const ROWS: [&str; 4] = [
    "INSERT INTO follow (rkey, author, subject) SELECT 7000000000000000000 + n, 1, n * 3 FROM generate_series(1, 1000) n",
    "INSERT INTO actor_stat (account, follows) VALUES (1, 1000)",
    "INSERT INTO post (rkey, author, flags, rec, sort)
     SELECT 7000000000000000000 + (n / 3) * 1000000000000, 2 + n % 2999, 0, '', CASE WHEN n % 17 = 0 THEN 7000000000000000000 + (n / 5) * 1000000000000 END
     FROM generate_series(1, 6000) n",
    "INSERT INTO repost (rkey, author, sr, sa, flags, sort)
     SELECT 7000000000000000000 + (n / 3) * 1000000000000, 2 + n % 2999, n, 5, CASE WHEN n % 13 = 0 THEN 8 ELSE 0 END,
            CASE WHEN n % 11 = 0 THEN 7000000000000000000 + (n / 4) * 1000000000000 END
     FROM generate_series(1, 6000) n",
];

#[tokio::test]
async fn who_follows_many_sees_the_same_timeline_as_by_asking_everyone() {
    let postgres = Postgres::start().await;
    let pools = Pools::new(&Database { url: Some(postgres.url()), pool_size: 4, ..Database::default() }).unwrap();
    migrate::with_pool(&pools.writer).await.unwrap();
    for sql in ROWS {
        postgres.connect().await.batch_execute(sql).await.unwrap();
    }
    let client = pools.api.get().await.unwrap();
    let (mut full, mut short) = (0, 0);
    let follows: Vec<i32> = (1..=1000).map(|n| n * 3).collect();
    let sieve = Sieve::new(&follows, 1);
    let is_followed = |author: i32| author == 1 || author % 3 == 0;
    let mut before = Before { at: i64::MAX, rkey: i64::MAX, author: i32::MAX };
    for round in 0..60 {
        for most in [40, 20_000] {
            let (asked, mut walked) =
                tokio::try_join!(timeline::posts(&client, 1, before, i64::MIN, 31), walk::posts(&client, &sieve, before, most, 40))
                    .unwrap();
            walked.retain(|post| is_followed(post.author));
            walked.truncate(31);
            if walked.len() == 31 {
                assert_eq!(walked, asked, "posts, round {round}, {most} steps");
                full += 1;
            } else {
                assert!(most == 40 || walked.len() == asked.len(), "only a walk that was cut off finds less");
                short += 1;
            }
            let (asked, mut walked) =
                tokio::try_join!(timeline::reposts(&client, 1, before, i64::MIN, 31), walk::reposts(&client, &sieve, before, most, 40))
                    .unwrap();
            walked.retain(|repost| is_followed(repost.author));
            walked.truncate(31);
            if walked.len() == 31 {
                assert_eq!(walked, asked, "reposts, round {round}, {most} steps");
            }
        }
        // Any place: now in the middle of those of one time, now between two.
        let next = timeline::posts(&client, 1, before, i64::MIN, 29).await.unwrap();
        let Some(last) = next.last() else { break };
        before = Before { at: last.at, rkey: last.rkey, author: last.author };
    }
    assert!(full > 30 && short > 5, "{full} full pages, {short} short ones");
}
