//! The durable path while things break: each command has its effect once, or its client knows that this is open.

use std::time::Duration;

use appviewd::api::commands::SubmitError;
use appviewd::queue::command::MAX_COMMAND;
use appviewd::telemetry::metrics::Split;

use super::rig::{ALICE, BOB, CAROL, Client, id, mute, mutes, now, queue, queued, rows, scoped, unmute};
use crate::support::eventually;
use crate::support::proxy::{Mode, Proxy};
use crate::worker::rig::{Rig, Worker};

const SHORT: Duration = Duration::from_millis(700);

fn outcomes(worker: &Worker) -> Split {
    worker.telemetry.metrics().worker.commands.clone()
}

async fn drained(rig: &Rig) {
    eventually("no command waits", 20, async || queued(rig) == "0").await;
}

fn proxy_of_redis(rig: &Rig) -> Proxy {
    Proxy::in_front_of(std::path::Path::new(rig.redis.url().strip_prefix("unix://").unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_comes_twice_is_applied_once() {
    let rig = Rig::start(4).await;
    for (n, body) in [(1, mute(ALICE, BOB)), (1, mute(ALICE, BOB)), (2, unmute(ALICE, BOB)), (1, mute(ALICE, BOB))] {
        queue(&rig, n, now(), body).await;
    }
    let worker = rig.worker("one");
    drained(&rig).await;
    assert_eq!((outcomes(&worker).get("done"), outcomes(&worker).get("known")), (2, 2));
    // Also much later, when the others have gone.
    queue(&rig, 1, now(), mute(ALICE, BOB)).await;
    drained(&rig).await;
    assert_eq!((outcomes(&worker).get("done"), outcomes(&worker).get("known")), (2, 3));
    assert_eq!(mutes(&rig.postgres).await, Vec::<String>::new());
    Client::of(&rig).give_as(id(1), mute(ALICE, BOB)).await.expect("who repeats is told what was");
    assert_eq!(mutes(&rig.postgres).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_redis_that_is_lost_loses_and_doubles_no_command() {
    let rig = Rig::start(5).await;
    let proxy = proxy_of_redis(&rig);
    let client = Client::at(&rig, &proxy.redis_url(), &rig.postgres.url(), Duration::from_secs(30));
    proxy.lose_answers(b"XADD", 2);
    let giving = tokio::spawn({
        let client = client.clone();
        async move { client.give(mute(ALICE, BOB)).await }
    });
    eventually("it is there three times", 20, async || queued(&rig) == "3").await;
    assert_eq!(proxy.lost(), 2, "the fault happened");
    let worker = rig.worker("one");
    giving.await.unwrap().unwrap();
    assert_eq!(mutes(&rig.postgres).await, [format!("{ALICE} {BOB} 0")]);
    client.give(unmute(ALICE, BOB)).await.unwrap();
    drained(&rig).await;
    assert_eq!((outcomes(&worker).get("done"), outcomes(&worker).get("known")), (2, 2));
    assert_eq!(mutes(&rig.postgres).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_known_the_next_time() {
    let rig = Rig::start(6).await;
    let proxy = Proxy::of_postgres(rig.postgres.socket_dir());
    proxy.lose_answers_after(b"-- command::insert", b"COMMIT", 1);
    let worker = rig.worker_over("one", &proxy.postgres_url());
    let client = Client::at(&rig, &rig.redis.url(), &rig.postgres.url(), Duration::from_secs(20));
    client.give(mute(ALICE, BOB)).await.unwrap();
    drained(&rig).await;
    assert_eq!(proxy.lost(), 1, "the fault happened");
    assert_eq!((outcomes(&worker).get("done"), outcomes(&worker).get("known")), (0, 1));
    assert_eq!(mutes(&rig.postgres).await, [format!("{ALICE} {BOB} 0")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_effect_in_time_the_client_is_told_that_it_is_open_and_may_repeat() {
    let rig = Rig::start(7).await;
    let client = Client::at(&rig, &rig.redis.url(), &rig.postgres.url(), SHORT);
    assert_eq!(client.give_as(id(1), mute(ALICE, BOB)).await, Err(SubmitError::Unanswered));
    assert_eq!(queued(&rig), "1", "it waits for a worker");
    let worker = rig.worker("one");
    drained(&rig).await;
    assert_eq!(mutes(&rig.postgres).await, [format!("{ALICE} {BOB} 0")]);
    client.give_as(id(1), mute(ALICE, BOB)).await.unwrap();
    drained(&rig).await;
    assert_eq!(outcomes(&worker).get("done"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_emptied_redis_loses_is_not_said_to_be_done() {
    let rig = Rig::start(8).await;
    let client = Client::at(&rig, &rig.redis.url(), &rig.postgres.url(), SHORT);
    let giving = tokio::spawn({
        let client = client.clone();
        async move { client.give_as(id(1), mute(ALICE, BOB)).await }
    });
    eventually("it waits", 5, async || queued(&rig) == "1").await;
    rig.redis.cli(&["FLUSHALL"]);
    let worker = rig.worker("one");
    assert_eq!(giving.await.unwrap(), Err(SubmitError::Unanswered));
    assert_eq!(mutes(&rig.postgres).await, Vec::<String>::new());
    Client::of(&rig).give_as(id(1), mute(ALICE, BOB)).await.unwrap();
    assert_eq!((outcomes(&worker).get("done"), mutes(&rig.postgres).await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_comes_back_within_the_deadline_takes_the_command() {
    let mut rig = Rig::start(9).await;
    let (_worker, client) = (rig.worker("one"), Client::of(&rig));
    client.give(unmute(ALICE, BOB)).await.unwrap();
    rig.redis.kill();
    let giving = tokio::spawn({
        let client = client.clone();
        async move { client.give(mute(ALICE, BOB)).await }
    });
    eventually("it waits for its effect", 5, async || client.telemetry.metrics().api.commands_waiting.get() == 1).await;
    rig.redis.restart().await;
    giving.await.unwrap().unwrap();
    assert_eq!(mutes(&rig.postgres).await, [format!("{ALICE} {BOB} 0")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_commands_wait_and_the_worker_is_not_ready() {
    let rig = Rig::start(10).await;
    let proxy = Proxy::of_postgres(rig.postgres.socket_dir());
    let worker = rig.worker_over("one", &proxy.postgres_url());
    Client::of(&rig).give(unmute(ALICE, BOB)).await.unwrap();
    proxy.set(Mode::Refuse);
    let client = Client::at(&rig, &rig.redis.url(), &rig.postgres.url(), SHORT);
    assert_eq!(client.give_as(id(1), mute(ALICE, BOB)).await, Err(SubmitError::Unanswered));
    eventually("it is not ready", 20, async || worker.telemetry.metrics().worker.retries.get("commands") > 0).await;
    assert!(worker.status().problem.is_some());
    assert_eq!((queued(&rig).as_str(), proxy.refused() > 0), ("1", true));
    proxy.set(Mode::Pass);
    drained(&rig).await;
    eventually("it is ready", 20, async || worker.status().problem.is_none()).await;
    assert_eq!((outcomes(&worker).get("done"), mutes(&rig.postgres).await.len()), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn when_too_many_wait_the_next_is_not_taken() {
    let rig = Rig::start(11).await;
    let fill = "for i = 1, 10000 do redis.call('XADD', KEYS[1], '*', 'no', 'command') end";
    rig.redis.cli(&["EVAL", fill, "1", "firehose:events:commands"]);
    let client = Client::of(&rig);
    assert_eq!(client.give(mute(ALICE, BOB)).await, Err(SubmitError::Full));
    assert_eq!(queued(&rig), "10000");
    // What names no command is counted and taken off, and stands in nobody's way.
    let worker = rig.worker("one");
    drained(&rig).await;
    assert_eq!(outcomes(&worker).get("unreadable"), 10_000);
    client.give(mute(ALICE, BOB)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_full_is_told_apart_from_one_that_is_away() {
    let rig = Rig::start(12).await;
    let (_worker, client) = (rig.worker("one"), Client::of(&rig));
    client.give(mute(ALICE, BOB)).await.unwrap();
    rig.redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(client.give(unmute(ALICE, BOB)).await, Err(SubmitError::Full));
    rig.redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    client.give(unmute(ALICE, BOB)).await.unwrap();
}

/// One that can never be applied gets an answer, and those behind it their turn.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_never_be_applied_is_refused_and_holds_up_nothing() {
    let rig = Rig::start(13).await;
    let refusing = "ALTER TABLE mute ADD CONSTRAINT never CHECK (scope <> 3)";
    rig.postgres.connect().await.batch_execute(refusing).await.unwrap();
    queue(&rig, 1, now(), mute(ALICE, BOB)).await;
    queue(&rig, 2, now(), scoped(ALICE, CAROL, true, true)).await;
    queue(&rig, 3, now(), scoped(BOB, CAROL, true, false)).await;
    for (n, command) in [(4, r#"{"v":2,"time":5,"body":{}}"#), (5, "rubbish")] {
        rig.redis.cli(&["XADD", "firehose:events:commands", "*", "id", &id(n).to_string(), "command", command]);
    }
    let long = "redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], 'command', string.rep(' ', ARGV[2]))";
    rig.redis.cli(&["EVAL", long, "1", "firehose:events:commands", &id(6).to_string(), &(MAX_COMMAND + 1).to_string()]);
    rig.redis.cli(&["XADD", "firehose:events:commands", "*", "id", "7", "command", "{}"]);
    queue(&rig, 8, now() - 13 * 3600 * 1_000_000, mute(BOB, ALICE)).await;
    queue(&rig, 9, now(), mute(CAROL, ALICE)).await;
    let worker = rig.worker("one");
    drained(&rig).await;
    let metrics = outcomes(&worker);
    assert_eq!(["done", "refused", "unreadable"].map(|outcome| metrics.get(outcome)), [3, 5, 1]);
    assert_eq!(mutes(&rig.postgres).await, [format!("{ALICE} {BOB} 0"), format!("{BOB} {CAROL} 1"), format!("{CAROL} {ALICE} 0")]);
    let told = rows(&rig.postgres, "SELECT get_byte(id, 7), result ->> 'error' FROM command").await;
    let expected = [
        "1 -",
        "2 InternalServerError",
        "3 -",
        "4 MethodNotImplemented",
        "5 InvalidRequest",
        "6 InvalidRequest",
        "8 InvalidRequest",
        "9 -",
    ];
    assert_eq!(told, expected);
}
