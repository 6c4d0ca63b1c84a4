//! Replies that wait too long, as the running worker ends their wait.

use super::rig::Rig;
use crate::support::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn a_running_worker_ends_the_wait_of_those_that_waited_too_long_and_counts_them() {
    let mut rig = Rig::start(26).await;
    let (_feeder, _feeding) = rig.feeder();
    let head = rig.send(600);
    rig.worker_until(head).await;
    let client = rig.postgres.connect().await;
    let number = async |sql: &str| client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0);
    let rows = "INSERT INTO pending (mr, ma, rkey, author, since)
        SELECT 5, id, 7, id, now() - make_interval(hours => CASE id % 3 WHEN 0 THEN 25 ELSE 23 END) FROM account";
    client.execute(rows, &[]).await.unwrap();
    let (waiting, old) = (number("SELECT count(*) FROM pending").await, number("SELECT count(*) FROM account WHERE id % 3 = 0").await);
    assert!(old > 0 && waiting > old);
    let posts = number("SELECT count(*) FROM post").await;
    let worker = rig.worker("one");
    let expired = || i64::try_from(worker.telemetry.metrics().worker.pending_expired.get()).unwrap();
    eventually("those of more than a day ago wait no more", 10, async || expired() == old).await;
    assert_eq!(number("SELECT count(*) FROM pending").await, waiting - old, "the others do");
    assert_eq!(number("SELECT count(*) FROM post").await, posts, "no post goes");
    let still = u64::try_from(waiting - old).unwrap();
    eventually("the status says so", 15, async || worker.status().pending_ops == still).await;
}
