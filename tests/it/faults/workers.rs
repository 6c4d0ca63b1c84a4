//! Two worker processes take partitions from each other while events flow: started, killed, stopped, frozen.

use std::time::{Duration, Instant};

use crate::support::daemon::Daemon;
use crate::support::eventually;
use crate::support::stack::Stack;

/// Sends a few events at a time until `done`; fails after `secs` seconds.
async fn flow(stack: &mut Stack, what: &str, secs: u64, mut done: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < Duration::from_secs(secs), "waited {secs} s in vain: {what}");
        stack.send(20);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    begun.elapsed()
}

async fn owns(daemon: &Daemon, partitions: i64) -> bool {
    daemon.number("/worker/partitions").await == Some(partitions)
}

/// The number of sessions that wait for the apply lock.
async fn waiting(client: &tokio_postgres::Client) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn partitions_move_between_processes_under_load() {
    let mut stack = Stack::start(120).await;
    let (mut ingest, mut one, mut two) = (stack.daemon("ingest", "ingest"), stack.daemon("one", "worker"), stack.daemon("two", "worker"));
    ingest.start().await;
    one.start().await;
    flow(&mut stack, "the first has all", 10, async || owns(&one, 4).await).await;
    stack.send(3000);

    two.start().await;
    let shared = flow(&mut stack, "2 + 2 after a start", 10, async || owns(&one, 2).await && owns(&two, 2).await).await;
    assert!(one.metric("appviewd_worker_leases_given_up_total").await >= 2.0, "the first gave nothing up");

    one.kill();
    let killed = flow(&mut stack, "the other has all after a kill", 20, async || owns(&two, 4).await).await;
    assert!(killed > Duration::from_secs(4), "the killed one's leases did not run: {killed:?}");

    one.start().await;
    let back = flow(&mut stack, "2 + 2 again", 10, async || owns(&one, 2).await && owns(&two, 2).await).await;
    let did = one.metric("appviewd_worker_events_total").await;
    flow(&mut stack, "it does its share", 10, async || one.metric("appviewd_worker_events_total").await > did + 20.0).await;

    assert!(one.stop().await.success());
    let stopped = flow(&mut stack, "the other has all after a stop", 4, async || owns(&two, 4).await).await;
    println!(
        "shared after {shared:?}, taken over after a kill in {killed:?}, shared again in {back:?}, taken over after a stop in {stopped:?}"
    );
    let last = stack.send(200);
    two.applied(last, 60).await;
    stack.equals_model().await;
}

/// Its transaction waits for the apply lock, then for its process, which sleeps for longer than its leases run.
#[tokio::test]
async fn a_frozen_worker_s_commit_is_refused() {
    let mut stack = Stack::start(121).await;
    let (mut ingest, mut one, mut two) = (stack.daemon("ingest", "ingest"), stack.daemon("one", "worker"), stack.daemon("two", "worker"));
    ingest.start().await;
    one.start().await;
    two.start().await;
    flow(&mut stack, "2 + 2", 15, async || owns(&one, 2).await && owns(&two, 2).await).await;

    // One at a time over all processes: while somebody holds the lock, both wait for it and nothing moves.
    let holder = stack.postgres.connect().await;
    let client = stack.postgres.connect().await;
    holder.execute("SELECT pg_advisory_lock(x'6170707669657702'::int8)", &[]).await.unwrap();
    stack.send(500);
    eventually("both processes wait for the apply lock", 10, async || waiting(&client).await == 2).await;
    let offsets = stack.offsets().await;
    let last = stack.send(500);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((stack.offsets().await, waiting(&client).await), (offsets, 2), "somebody applied without the lock");

    one.freeze();
    holder.execute("SELECT pg_advisory_unlock_all()", &[]).await.unwrap();
    eventually("the other has all", 30, async || owns(&two, 4).await).await;
    two.applied(last, 60).await;
    let done = stack.dump().await;
    one.thaw();
    eventually("the thawed one's commit is refused", 20, async || one.metric("appviewd_worker_lost_total").await > 0.0).await;
    eventually("and it notices", 10, async || one.metric("appviewd_worker_leases_lost_total").await > 1.0).await;
    assert_eq!(stack.dump().await, done, "something was done twice");
    flow(&mut stack, "2 + 2 again", 15, async || owns(&one, 2).await && owns(&two, 2).await).await;
    let last = stack.send(300);
    two.applied(last, 60).await;
    one.applied(last, 10).await;
    stack.equals_model().await;
}

