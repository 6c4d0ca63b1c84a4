//! What breaks on the way of labels loses none, doubles none, and stops nobody else.

use appviewd::atproto::cbor::Value;
use appviewd::sandbox::labeler::message;
use appviewd::sandbox::relay::Fault;

use super::rig::{ALICE, BOB, LABELER, Stand, key, said, serve};
use crate::commands::rig::rows;
use crate::support::eventually;
use crate::support::proxy::Proxy;
use crate::support::stack::Stack;

/// Says `n` things of ALICE, each in a message of its own; the last number.
fn say(stand: &Stand, from: usize, n: usize) -> i64 {
    let said: Vec<i64> = (from..from + n).map(|n| stand.labeler().say(&[said(ALICE, &format!("v{n}"))])).collect();
    *said.last().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_come_again_or_not_at_first_are_applied_once() {
    let stand = Stand::start(1).await;
    for (seq, fault) in [
        (3, Fault::Repeat(4)),
        (8, Fault::Drop),
        (12, Fault::Rewind(5)),
        (15, Fault::UnknownType),
        (17, Fault::OutdatedCursor),
        (20, Fault::Error { error: "ConsumerTooSlow", message: "x" }),
    ] {
        stand.labeler().relay.faults.once(seq, fault);
    }
    let (worker, ingest) = (stand.rig.worker("one"), stand.ingest());
    let last = say(&stand, 0, 30);
    stand.applied(&worker, last).await;
    assert_eq!(stand.rows().await.len(), 30);
    let (applied, messages) = (&worker.telemetry.metrics().labels.applied, &ingest.telemetry.metrics().labels.messages);
    assert_eq!((applied.get("said"), applied.get("older")), (30, 0));
    assert!(messages.get("repeated") >= 9, "the faults happened: {}", messages.get("repeated"));
    assert_eq!((messages.get("unknown"), messages.get("info"), messages.get("error")), (1, 1, 1));
    assert_eq!(stand.at().await, format!("0 {last}"));
}

/// A labeler that lost its newest numbers has new labels under them: it is read from its beginning.
#[tokio::test(flavor = "multi_thread")]
async fn a_labeler_that_is_behind_our_cursor_has_begun_anew() {
    let stand = Stand::keeping(2, 3).await;
    let (worker, ingest) = (stand.rig.worker("one"), stand.ingest());
    ingest.connected().await;
    // One after the other, since it keeps the newest three.
    let mut last = 0;
    for n in 0..10 {
        last = say(&stand, n, 1);
        stand.applied(&worker, last).await;
    }
    assert_eq!((stand.rows().await.len(), last), (10, 10));
    stand.labeler().relay.log.renumber(1).unwrap();
    eventually("it is noticed", 20, async || ingest.telemetry.metrics().labels.renumbered.get() == 1).await;
    let last = stand.labeler().say(&[said(BOB, "new")]);
    assert_eq!(last, 4);
    eventually("the new one is there", 20, async || stand.rows().await.len() == 11).await;
    eventually("the place is of the next epoch", 20, async || stand.at().await == "1 4").await;
    assert_eq!((ingest.refused("signature"), ingest.telemetry.metrics().labels.renumbered.get()), (0, 1));
}

/// Its newest number lies ahead of our cursor again by the time it is asked, so that it does not complain: what it said last under our number
/// tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_labeler_that_began_anew_and_has_passed_our_cursor_is_noticed() {
    let stand = Stand::keeping(8, 12).await;
    let (worker, ingest) = (stand.rig.worker("one"), stand.ingest());
    ingest.connected().await;
    let mut last = 0;
    for n in 0..20 {
        last = say(&stand, n, 1);
        stand.applied(&worker, last).await;
    }
    assert_eq!((stand.rows().await.len(), last), (20, 20));
    ingest.stop().await;
    stand.labeler().relay.log.renumber(1).unwrap();
    let last = say(&stand, 20, 10);
    assert_eq!(last, 22);
    let ingest = stand.ingest();
    eventually("all that is new is there", 20, async || stand.rows().await.len() == 30).await;
    eventually("the place is of the next epoch", 20, async || stand.at().await == "1 22").await;
    assert_eq!(ingest.telemetry.metrics().labels.renumbered.get(), 1);
}

