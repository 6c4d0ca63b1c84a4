//! The judge against real frames and the relay scenarios.

use appviewd::atproto::Cid;
use appviewd::atproto::cbor::Value;
use appviewd::atproto::frame::Frame;
use appviewd::config::ingest::Verify;
use appviewd::ingest::judge::{Judged, Verdict, judge};
use appviewd::queue::Body;
use serde_json::Value as Json;

use crate::support::data;

/// More than a commit may carry.
static ZEROS: [u8; 2_000_001] = [0; 2_000_001];

/// 2026-07-05 in microseconds: shortly after the recorded frames.
const NOW: i64 = 1_783_209_600_000_000;

fn event(frame: &[u8], now: i64, verify: Verify) -> Judged {
    match judge(frame, now, verify) {
        Verdict::Event(judged) => *judged,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_real_commit_is_accepted_with_its_proof() {
    let Some(frames) = data::frames() else { return };
    let judged: Vec<_> = frames.iter().map(|frame| event(frame, NOW, Verify::Proof)).collect();
    let commits =
        judged.iter().filter(|one| matches!(&one.event.body, Body::Commit(c) if c.fault.is_none() && c.prev_data.is_some())).count();
    let (mut identities, mut accounts) = (0, 0);
    for one in &judged {
        identities += u32::from(matches!(one.event.body, Body::Identity { .. }));
        accounts += u32::from(matches!(one.event.body, Body::Account { .. }));
        assert!(one.reject.is_none() && one.fault.is_none() && !one.chain_unchecked && one.own_time);
    }
    assert_eq!((judged.len(), commits, identities, accounts), (150, 148, 1, 1));
    let seqs: Vec<_> = judged.iter().map(|one| one.event.seq).collect();
    assert_eq!(seqs, (31_527_015_322..=31_527_015_471).collect::<Vec<_>>());
}

#[test]
fn a_time_too_far_ahead_is_replaced_by_the_clock() {
    let Some(frames) = data::frames() else { return };
    let own = event(&frames[0], NOW, Verify::Blocks).event.time;
    let just = event(&frames[0], own - 299_000_000, Verify::Blocks);
    assert_eq!((just.event.time, just.own_time), (own, true));
    let ahead = event(&frames[0], own - 301_000_000, Verify::Blocks);
    assert_eq!((ahead.event.time, ahead.own_time), (own - 301_000_000, false));
}

/// A real commit, changed in one thing.
fn changed(frame: &[u8], change: impl FnOnce(&mut appviewd::atproto::frame::CommitFrame<'_>)) -> Judged {
    let Frame::Commit(mut commit) = Frame::parse(frame).unwrap() else { panic!("no commit") };
    change(&mut commit);
    event(&Frame::Commit(commit).encode(), NOW, Verify::Proof)
}

#[test]
fn what_is_wrong_with_a_commit_is_rejected_or_marked() {
    let Some(frames) = data::frames() else { return };
    let is_create = |f: &&Vec<u8>| matches!(Frame::parse(f), Ok(Frame::Commit(c)) if c.ops.len() == 1 && c.ops[0].action == "create");
    let frame = frames.iter().find(is_create).unwrap();
    let other = Cid::dag_cbor(b"\xa0");
    let fault = |judged: Judged| {
        assert!(
            matches!(&judged.event.body, Body::Commit(c) if !c.ops.is_empty() && c.fault.as_deref().unwrap().starts_with(judged.fault.unwrap()))
        );
        judged.fault
    };
    assert_eq!(changed(frame, |_| ()).fault, None);
    assert_eq!(fault(changed(frame, |c| c.prev_data = Some(other))), Some("proof"));
    assert_eq!(fault(changed(frame, |c| c.too_big = true)), Some("too_big"));
    assert_eq!(fault(changed(frame, |c| c.ops.push(c.ops[0]))), Some("two_ops"));
    let legacy = changed(frame, |c| c.prev_data = None);
    assert!(legacy.chain_unchecked && legacy.fault.is_none());
    assert_eq!(fault(changed(frame, |c| (c.prev_data, c.ops[0].path) = (None, "app.bsky.feed.like/3zzzzzzzzzzzz"))), Some("proof"));

    let reject = |judged: Judged| {
        assert!(matches!(&judged.event.body, Body::Reject { reason, .. } if reason.starts_with(judged.reject.unwrap())));
        judged.reject
    };
    assert_eq!(reject(changed(frame, |c| c.ops[0].cid = Some(other))), Some("record_missing"));
    assert_eq!(reject(changed(frame, |c| c.ops[0].cid = None)), Some("record_missing"));
    assert_eq!(reject(changed(frame, |c| c.ops[0].action = "upsert")), Some("action"));
    assert_eq!(reject(changed(frame, |c| c.ops[0].path = "no-path")), Some("path"));
    assert_eq!(reject(changed(frame, |c| c.ops = vec![c.ops[0]; 201])), Some("ops_count"));
    assert_eq!(reject(changed(frame, |c| c.rev = "3aaa")), Some("rev"));
    assert_eq!(reject(changed(frame, |c| c.rev = "3zzzzzzzzzzzz")), Some("commit_fields"));
    assert_eq!(reject(changed(frame, |c| c.repo = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")), Some("commit_fields"));
    assert_eq!(reject(changed(frame, |c| c.commit = other)), Some("commit_block"));
    assert_eq!(reject(changed(frame, |c| c.blocks = &ZEROS)), Some("blocks_size"));
    assert_eq!(reject(changed(frame, |c| c.blocks = &ZEROS[..10])), Some("blocks"));
}

#[test]
fn a_commit_is_taken_unproven_where_the_operator_wants_so() {
    let Some(frames) = data::frames() else { return };
    let Frame::Commit(mut commit) = Frame::parse(&frames[0]).unwrap() else { panic!("no commit") };
    commit.prev_data = Some(Cid::dag_cbor(b"\xa0"));
    let bytes = Frame::Commit(commit).encode();
    assert_eq!(event(&bytes, NOW, Verify::Blocks).fault, None);
    assert_eq!(event(&bytes, NOW, Verify::Proof).fault, Some("proof"));
}

#[test]
fn messages_without_a_repo() {
    let info = Frame::Info { name: "OutdatedCursor", message: None }.encode();
    assert!(matches!(judge(&info, NOW, Verify::Proof), Verdict::Info { name, .. } if name == "OutdatedCursor"));
    let error = Frame::Error { error: "FutureCursor", message: Some("no") }.encode();
    assert!(matches!(judge(&error, NOW, Verify::Proof), Verdict::Error { error, .. } if error == "FutureCursor"));
    for bytes in [&b""[..], b"\xff", b"\xa1", b"hello", &[0xa0; 2]] {
        assert!(matches!(judge(bytes, NOW, Verify::Proof), Verdict::Unreadable { .. }), "{bytes:?}");
    }
}

/// DAG-JSON of the scenarios to the bytes of a frame. Byte strings are base64 without padding, links `{"$link"}`.
fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => Value::Int(n.as_i64().unwrap()),
        Json::String(s) => Value::text(s.as_str()),
        Json::Array(items) => Value::Array(items.iter().map(to_value).collect()),
        Json::Object(map) => match (map.get("$bytes"), map.get("$link")) {
            (Some(Json::String(text)), _) => {
                Value::Bytes(data_encoding::BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).unwrap())
            }
            (_, Some(Json::String(cid))) => Value::Link(cid.parse().unwrap()),
            _ => Value::map(map.iter().map(|(key, value)| (key.as_str(), to_value(value)))),
        },
    }
}

/// Judges a scenario's messages: for each, the `drop` flag that a verifying consumer must reach, and what was reached.
fn scenario(name: &str) -> Option<Vec<(bool, Verdict)>> {
    let json: Json = serde_json::from_slice(&data::read(&format!("relay-scenarios/{name}.json"))?).unwrap();
    let messages = json["messages"].as_array().unwrap();
    let frame = |message: &Json| [to_value(&message["frame"]["header"]).encode(), to_value(&message["frame"]["body"]).encode()].concat();
    Some(messages.iter().map(|message| (message["drop"].as_bool().unwrap(), judge(&frame(message), NOW, Verify::Proof))).collect())
}

fn is_dropped(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Event(judged) => judged.reject.is_some() || judged.fault.is_some(),
        _ => true,
    }
}

#[test]
fn the_relay_scenarios_are_judged_as_they_say() {
    let (mut messages, mut unchecked) = (0, 0);
    for (name, count) in [("account_lifecycle", 4), ("deactivation", 8), ("post_lifecycle", 6), ("post_lifecycle_legacy", 6)] {
        let Some(judged) = scenario(name) else { return };
        assert_eq!(judged.len(), count, "{name}");
        for (at, (drop, verdict)) in judged.iter().enumerate() {
            // The commit of a deactivated account: a relay drops it, here it is applied and stays hidden.
            let relays_duty = name == "deactivation" && at == 2;
            assert_eq!(is_dropped(verdict), *drop && !relays_duty, "{name}, message {at}: {verdict:?}");
            assert!(*drop || !relays_duty, "the drop that is the relay's");
            unchecked += u32::from(matches!(verdict, Verdict::Event(judged) if judged.chain_unchecked));
        }
        messages += judged.len();
    }
    assert_eq!(messages, 24);
    assert!(unchecked >= 5, "commits of legacy hosts are accepted without their chain: {unchecked}");
}
