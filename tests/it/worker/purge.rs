//! Deleted accounts in a running worker: the background purge, and a partition that waits for it.

use appviewd::queue::{Body, Event};

use super::feeder::Feeder;
use super::rig::Rig;
use crate::index::kit::{BEGIN, POST, Repo, create, post};
use crate::support::dump::miscounts;
use crate::support::eventually;
use crate::support::owned::owned;

/// Gives the events to the feeder under the next numbers; the last of them.
fn push(feeder: &Feeder, events: impl IntoIterator<Item = Event>) -> i64 {
    let mut log = feeder.log.lock().unwrap();
    for event in events {
        let seq = log.last().map_or(0, |event| event.seq) + 1;
        log.push(Event { seq, ..event });
    }
    log.last().map_or(0, |event| event.seq)
}

fn account(repo: &Repo, second: i64, active: bool, status: Option<&str>) -> Event {
    Event { time: BEGIN + second * 1_000_000, ..repo.event(Body::Account { active, status: status.map(str::to_owned) }) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_waits_for_a_purge_of_several_batches_and_goes_on() {
    let rig = Rig::start(20).await;
    let (feeder, _feeding) = rig.feeder();
    let worker = rig.worker("one");
    let (mut alice, mut others) = (Repo::new("alice"), (0..20).map(|n| Repo::new(&format!("o{n}"))).collect::<Vec<_>>());
    let first = push(&feeder, [alice.commit([create(POST, 1, &post("old", 1))])]);
    rig.applied(first, 30).await;
    let client = rig.postgres.connect().await;
    let many = "INSERT INTO \"like\" (rkey, sr, author, sa, flags) SELECT n, n, id, id, 8 FROM account, generate_series(1, 12000) n";
    client.batch_execute(many).await.unwrap();
    push(&feeder, [account(&alice, 1, false, Some("deleted")), account(&alice, 2, true, None)]);
    let head = push(&feeder, [alice.commit([create(POST, 2, &post("new", 2))])]);
    let head = others.iter_mut().map(|repo| push(&feeder, [repo.commit([create(POST, 3, &post("other", 3))])])).max().unwrap_or(head);
    rig.applied(head, 30).await;
    let metrics = &worker.telemetry.metrics().worker;
    assert_eq!((metrics.purges.get(), metrics.purged_rows.get()), (1, 12_001));
    assert_eq!(metrics.events.get(), u64::try_from(head).unwrap());
    let mut left = owned(&client, "did:plc:alice").await;
    left.sort();
    let kept = ["identity.account", "post.author"].map(|column| (column.to_owned(), 1));
    assert_eq!(left, kept, "she is born again before the purge: what is to be resolved is of her new life");
    assert_eq!(miscounts(&client).await, [""; 0]);
    push(&feeder, [account(&alice, 3, false, Some("deleted"))]);
    eventually("nobody waits for the second purge, and it is done", 10, async || owned(&client, "did:plc:alice").await.is_empty()).await;
    eventually("/status tells of no purge", 10, async || worker.status().purges == 0 && metrics.purges.get() == 2).await;
    assert_eq!(worker.status().problem, None);
}
