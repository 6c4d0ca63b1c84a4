//! Nothing goes wrong: the yardstick of all other tests here.

use crate::support::stack::Stack;

#[tokio::test]
async fn what_the_relay_sends_is_what_postgresql_holds() {
    let mut stack = Stack::start(1).await;
    let mut daemon = stack.daemon("all", "ingest,worker,api");
    daemon.start().await;
    let last = stack.send(3000);
    daemon.applied(last, 60).await;
    let model = stack.equals_model().await;
    assert!(!daemon.said().contains("cannot take role"), "the api began before its database role was there");
    assert!(model.records.len() > 2000 && model.repos.len() >= 20 && !model.dead_letters.is_empty(), "the network did too little");
    assert!(daemon.stop().await.success());
    // The comparison is worth something: it notices one row and one count.
    let client = stack.postgres.connect().await;
    for change in [
        "DELETE FROM post WHERE ctid = (SELECT min(ctid) FROM post)",
        "UPDATE post_stat SET likes = likes + 1 WHERE ctid = (SELECT min(ctid) FROM post_stat WHERE likes > 0)",
    ] {
        let before = stack.dump().await;
        assert_eq!(client.execute(change, &[]).await.unwrap(), 1, "{change}");
        assert_ne!(stack.dump().await, before, "{change}");
    }
}

#[tokio::test]
async fn roles_split_over_processes_give_the_same_rows_as_all_in_one() {
    let mut stack = Stack::start(2).await;
    let mut daemons = ["ingest", "worker", "api"].map(|role| stack.daemon(role, role));
    for daemon in &mut daemons {
        daemon.start().await;
    }
    let last = stack.send(1500);
    daemons[1].applied(last, 60).await;
    stack.equals_model().await;
    let split = stack.dump().await;
    let mut other = Stack::start(2).await;
    let mut one = other.daemon("all", "ingest,worker,api");
    one.start().await;
    let last = other.send(1500);
    one.applied(last, 60).await;
    assert_eq!(other.dump().await, split);
}

#[tokio::test]
async fn a_daemon_that_starts_without_a_cursor_starts_live() {
    let mut stack = Stack::start(3).await;
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.unset("RELAY_CURSOR").start().await;
    crate::support::eventually("ingest is connected", 20, async || stack.relay.stats().connections() > 0).await;
    let last = stack.send(400);
    daemon.applied(last, 60).await;
    assert_eq!(stack.relay.stats().cursors()[0], None);
    stack.equals_model().await;
}
