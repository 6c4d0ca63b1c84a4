//! What is taken from a labeler, and what is refused.

use appviewd::atproto::cbor::Value;
use appviewd::sandbox::labeler::{Said, signed};

use super::p256::P256;
use super::rig::{ALICE, BOB, LABELER, START, Stand, key, said};
use crate::commands::rig::rows;
use crate::support::eventually;

fn all(vals: &[&str], did: &str) -> Vec<String> {
    let mut found: Vec<String> = vals.iter().map(|val| format!("{val} {did}")).collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_labeler_says_arrives_before_and_after_it_is_listened_to() {
    let stand = Stand::start(1).await;
    stand.labeler().say(&[said(ALICE, "one"), said(ALICE, "two")]);
    let (worker, ingest) = (stand.rig.worker("one"), stand.ingest());
    stand.applied(&worker, 1).await;
    let seq = stand.labeler().say(&[said(ALICE, "three")]);
    stand.applied(&worker, seq).await;
    assert_eq!(stand.rows().await, all(&["+one", "+two", "+three"], ALICE));
    assert_eq!((stand.at().await.as_str(), ingest.telemetry.metrics().labels.taken.get()), ("0 2", 3));
    assert_eq!(worker.telemetry.metrics().labels.applied.get("said"), 3);
    ingest.stop().await;
    worker.stop().await.unwrap();
}

/// Each of these stands beside a good one, which is taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_label_that_is_not_its_labeler_s_is_refused_and_nothing_else() {
    let stand = Stand::start(2).await;
    let (worker, ingest) = (stand.rig.worker("one"), stand.ingest());
    let good = |val: &str| signed(LABELER, &said(ALICE, val), &key(1));
    let altered = |val: &str, key: &'static str, value: Value| match good(val) {
        Value::Map(fields) => Value::Map(fields.into_iter().map(|(k, v)| if k == key { (k, value.clone()) } else { (k, v) }).collect()),
        other => other,
    };
    let unsigned = Value::map(said(ALICE, "bad").fields(LABELER));
    let bad = [
        ("signature", signed(LABELER, &said(ALICE, "bad"), &key(2))),
        ("signature", altered("good", "val", Value::text("bad"))),
        ("signature", altered("bad", "sig", Value::Bytes(vec![0; 64]))),
        ("other_src", signed(BOB, &said(ALICE, "bad"), &key(1))),
        ("unsigned", unsigned),
        ("form", Value::Int(1)),
        ("time", altered("bad", "cts", Value::text("now"))),
    ];
    let mut last = 0;
    for (n, (_, label)) in bad.iter().enumerate() {
        last = stand.labeler().send(vec![label.clone(), good(&format!("good{n}"))]);
    }
    last = last.max(stand.labeler().send_bytes(b"\xa1no frame".to_vec()));
    last = last.max(stand.labeler().say(&[said(ALICE, "good7")]));
    stand.applied(&worker, last).await;
    let goods: Vec<String> = (0..8).map(|n| format!("+good{n}")).collect();
    assert_eq!(stand.rows().await, all(&goods.iter().map(String::as_str).collect::<Vec<_>>(), ALICE));
    for (reason, count) in [("signature", 3), ("other_src", 1), ("unsigned", 1), ("form", 1), ("time", 1)] {
        assert_eq!(ingest.refused(reason), count, "{reason}");
    }
    assert_eq!((ingest.telemetry.metrics().labels.messages.get("unreadable"), ingest.telemetry.metrics().labels.taken.get()), (1, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_changed_is_asked_for_once_more() {
    let stand = Stand::start(3).await;
    let (worker, ingest) = (stand.rig.worker("one"), stand.ingest());
    let seq = stand.labeler().say(&[said(ALICE, "one")]);
    stand.applied(&worker, seq).await;
    stand.directory.directory.change(LABELER, |account| account.labeler_key = Some(key(2).multibase()));
    stand.labeler().sign_with(key(2));
    let seq = stand.labeler().say(&[said(ALICE, "two")]);
    stand.applied(&worker, seq).await;
    assert_eq!((stand.rows().await, ingest.refused("signature")), (all(&["+one", "+two"], ALICE), 0));
    // The key before is not believed any more.
    let old = signed(LABELER, &said(ALICE, "three"), &key(1));
    let seq = stand.labeler().send(vec![old]);
    stand.applied(&worker, seq).await;
    assert_eq!((stand.rows().await.len(), ingest.refused("signature")), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_and_what_ends_is_known() {
    let stand = Stand::start(4).await;
    let (worker, _ingest) = (stand.rig.worker("one"), stand.ingest());
    stand.labeler().say(&[said(ALICE, "one"), Said { exp: Some(START + 5000), ..said(ALICE, "two") }, said(BOB, "one")]);
    stand.labeler().say(&[Said { neg: true, cts: START + 1000, ..said(ALICE, "one") }]);
    // Said before it was taken back: the later time counts.
    let seq = stand.labeler().say(&[said(ALICE, "one")]);
    stand.applied(&worker, seq).await;
    assert_eq!(stand.rows().await, [format!("+one {BOB}"), format!("+two {ALICE}"), format!("-one {ALICE}")]);
    assert_eq!(rows(&stand.rig.postgres, "SELECT exp FROM label WHERE exp IS NOT NULL").await, [(START + 5000).to_string()]);
    assert_eq!(worker.telemetry.metrics().labels.applied.get("older"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_without_a_signature_are_taken_where_that_is_allowed() {
    let mut stand = Stand::start(5).await;
    stand.rig.config.labels.allow_unsigned = true;
    let (worker, ingest) = (stand.rig.worker("one"), stand.ingest());
    let unsigned = Value::map(said(ALICE, "one").fields(LABELER));
    let seq = stand.labeler().send(vec![unsigned, signed(LABELER, &said(ALICE, "two"), &key(2))]);
    stand.applied(&worker, seq).await;
    assert_eq!((stand.rows().await, ingest.refused("signature")), (all(&["+one"], ALICE), 1));
}

/// Nothing is passed over meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_labeler_whose_key_is_not_known_is_not_listened_to() {
    let stand = Stand::start(6).await;
    stand.directory.directory.change(LABELER, |account| account.labeler_key = None);
    let (worker, ingest) = (stand.rig.worker("one"), stand.ingest());
    let seq = stand.labeler().say(&[said(ALICE, "one")]);
    eventually("it was tried", 20, async || ingest.ended("no_key") > 0).await;
    assert_eq!(stand.rows().await, Vec::<String>::new());
    ingest.stop().await;
    stand.directory.directory.change(LABELER, |account| account.labeler_key = Some(key(1).multibase()));
    let _ingest = stand.ingest();
    stand.applied(&worker, seq).await;
    assert_eq!(stand.rows().await, all(&["+one"], ALICE));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_set_is_taken_in_place_of_the_document_s() {
    let mut stand = Stand::start(7).await;
    stand.directory.directory.change(LABELER, |account| account.services.clear());
    stand.rig.config.labels.default_labelers.clear();
    stand.rig.config.labels.endpoints = vec![format!("{LABELER}=ws://{}", stand.served.address)];
    let (worker, _ingest) = (stand.rig.worker("one"), stand.ingest());
    let seq = stand.labeler().say(&[said(ALICE, "one")]);
    stand.applied(&worker, seq).await;
    assert_eq!(stand.rows().await, all(&["+one"], ALICE));
}

/// A key of P-256, as many labelers' tools make them: one that signs, and its public half as documents have it.
#[tokio::test(flavor = "multi_thread")]
async fn labels_signed_by_a_key_of_p256_are_taken_and_those_by_another_are_not() {
    let stand = Stand::start(8).await;
    let (pair, other) = (P256::generate(), P256::generate());
    stand.directory.directory.change(LABELER, |account| account.labeler_key = Some(pair.multibase()));
    let (worker, ingest) = (stand.rig.worker("one"), stand.ingest());
    stand.labeler().send(vec![pair.signed(&said(ALICE, "one")), other.signed(&said(ALICE, "bad"))]);
    // Nor one whose `s` is the larger of the two, which would be a second form of the same.
    let seq = stand.labeler().send(vec![pair.signed_high(&said(ALICE, "high")), pair.signed(&said(ALICE, "two"))]);
    stand.applied(&worker, seq).await;
    assert_eq!((stand.rows().await, ingest.refused("signature")), (all(&["+one", "+two"], ALICE), 2));
}
