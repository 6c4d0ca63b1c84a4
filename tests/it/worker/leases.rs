//! Several workers on one queue: fair shares, hand-over, names, and that nothing depends on any of it.

use std::time::{Duration, Instant};

use appviewd::queue::Position;
use appviewd::telemetry::metrics;

use super::rig::{PARTITIONS, Rig, SOURCE, Worker};
use crate::support::eventually;
use crate::support::proxy::{Mode, Proxy};

fn counts(worker: &Worker) -> &metrics::Worker {
    &worker.telemetry.metrics().worker
}

fn owned(workers: &[&Worker]) -> Vec<u16> {
    workers.iter().map(|worker| worker.status().partitions).collect()
}

/// Waits until the workers own so many partitions.
async fn shares(workers: &[&Worker], wanted: &[u16], secs: u64) {
    eventually(&format!("they own {wanted:?}"), secs, async || owned(workers) == wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_share_and_each_event_is_applied_once() {
    let mut rig = Rig::start(17).await;
    let (_feeder, _feeding) = rig.feeder();
    let one = rig.worker("one");
    shares(&[&one], &[4], 10).await;
    let head = rig.send(200);
    rig.applied(head, 30).await;
    let two = rig.worker("two");
    shares(&[&one, &two], &[2, 2], 10).await;
    assert_eq!(two.status().problem, None);
    let mut head = 0;
    for _ in 0..10 {
        head = rig.send(60);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    rig.applied(head, 60).await;
    for worker in [&one, &two] {
        eventually("each process knows where all partitions stand", 5, async || worker.status().applied_seq == head).await;
        eventually("and that nothing waits", 5, async || worker.status().queue_events == 0).await;
        assert!(counts(worker).events.get() > 100, "it did its share");
        assert_eq!(counts(worker).lost.get(), 0, "they never met");
    }
    assert_eq!(counts(&one).events.get() + counts(&two).events.get(), 800);
    assert_eq!(counts(&one).leases_given_up.get(), 2);
    // What a process gives up when it stops is not left to run out.
    one.stop().await.unwrap();
    shares(&[&two], &[4], 4).await;
    let head = rig.send(100);
    rig.applied(head, 20).await;
    rig.check().await;
}

/// The fence is the compare on commit: here the database lets everyone have every lease, and shows nobody else alive.
#[tokio::test(flavor = "multi_thread")]
async fn with_leases_that_mean_nothing_each_event_is_still_applied_once() {
    let mut rig = Rig::start(18).await;
    let client = rig.postgres.connect().await;
    let lies = "CREATE FUNCTION run_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.until := ''-infinity''; RETURN NEW; END';
        CREATE FUNCTION nobody() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.roles := ''''; RETURN NEW; END';
        CREATE TRIGGER run_out BEFORE INSERT OR UPDATE ON lease FOR EACH ROW EXECUTE FUNCTION run_out();
        CREATE TRIGGER nobody BEFORE INSERT OR UPDATE ON heartbeat FOR EACH ROW EXECUTE FUNCTION nobody()";
    client.batch_execute(lies).await.unwrap();
    let (_feeder, _feeding) = rig.feeder();
    let workers = [rig.worker("one"), rig.worker("two")];
    shares(&[&workers[0], &workers[1]], &[4, 4], 10).await;
    let mut head = 0;
    for _ in 0..10 {
        head = rig.send(60);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    rig.applied(head, 60).await;
    // The offsets are moved by the commit, the counter just after.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(workers.iter().map(|worker| counts(worker).events.get()).sum::<u64>(), 600, "an event was applied twice");
    assert!(workers.iter().map(|worker| counts(worker).lost.get()).sum::<u64>() > 0, "they never met");
    rig.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_had_is_taken_over_when_its_leases_run_out() {
    let mut rig = Rig::start(19).await;
    let (_feeder, _feeding) = rig.feeder();
    let (one, two) = (rig.worker("one"), rig.worker("two"));
    shares(&[&one, &two], &[2, 2], 10).await;
    let killed = Instant::now();
    drop(one);
    let head = rig.send(300);
    shares(&[&two], &[4], 20).await;
    assert!(killed.elapsed() > Duration::from_secs(5), "leases did not run: taken after {:?}", killed.elapsed());
    rig.applied(head, 20).await;
    rig.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_that_comes_back_has_its_own_at_once() {
    let mut rig = Rig::start(20).await;
    let (_feeder, _feeding) = rig.feeder();
    let one = rig.worker("one");
    shares(&[&one], &[4], 10).await;
    drop(one);
    let back = Instant::now();
    let one = rig.worker("one");
    shares(&[&one], &[4], 5).await;
    let head = rig.send(100);
    rig.applied(head, 20).await;
    println!("back after {:?}", back.elapsed());
    // A former life is no namesake.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(owned(&[&one]), [4]);
    one.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_worker_of_the_same_name_is_refused() {
    let mut rig = Rig::start(21).await;
    let (_feeder, _feeding) = rig.feeder();
    let one = rig.worker("same");
    shares(&[&one], &[4], 10).await;
    let second = rig.worker("same");
    let error = tokio::time::timeout(Duration::from_secs(10), second.ended()).await.expect("it ends").unwrap_err().to_string();
    assert!(error.contains("under the name same") && error.contains("CONSUMER_ID"), "{error}");
    // The first goes on, and still owns what it had.
    let head = rig.send(100);
    rig.applied(head, 20).await;
    assert_eq!((owned(&[&one]), one.status().problem), (vec![4], None));
    rig.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_that_start_together_begin_live() {
    let mut rig = Rig::start(22).await;
    rig.config.relay.cursor = None;
    rig.queue().add_source(SOURCE).await.unwrap();
    let (one, two) = (rig.worker("one"), rig.worker("two"));
    let positions = async || rig.queue().positions(&SOURCE.into(), PARTITIONS).await.unwrap();
    eventually("every partition is begun", 10, async || positions().await.iter().all(|at| *at == Some(Position::LIVE))).await;
    shares(&[&one, &two], &[2, 2], 10).await;
    let begun: u64 = [&one, &two].iter().map(|worker| worker.telemetry.metrics().queue.begun.get("absent")).sum();
    assert_eq!(begun, u64::from(PARTITIONS), "each is begun once");
    let (_feeder, _feeding) = rig.feeder();
    let head = rig.send(200);
    rig.applied(head, 30).await;
    for worker in [&one, &two] {
        eventually("the status says so", 5, async || worker.status().applied_seq == head).await;
    }
    rig.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_redis_alone_does_not_answer_leaves_its_share_to_the_others() {
    let mut rig = Rig::start(24).await;
    let (_feeder, _feeding) = rig.feeder();
    let proxy = Proxy::in_front_of(&rig.redis.socket());
    let (one, two) = (rig.worker("one"), rig.worker_at("two", &proxy.redis_url()));
    shares(&[&one, &two], &[2, 2], 10).await;
    proxy.set(Mode::Refuse);
    let head = rig.send(300);
    shares(&[&one, &two], &[4, 0], 25).await;
    rig.applied(head, 20).await;
    assert!(two.status().problem.is_some() && two.status().queue_away, "it says so: {:?}", two.status());
    assert_eq!((one.status().problem, one.status().queue_away), (None, false));
    proxy.set(Mode::Pass);
    shares(&[&one, &two], &[2, 2], 20).await;
    assert!(!two.status().queue_away);
    let head = rig.send(100);
    rig.applied(head, 20).await;
    rig.check().await;
}

/// Where nobody can do better there is nothing to be left to anyone.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_alone_keeps_its_partitions_while_redis_is_away() {
    let mut rig = Rig::start(25).await;
    let (_feeder, _feeding) = rig.feeder();
    let proxy = Proxy::in_front_of(&rig.redis.socket());
    let one = rig.worker_at("one", &proxy.redis_url());
    shares(&[&one], &[4], 10).await;
    proxy.set(Mode::Refuse);
    eventually("it has been away for long", 20, async || one.status().queue_away).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((owned(&[&one]), counts(&one).leases_given_up.get()), (vec![4], 0));
    proxy.set(Mode::Pass);
    let head = rig.send(100);
    rig.applied(head, 20).await;
    rig.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_workers_than_partitions_leave_some_idle_and_ready() {
    let rig = Rig::start(23).await;
    rig.queue().add_source(SOURCE).await.unwrap();
    let workers: Vec<Worker> = (0..6).map(|n| rig.worker(&format!("w{n}"))).collect();
    let all: Vec<&Worker> = workers.iter().collect();
    let sorted = || {
        let mut owned = owned(&all);
        owned.sort_unstable();
        owned
    };
    eventually("four have one each", 15, async || sorted() == [0, 0, 1, 1, 1, 1]).await;
    assert!(workers.iter().all(|worker| worker.status().problem.is_none()), "an idle worker is ready");
}
