//! Workers that die, several of them, and commands beside events.

use std::time::{Duration, Instant};

use super::rig::{ALICE, BOB, CAROL, Client, id, mute, mutes, now, queue, rows, seen};
use crate::support::eventually;
use crate::support::stack::Stack;
use crate::worker::rig::Rig;

/// Has a worker process die at `failpoint` with one command, takes the effect away where there is one, and starts it again: whether the
/// command was applied (again).
async fn after_a_death_at(failpoint: &str) -> (usize, usize) {
    let stack = Stack::start(31).await;
    let mut daemon = stack.daemon("worker", "worker");
    daemon.start().await;
    let config = appviewd::config::Config::default();
    let queue = appviewd::queue::Queue::new(&stack.redis.url(), &config.queue.key, &config.queue.group);
    let command = appviewd::queue::Command { id: id(1), time: now(), body: mute(ALICE, BOB) };
    daemon.kill();
    queue.add_command(command.id, command.encode().unwrap().into()).await.unwrap();
    daemon.dies_at(failpoint, 30).await;
    let client = stack.postgres.connect().await;
    let first = usize::try_from(client.execute("DELETE FROM mute", &[]).await.unwrap()).unwrap();
    daemon.start().await;
    eventually("the command is gone", 20, async || queue.commands_waiting().await.unwrap() == 0).await;
    assert_eq!(rows(&stack.postgres, "SELECT result FROM command").await, ["{}"]);
    (first, mutes(&stack.postgres).await.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_before_its_commit_has_done_nothing() {
    assert_eq!(after_a_death_at("command.before_commit").await, (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_after_its_commit_has_done_it_for_good() {
    assert_eq!(after_a_death_at("command.after_commit").await, (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_step_in_where_the_first_is_gone() {
    let rig = Rig::start(14).await;
    let (_feeder, _feeding) = rig.feeder();
    let first = rig.worker("first");
    let owner = async || rows(&rig.postgres, "SELECT owner FROM lease WHERE part = 0").await;
    eventually("it goes first", 20, async || owner().await == ["first"]).await;
    let second = rig.worker("second");
    drop(first);
    let began = Instant::now();
    Client::of(&rig).give(mute(ALICE, BOB)).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(8), "it waited for a lease: {:?}", began.elapsed());
    assert_eq!(second.telemetry.metrics().worker.commands.get("done"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_and_workers_apply_each_command_once() {
    let rig = Rig::start(15).await;
    let workers = [rig.worker("one"), rig.worker("two"), rig.worker("three")];
    let clients = [Client::of(&rig), Client::of(&rig)];
    let giving = (0..200_u64).map(|n| {
        let client = clients[usize::try_from(n % 2).unwrap()].clone();
        async move { client.give_as(id(n), seen(&format!("did:example:{}", n % 50), i64::try_from(n).unwrap())).await }
    });
    for outcome in futures_util::future::join_all(giving).await {
        outcome.unwrap();
    }
    assert_eq!(rows(&rig.postgres, "SELECT count(*) FROM command").await, ["200"]);
    assert_eq!(rows(&rig.postgres, "SELECT count(*) FROM seen").await, ["50"]);
    let done: u64 = workers.iter().map(|worker| worker.telemetry.metrics().worker.commands.get("done")).sum();
    assert_eq!(done, 200);
    let asked = rows(&rig.postgres, "SELECT count(DISTINCT xmin::text) < 200 FROM command").await;
    assert_eq!(asked, ["t"], "some were applied together");
}

/// The command cannot be applied, so that it waits for as long as the test likes.
#[tokio::test(flavor = "multi_thread")]
async fn events_are_applied_in_small_batches_while_a_command_waits() {
    let mut rig = Rig::start(16).await;
    let (_feeder, _feeding) = rig.feeder();
    let first = rig.send(10);
    rig.worker_until(first).await;
    let head = rig.send(4000);
    eventually("all is queued", 30, async || {
        let positions = rig.queue().positions(&crate::worker::rig::SOURCE.into(), crate::worker::rig::PARTITIONS).await.unwrap();
        positions.iter().all(|at| at.is_some_and(|at| at.seq == head))
    })
    .await;
    rig.postgres.connect().await.batch_execute("ALTER TABLE command RENAME TO elsewhere").await.unwrap();
    queue(&rig, 1, now(), mute(ALICE, CAROL)).await;
    let worker = rig.worker("one");
    rig.applied(head, 60).await;
    let scraped = worker.telemetry.scrape();
    let bucket = |bound: &str| {
        let name = format!("appviewd_worker_batch_events_bucket{{le=\"{bound}\"}} ");
        scraped.lines().find_map(|line| line.strip_prefix(&name)?.parse::<u64>().ok()).unwrap_or_else(|| panic!("{scraped}"))
    };
    assert!(bucket("+Inf") >= 8, "{}", bucket("+Inf"));
    assert_eq!(bucket("500.0"), bucket("+Inf"), "a batch of more than 500 events");
    rig.postgres.connect().await.batch_execute("ALTER TABLE elsewhere RENAME TO command").await.unwrap();
    eventually("the command is applied", 20, async || mutes(&rig.postgres).await.len() == 1).await;
}