/// What it believes to be the offset lies below the floor, as after a PostgreSQL that went back: but PostgreSQL did not.
#[tokio::test]
async fn a_worker_that_was_left_behind_begins_no_stream_anew() {
    let mut stack = Stack::start(124).await;
    let (mut one, mut two) = (stack.daemon("one", "worker"), stack.daemon("two", "ingest,worker"));
    one.start().await;
    two.start().await;
    flow(&mut stack, "2 + 2", 15, async || owns(&one, 2).await && owns(&two, 2).await).await;
    let last = stack.send(100);
    one.applied(last, 30).await;
    one.freeze();
    eventually("the other has all", 30, async || owns(&two, 4).await).await;
    let left_behind = last;
    let last = stack.send(300);
    two.applied(last, 30).await;
    eventually("the queue is trimmed", 10, async || stack.floors().iter().all(|floor| *floor > left_behind)).await;
    one.thaw();
    flow(&mut stack, "2 + 2 again", 15, async || owns(&one, 2).await && owns(&two, 2).await).await;
    let last = stack.send(100);
    one.applied(last, 30).await;
    assert!(!one.get("/metrics").await.unwrap().contains("appviewd_queue_begun_total{reason=\"ahead\"}"), "a stream was begun anew");
    assert_eq!(stack.relay.stats().frames(), u64::try_from(stack.frames.len()).unwrap(), "the relay was read again");
    stack.equals_model().await;
}

#[tokio::test]
async fn postgresql_is_away_for_longer_than_a_lease() {
    let mut stack = Stack::start(122).await;
    let (mut one, mut two) = (stack.daemon("one", "ingest,worker"), stack.daemon("two", "worker"));
    one.start().await;
    two.start().await;
    flow(&mut stack, "2 + 2", 15, async || owns(&one, 2).await && owns(&two, 2).await).await;
    stack.postgres.kill();
    let last = stack.send(1000);
    eventually("ingest goes on", 20, async || stack.queued(last)).await;
    tokio::time::sleep(Duration::from_secs(11)).await;
    stack.postgres.restart().await;
    one.applied(last, 30).await;
    for daemon in [&one, &two] {
        eventually("it owns its share", 10, async || owns(daemon, 2).await).await;
        eventually("it is ready", 10, async || daemon.get("/ready").await.is_some_and(|page| page == "ready\n")).await;
        let complaints = daemon.said().lines().filter(|line| line.contains("tries again")).count();
        assert!(complaints < 15, "a worker that waits keeps quiet, but said {complaints} things");
    }
    stack.equals_model().await;
}

/// A spare that owns nothing costs next to nothing.
#[tokio::test]
async fn an_idle_worker_burns_no_cpu() {
    let mut stack = Stack::start(123).await;
    let mut one = stack.daemon("one", "ingest,worker");
    one.start().await;
    let mut spare = stack.daemon("spare", "worker");
    flow(&mut stack, "the first has all", 10, async || owns(&one, 4).await).await;
    // Nobody gives up anything to a worker that is not seen.
    let hide = "CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.roles := ''''; RETURN NEW; END';
        CREATE TRIGGER hide BEFORE INSERT OR UPDATE ON heartbeat FOR EACH ROW WHEN (NEW.process = 'spare') EXECUTE FUNCTION hide()";
    stack.postgres.connect().await.batch_execute(hide).await.unwrap();
    spare.start().await;
    one.applied(stack.send(100), 30).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = [&one, &spare].map(Daemon::cpu);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let used = [one.cpu() - before[0], spare.cpu() - before[1]];
    println!("CPU seconds in 5 s of rest: owner of all {:.2}, spare {:.2}", used[0], used[1]);
    assert!(owns(&spare, 0).await && spare.get("/ready").await.is_some_and(|page| page == "ready\n"), "a spare is ready");
    assert!(used[1] < 0.5, "a spare worker uses {:.2} s of CPU in 5 s", used[1]);
}