/// Labelers give what they say again another number, so that an old one is missing; sign again with a new key; and join in one message what they
/// said in several.
#[tokio::test(flavor = "multi_thread")]
async fn a_labeler_that_no_longer_has_its_last_word_or_signs_it_anew_goes_on() {
    let stand = Stand::start(9).await;
    let (worker, ingest) = (stand.rig.worker("one"), stand.ingest());
    let last = say(&stand, 0, 5);
    stand.applied(&worker, last).await;
    ingest.stop().await;
    stand.directory.directory.change(LABELER, |account| account.labeler_key = Some(key(2).multibase()));
    stand.labeler().sign_with(key(2));
    let signed = |n: usize| appviewd::sandbox::labeler::signed(LABELER, &said(ALICE, &format!("v{n}")), &key(2));
    stand.labeler().relay.log.alter(5, Some(message(5, vec![signed(3), signed(4)]).into()));
    let last = say(&stand, 5, 1);
    let ingest = stand.ingest();
    stand.applied(&worker, last).await;
    assert_eq!((stand.at().await.as_str(), ingest.telemetry.metrics().labels.messages.get("repeated")), ("0 6", 1));
    ingest.stop().await;
    stand.labeler().relay.log.alter(6, None);
    let last = say(&stand, 6, 1);
    let ingest = stand.ingest();
    stand.applied(&worker, last).await;
    assert_eq!((stand.at().await.as_str(), ingest.telemetry.metrics().labels.renumbered.get()), ("0 7", 0));
}

