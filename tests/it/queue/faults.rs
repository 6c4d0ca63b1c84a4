//! What a real Redis can do to the queue: full, lossy, another queue, answers lost, keys gone.

use std::sync::Arc;
use std::time::Duration;

use appviewd::queue::{HighWater, Most, Moved, Position, QueueError, Seen};

use super::scripts::{packed, queue};
use crate::support::eventually;
use crate::support::redis::Redis;

fn at(seq: i64) -> Position {
    Position::new(0, seq)
}

#[tokio::test]
async fn a_full_redis_refuses_appends_with_its_error_and_goes_on_after_a_trim() {
    let redis = Redis::start(&["--maxmemory", "6mb", "--maxmemory-policy", "noeviction"]).await;
    let queue = queue(&redis);
    let stream = queue.stream(&"relay.example".into(), 0);
    queue.begin(&stream, at(0), true).await.unwrap();
    let mut appender = queue.appender().await.unwrap();
    let mut water = HighWater::new(1 << 30);
    let big = || bytes::Bytes::from([&packed(1)[..2], &vec![0; 100_000]].concat());
    let mut seq = 0;
    let mut high_at = None;
    let error = loop {
        if water.update(queue.memory().await.unwrap()) && high_at.is_none() {
            high_at = Some(seq);
        }
        match appender.append(&stream, at(seq), at(seq + 1), big()).await {
            Ok(moved) => assert_eq!(moved, Moved::Done),
            Err(error) => break error,
        }
        seq += 1;
        assert!(seq < 1000, "Redis never filled");
    };
    assert!(error.is_full(), "{error:?}");
    assert!(error.to_string().contains("OOM"), "{error}");
    assert!(high_at.is_some_and(|high| high > 0 && high < seq), "the high-water mark comes before the limit: {high_at:?}, {seq}");
    // Nothing was written; probes and trims work, and the appender may go on.
    assert_eq!(appender.advance(&stream, at(seq), at(seq)).await.unwrap(), Moved::Done);
    assert_eq!(queue.trim(&stream, at(seq)).await.unwrap(), u64::try_from(seq).unwrap());
    assert_eq!(appender.append(&stream, at(seq), at(seq + 1), big()).await.unwrap(), Moved::Done);
    appender = queue.appender().await.unwrap();
    assert_eq!(appender.advance(&stream, at(seq + 1), at(seq + 1)).await.unwrap(), Moved::Done);
}

/// The connection dies while Redis executes: the caller does not hear of it, the append has happened, and the session's end is noticed.
#[tokio::test]
async fn an_answer_lost_after_execution_ends_the_appender() {
    let redis = Redis::start(&[]).await;
    let queue = queue(&redis);
    let stream = queue.stream(&"relay.example".into(), 0);
    queue.begin(&stream, at(0), true).await.unwrap();
    let appender = queue.appender().await.unwrap();
    assert_eq!(appender.append(&stream, at(0), at(1), packed(1)).await.unwrap(), Moved::Done);
    // Redis executes at once but holds the answer's connection: a caller that gives up leaves it behind.
    redis.cli(&["CLIENT", "PAUSE", "300", "WRITE"]);
    let cut = tokio::time::timeout(Duration::from_millis(50), appender.append(&stream, at(1), at(2), packed(1))).await;
    assert!(cut.is_err());
    assert!(matches!(appender.append(&stream, at(2), at(3), packed(1)).await, Err(QueueError::Ended)));
    eventually("the abandoned append was executed", 5, async || {
        queue.positions(&"relay.example".into(), 1).await.unwrap()[0] == Some(at(2))
    })
    .await;
    let next = queue.appender().await.unwrap();
    assert_eq!(next.append(&stream, at(1), at(2), packed(1)).await.unwrap(), Moved::Found(Some(at(2))));
}

#[tokio::test]
async fn a_killed_connection_is_an_error_and_nothing_is_sent_twice() {
    let redis = Redis::start(&[]).await;
    let queue = queue(&redis);
    let stream = queue.stream(&"relay.example".into(), 0);
    queue.begin(&stream, at(0), true).await.unwrap();
    let appender = queue.appender().await.unwrap();
    let mut sent = 0;
    let ended = loop {
        if sent == 200 {
            redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        }
        match appender.append(&stream, at(sent), at(sent + 1), packed(1)).await {
            Ok(moved) => assert_eq!(moved, Moved::Done),
            Err(error) => break error,
        }
        sent += 1;
        assert!(sent < 1000, "the connection was not killed");
    };
    assert!(!ended.is_full(), "{ended}");
    assert!(matches!(appender.append(&stream, at(sent), at(sent + 1), packed(1)).await, Err(QueueError::Ended)));
    // The shared connection was killed too: its next use or the one after makes a new one.
    eventually("the queue is reached again", 10, async || queue.ping().await.is_ok()).await;
    let snapshot = queue.snapshot(&stream, Position::LIVE, Most::entries(2000)).await.unwrap().unwrap();
    let ids: Vec<i64> = snapshot.entries.iter().map(|e| e.last.seq).collect();
    assert_eq!(ids, (1..=snapshot.pos.seq).collect::<Vec<_>>());
    assert!(snapshot.pos == at(sent) || snapshot.pos == at(sent + 1));
}

