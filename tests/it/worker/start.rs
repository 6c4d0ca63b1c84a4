//! First starts, ordinary days, stops.

use std::time::{Duration, Instant};

use appviewd::queue::{Position, QueueError};

use super::rig::{PARTITIONS, Rig, SOURCE};
use crate::support::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_there_and_the_queue_is_trimmed() {
    let mut rig = Rig::start(1).await;
    let head = rig.send(400);
    let (_feeder, _feeding) = rig.feeder();
    let worker = rig.worker("one");
    rig.applied(head, 60).await;
    rig.check().await;
    eventually("the status says so", 5, async || worker.status().applied_seq == head && worker.status().queue_events == 0).await;
    assert_eq!((worker.status().problem, worker.status().sources.get(SOURCE)), (None, Some(&head)));
    let keys: Vec<String> = (0..PARTITIONS).map(|part| format!("firehose:events:{{{SOURCE}:{part}}}")).collect();
    eventually("the streams are trimmed", 10, async || keys.iter().all(|key| rig.redis.cli(&["XLEN", key]).trim() == "0")).await;
    let client = rig.postgres.connect().await;
    let beat = client.query_one("SELECT roles, status #>> '{worker,applied_seq}' FROM heartbeat WHERE process = 'one'", &[]).await.unwrap();
    assert_eq!(beat.get::<_, String>(0), "worker");
    worker.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_trimmed_was_read_durably() {
    let mut rig = Rig::start(7).await;
    let client = rig.postgres.connect().await;
    let note = "CREATE TABLE noted (setting text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN INSERT INTO noted VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER note AFTER INSERT OR UPDATE ON heartbeat DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION note()";
    client.batch_execute(note).await.unwrap();
    let head = rig.send(50);
    let (_feeder, _feeding) = rig.feeder();
    let worker = rig.worker("one");
    rig.applied(head, 60).await;
    let count = async |filter: &str| -> i64 {
        client.query_one(&format!("SELECT count(*) FROM noted WHERE setting {filter} 'on'"), &[]).await.unwrap().get(0)
    };
    eventually("the heartbeat is written twice", 20, async || count("=").await + count("<>").await >= 2).await;
    assert_eq!(count("<>").await, 0, "offsets were read for a trim by a commit that nobody waited for");
    worker.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_quiet_moment_is_a_row_at_once() {
    let mut rig = Rig::start(2).await;
    let head = rig.send(50);
    let (_feeder, _feeding) = rig.feeder();
    let _worker = rig.worker("one");
    rig.applied(head, 60).await;
    let client = rig.postgres.connect().await;
    let mut took = Vec::new();
    for _ in 0..15 {
        let head = rig.send(1);
        let sent = Instant::now();
        loop {
            let at: i64 = client.query_one("SELECT max(seq) FROM stream_offset", &[]).await.unwrap().get(0);
            if at >= head {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
            assert!(sent.elapsed() < Duration::from_secs(10));
        }
        took.push(sent.elapsed());
    }
    took.sort();
    println!("from the log to the row, the feeder's pause of up to 20 ms included: median {:?}, most {:?}", took[7], took[14]);
    assert!(took[7] < Duration::from_millis(150), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cursor_of_the_old_system_is_taken_once() {
    let mut rig = Rig::start(3).await;
    rig.config.relay.cursor = None;
    rig.redis.cli(&["SET", "firehose:python_cursor", "123456"]);
    rig.queue().add_source(SOURCE).await.unwrap();
    let worker = rig.worker("one");
    let positions = async |source: &str| rig.queue().positions(&source.into(), PARTITIONS).await.unwrap();
    eventually("the partitions are begun there", 10, async || {
        positions(SOURCE).await.iter().all(|p| *p == Some(Position::new(0, 123_456)))
    })
    .await;
    rig.queue().add_source("another.example").await.unwrap();
    eventually("another source starts live", 10, async || positions("another.example").await.iter().all(|p| *p == Some(Position::LIVE)))
        .await;
    worker.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_of_another_size_is_refused() {
    let mut rig = Rig::start(4).await;
    rig.worker("one").stop().await.unwrap();
    rig.queue().check_meta(PARTITIONS).await.unwrap();
    rig.config.queue.partitions = PARTITIONS * 2;
    assert!(matches!(rig.queue().check_meta(PARTITIONS * 2).await, Err(QueueError::Meta { .. })));
    let error = rig.worker("two").ended().await.unwrap_err().to_string();
    assert!(error.contains("partitions = 4"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_asked_to_stop_stops_within_a_second_or_two() {
    let mut rig = Rig::start(5).await;
    rig.send(600);
    let (_feeder, _feeding) = rig.feeder();
    let worker = rig.worker("one");
    eventually("it is at work", 30, async || worker.status().applied_seq > 0).await;
    let asked = Instant::now();
    worker.stop().await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
}