/// Both look; which of them owns partition 0 changes while they do.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_workers_that_apply_each_label_is_applied_once() {
    let stand = Stand::start(10).await;
    let (_ingest, one) = (stand.ingest(), stand.rig.worker("one"));
    let last = say(&stand, 0, 10);
    stand.applied(&one, last).await;
    let two = stand.rig.worker("two");
    let mut last = 0;
    for n in 2..40 {
        last = say(&stand, n * 5, 5);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    stand.applied(&one, last).await;
    stand.applied(&two, last).await;
    let counts = |worker: &crate::worker::rig::Worker| {
        let applied = &worker.telemetry.metrics().labels.applied;
        (applied.get("said"), applied.get("older"))
    };
    let (mine, yours) = (counts(&one), counts(&two));
    assert_eq!((mine.0 + yours.0, mine.1 + yours.1), (200, 0), "{mine:?} {yours:?}");
    // The first ends: the second has what comes now.
    let before = counts(&two).0;
    one.stop().await.unwrap();
    let last = say(&stand, 200, 20);
    stand.applied(&two, last).await;
    assert_eq!(stand.rows().await.len(), 220);
    assert_eq!(counts(&two).0 - before, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_of_a_commit_whose_answer_is_lost_are_not_applied_again() {
    let stand = Stand::start(3).await;
    let proxy = Proxy::of_postgres(stand.rig.postgres.socket_dir());
    proxy.lose_answers_after(b"-- label::put", b"COMMIT", 1);
    let (worker, _ingest) = (stand.rig.worker_over("one", &proxy.postgres_url()), stand.ingest());
    let last = say(&stand, 0, 5);
    stand.applied(&worker, last).await;
    let last = say(&stand, 5, 5);
    stand.applied(&worker, last).await;
    assert_eq!((proxy.lost(), stand.rows().await.len()), (1, 10));
    assert_eq!(worker.telemetry.metrics().labels.applied.get("older"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_an_emptied_redis_loses_are_read_again() {
    let stand = Stand::start(4).await;
    let worker = stand.rig.worker("one");
    let ingest = stand.ingest();
    let last = say(&stand, 0, 5);
    stand.applied(&worker, last).await;
    worker.stop().await.unwrap();
    let last = say(&stand, 5, 5);
    eventually("they are in the queue", 20, async || ingest.telemetry.metrics().labels.taken.get() == 10).await;
    stand.rig.redis.cli(&["FLUSHALL"]);
    let worker = stand.rig.worker("two");
    stand.applied(&worker, last).await;
    assert_eq!((stand.rows().await.len(), stand.at().await), (10, format!("0 {last}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_postgresql_lost_are_read_again() {
    let stand = Stand::start(5).await;
    let (worker, _ingest) = (stand.rig.worker("one"), stand.ingest());
    let last = say(&stand, 0, 10);
    stand.applied(&worker, last).await;
    worker.stop().await.unwrap();
    let back = "DELETE FROM label WHERE cts = 1700000000000000; UPDATE labeler SET seq = 0";
    stand.rig.postgres.connect().await.batch_execute(back).await.unwrap();
    let worker = stand.rig.worker("two");
    eventually("they are there again", 30, async || stand.rows().await.len() == 10).await;
    stand.applied(&worker, last).await;
}

/// One is not there, one sends what nobody can use without end, one sends more than anybody takes; the fourth is heard.
#[tokio::test(flavor = "multi_thread")]
async fn a_labeler_that_is_away_or_hostile_stops_no_other() {
    let mut stand = Stand::start(6).await;
    let (away, garbage, huge) =
        ("did:plc:awayaaaaaaaaaaaaaaaaaaaa", "did:plc:garbageaaaaaaaaaaaaaaaaa", "did:plc:hugeaaaaaaaaaaaaaaaaaaaa");
    let (bad, large) = (serve(garbage, 10_000), serve(huge, 10));
    for served in [&bad, &large] {
        served.labeler.known_to(&stand.directory.directory, &format!("http://{}", served.address));
    }
    stand.rig.config.labels.default_labelers.extend([garbage.to_owned(), huge.to_owned()]);
    stand.rig.config.labels.endpoints = vec![format!("{away}=ws://127.0.0.1:9")];
    for n in 0..600 {
        bad.labeler.send_bytes(vec![0xff; 100]);
        bad.labeler.send(vec![Value::Int(n)]);
    }
    large.labeler.send_bytes(vec![0; 2 << 20]);
    let (worker, ingest) = (stand.rig.worker("one"), stand.ingest());
    let last = say(&stand, 0, 5);
    stand.applied(&worker, last).await;
    assert_eq!(stand.rows().await.len(), 5);
    eventually("each has been met", 20, async || ["no_document", "faults", "too_large"].iter().all(|reason| ingest.ended(reason) > 0))
        .await;
    // What is good of the bad one comes through, since it is passed on from where it was.
    let seq = bad.labeler.say(&[said(BOB, "good")]);
    stand.applied_of(&worker, garbage, seq).await;
    assert!(stand.rows().await.contains(&format!("+good {BOB}")));
    assert_eq!(rows(&stand.rig.postgres, "SELECT count(*) FROM labeler").await, ["4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_listen_each_label_is_queued_once() {
    let stand = Stand::start(7).await;
    let (worker, one, two) = (stand.rig.worker("one"), stand.ingest(), stand.ingest());
    let mut last = 0;
    for n in 0..20 {
        last = say(&stand, n * 5, 5);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    stand.applied(&worker, last).await;
    let taken = |ingest: &super::rig::Ingest| ingest.telemetry.metrics().labels.taken.get();
    assert_eq!((stand.rows().await.len(), taken(&one) + taken(&two)), (100, 100));
    assert_eq!(worker.telemetry.metrics().labels.applied.get("said"), 100);
}

/// The whole daemon, which dies at `failpoint`.
async fn dies_and_loses_nothing(seed: u64, failpoint: &str) {
    let stack = Stack::start(seed).await;
    let directory = crate::support::directory::TestDirectory::start().await;
    let served = serve(LABELER, 1000);
    served.labeler.known_to(&directory.directory, &format!("http://{}", served.address));
    for n in 0..20 {
        served.labeler.say(&[said(ALICE, &format!("v{n}"))]);
    }
    let mut daemon = stack.daemon("all", "ingest,worker");
    daemon.set("PLC_URL", directory.url()).set("DEFAULT_LABELERS", LABELER).set("DISABLE_SSRF_PROTECTION", "true");
    daemon.dies_at(failpoint, 30).await;
    for n in 20..40 {
        served.labeler.say(&[said(ALICE, &format!("v{n}"))]);
    }
    daemon.start().await;
    let held = async || rows(&stack.postgres, "SELECT seq, (SELECT count(*) FROM label) FROM labeler").await;
    eventually("all labels are applied", 30, async || held().await == ["40 40"]).await;
    let status = daemon.status().await.unwrap();
    assert_eq!(status["labels"][LABELER], 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_after_labels_are_queued() {
    dies_and_loses_nothing(31, "label.after_append").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_before_labels_are_committed() {
    dies_and_loses_nothing(32, "label.before_commit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_after_labels_are_committed() {
    dies_and_loses_nothing(33, "label.after_commit").await;
}