#[tokio::test]
async fn a_redis_that_is_away_is_an_error_in_time_and_is_found_again() {
    let mut redis = Redis::start(&[]).await;
    let queue = queue(&redis);
    let stream = queue.stream(&"relay.example".into(), 0);
    queue.begin(&stream, at(7), true).await.unwrap();
    redis.kill();
    let asked = std::time::Instant::now();
    assert!(queue.snapshot(&stream, at(0), Most::entries(1)).await.is_err());
    assert!(queue.appender().await.is_err());
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    redis.restart().await;
    eventually("the queue is reached again", 10, async || queue.ping().await.is_ok()).await;
    assert_eq!(queue.positions(&"relay.example".into(), 2).await.unwrap(), [Some(at(7)), None]);
}

#[tokio::test]
async fn a_stream_that_someone_removed_is_absent_and_begun_again() {
    let redis = Redis::start(&[]).await;
    let queue = queue(&redis);
    let stream = queue.stream(&"relay.example".into(), 0);
    queue.begin(&stream, at(5), true).await.unwrap();
    let appender = queue.appender().await.unwrap();
    redis.cli(&["DEL", "firehose:events:{relay.example:0}"]);
    assert_eq!(appender.append(&stream, at(5), at(6), packed(1)).await.unwrap(), Moved::Found(None));
    assert_eq!(appender.advance(&stream, at(5), at(6)).await.unwrap(), Moved::Found(None));
    assert_eq!(queue.snapshot(&stream, at(5), Most::entries(10)).await.unwrap(), None);
    assert!(queue.begin(&stream, at(5), true).await.unwrap());
    assert!(!queue.begin(&stream, at(9), true).await.unwrap());
    assert_eq!(appender.append(&stream, at(5), at(6), packed(1)).await.unwrap(), Moved::Done);
}

#[tokio::test]
async fn a_redis_that_may_lose_entries_is_refused() {
    for (arguments, word) in [(&["--maxmemory-policy", "allkeys-lru"], "allkeys-lru"), (&["--appendonly", "no"], "append-only")] {
        let redis = Redis::start(arguments).await;
        let error = queue(&redis).check_server(false).await.unwrap_err().to_string();
        assert!(error.contains(word) && error.contains("allow_lossy"), "{error}");
        queue(&redis).check_server(true).await.unwrap();
    }
    queue(&Redis::start(&[]).await).check_server(false).await.unwrap();
}

#[tokio::test]
async fn another_number_of_partitions_is_refused() {
    let redis = Redis::start(&[]).await;
    let queue = queue(&redis);
    queue.check_meta(16).await.unwrap();
    queue.check_meta(16).await.unwrap();
    let error = queue.check_meta(8).await.unwrap_err().to_string();
    assert!(error.contains("partitions = 16") && error.contains("configured is 8"), "{error}");
}

/// It ended processes that had just begun.
#[tokio::test]
async fn a_redis_that_is_emptied_meanwhile_is_not_taken_for_another_queue() {
    let redis = Redis::start(&[]).await;
    let queue = queue(&redis);
    queue.check_meta(16).await.unwrap();
    let mut emptying = std::process::Command::new("redis-cli");
    emptying.arg("-s").arg(redis.socket()).args(["-r", "1000000", "FLUSHALL"]).stdout(std::process::Stdio::null());
    let mut emptying = emptying.spawn().unwrap();
    for _ in 0..300 {
        queue.check_meta(16).await.unwrap();
    }
    let went_on = emptying.try_wait().unwrap().is_none();
    emptying.kill().unwrap();
    emptying.wait().unwrap();
    assert!(went_on && redis.cli(&["INFO", "commandstats"]).contains("cmdstat_flushall"), "Redis was not emptied all the time");
}

#[tokio::test]
async fn what_is_kept_beside_comes_back() {
    let redis = Redis::start(&[]).await;
    let queue = queue(&redis);
    assert_eq!((queue.seen("a.example").await.unwrap(), queue.old_cursor().await.unwrap()), (None, None));
    // A digest that happens to be UTF-8 and one that is not.
    for digest in [[b'a'; 32], [0xff; 32]] {
        let seen = Seen { epoch: 1, seq: i64::MAX, time: -5, digest };
        queue.set_seen("a.example", &seen).await.unwrap();
        assert_eq!(queue.seen("a.example").await.unwrap(), Some(seen));
    }
    queue.add_source("b.example").await.unwrap();
    queue.add_source("a.example").await.unwrap();
    assert_eq!(queue.sources().await.unwrap(), ["a.example", "b.example"]);
    redis.cli(&["SET", "firehose:python_cursor", "123456"]);
    assert_eq!(queue.old_cursor().await.unwrap(), Some(123_456));
}

#[tokio::test]
async fn the_waker_wakes_for_new_entries_only() {
    let redis = Redis::start(&[]).await;
    let queue = queue(&redis);
    let streams: Vec<_> = (0..2).map(|part| Arc::new(queue.stream(&"relay.example".into(), part))).collect();
    for stream in &streams {
        queue.begin(stream, at(0), true).await.unwrap();
    }
    let appender = queue.appender().await.unwrap();
    appender.append(&streams[0], at(0), at(3), packed(1)).await.unwrap();
    let mut waker = queue.waker();
    assert_eq!(waker.wait(&[(streams[0].clone(), at(3)), (streams[1].clone(), at(0))]).await.unwrap(), []);
    let waiting = tokio::spawn(async move {
        let started = std::time::Instant::now();
        (waker.wait(&[(streams[0].clone(), at(3)), (streams[1].clone(), Position::LIVE)]).await.unwrap(), started.elapsed())
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    appender.append(&queue.stream(&"relay.example".into(), 1), at(0), at(9), packed(1)).await.unwrap();
    let (woken, after) = waiting.await.unwrap();
    assert_eq!(woken, [(1, at(9))]);
    assert!(after < Duration::from_millis(900), "{after:?}");
}
