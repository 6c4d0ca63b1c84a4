//! The frames of a network, judged by the protocol's own rules.

use std::collections::{BTreeMap, HashMap, HashSet};

use appviewd::atproto::car::Car;
use appviewd::atproto::cbor::Value;
use appviewd::atproto::commit::SignedCommit;
use appviewd::atproto::frame::{CommitFrame, Frame};
use appviewd::atproto::mst::{self, ProofOp};
use appviewd::atproto::{AtUri, Cid};
use appviewd::lexicon;
use appviewd::sandbox::Network;

fn frames(seed: u64, accounts: usize, events: usize) -> Vec<Vec<u8>> {
    let mut network = Network::new(seed, accounts);
    (0..events).map(|_| network.next_event().unwrap().frame).collect()
}

#[test]
fn the_same_seed_gives_the_same_frames() {
    assert_eq!(frames(7, 40, 1500), frames(7, 40, 1500));
    assert_ne!(frames(7, 40, 100), frames(8, 40, 100));
}

#[test]
fn every_commit_holds_its_records_its_proof_and_its_signature() {
    let network = Network::new(3, 60);
    let keys: HashMap<_, _> = (0..60).map(|i| (network.did(i), network.signing_key(i).unwrap().public_key())).collect();
    let (mut commits, mut legacy) = (0, 0);
    let mut heads: HashMap<String, (String, Cid)> = HashMap::new();
    for bytes in frames(3, 60, 3000) {
        let Frame::Commit(frame) = Frame::parse(&bytes).unwrap() else { continue };
        let car = Car::parse(frame.blocks).unwrap();
        let commit = SignedCommit::decode(car.get(&frame.commit).unwrap()).unwrap();
        assert_eq!((commit.did, commit.rev.to_string().as_str()), (frame.repo, frame.rev));
        assert!(commit.verify(&keys[frame.repo]), "signature of {}", frame.repo);
        let before = heads.insert(frame.repo.to_owned(), (frame.rev.to_owned(), commit.data));
        assert_eq!(frame.since, before.as_ref().map(|b| b.0.as_str()));
        for op in frame.ops.iter().filter(|op| op.action != "delete") {
            assert!(car.get(&op.cid.unwrap()).is_some(), "record of {}", op.path);
        }
        commits += 1;
        match frame.prev_data {
            Some(prev) => {
                assert_eq!(prev, before.map_or(*mst::EMPTY_ROOT, |b| b.1));
                assert_eq!(mst::invert(&car, &commit.data, &proof_ops(&frame)).unwrap(), prev);
            }
            None => legacy += 1,
        }
    }
    assert!(commits > 2500 && legacy > 5, "{commits} commits, {legacy} legacy");
}

fn proof_ops<'a>(frame: &CommitFrame<'a>) -> Vec<ProofOp<'a>> {
    frame.ops.iter().map(|op| ProofOp { path: op.path, cid: op.cid, prev: op.prev }).collect()
}

#[test]
fn the_mix_is_the_one_that_was_promised() {
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    let mut ops = 0;
    for bytes in frames(5, 100, 20_000) {
        match Frame::parse(&bytes).unwrap() {
            Frame::Commit(frame) => {
                for op in &frame.ops {
                    let collection = op.path.split('/').next().unwrap();
                    *kinds.entry(if op.action == "create" { collection.to_owned() } else { op.action.to_owned() }).or_default() += 1;
                    ops += 1;
                }
            }
            Frame::Sync(_) => *kinds.entry("#sync".to_owned()).or_default() += 1,
            Frame::Identity(_) => *kinds.entry("#identity".to_owned()).or_default() += 1,
            Frame::Account(frame) => *kinds.entry(format!("#account {}", frame.active)).or_default() += 1,
            other => panic!("{other:?}"),
        }
    }
    let share = |kind: &str| f64::from(kinds.get(kind).copied().unwrap_or(0)) * 100.0 / f64::from(ops);
    for (kind, promised) in [
        ("app.bsky.feed.like", 55.0),
        ("app.bsky.feed.post", 15.0),
        ("app.bsky.graph.follow", 12.0),
        ("app.bsky.feed.repost", 10.0),
        ("delete", 5.0),
    ] {
        assert!((share(kind) - promised).abs() < 3.0, "{kind}: {:.1} % and not {promised} %", share(kind));
    }
    let all = [
        "update",
        "#sync",
        "#identity",
        "#account true",
        "#account false",
        "app.bsky.graph.block",
        "app.bsky.actor.profile",
        "com.example.sandbox.note",
    ];
    for kind in all.into_iter().chain(["app.bsky.feed.generator", "app.bsky.graph.list", "app.bsky.graph.listitem"]) {
        assert!(kinds.contains_key(kind), "no {kind} in {kinds:?}");
    }
}

#[test]
fn the_events_hold_what_an_index_finds_hard() {
    let mut network = Network::new(11, 40);
    let (mut via, mut replies, mut deep, mut quotes, mut nulls, mut duplicates) = (0, 0, 0, 0, 0, 0);
    let mut pairs = HashSet::new();
    for _ in 0..8000 {
        let made = network.next_event().unwrap();
        let Frame::Commit(frame) = Frame::parse(&made.frame).unwrap() else { continue };
        let car = Car::parse(frame.blocks).unwrap();
        for (op, record) in frame.ops.iter().filter_map(|op| Some((op, Value::decode(car.get(&op.cid?)?).unwrap()))) {
            via += u32::from(record.get("via").is_some());
            if let Some(reply) = record.get("reply") {
                replies += 1;
                deep += u32::from(reply.get("root") != reply.get("parent"));
            }
            quotes += u32::from(record.get("embed").and_then(|e| e.get("record")).is_some());
            nulls += u32::from(record.get("text").and_then(Value::as_text).is_some_and(|t| t.contains('\0')));
            if let Some(uri) = record.get("subject").and_then(|s| s.get("uri")).and_then(Value::as_text) {
                assert!(AtUri::parse(uri).is_some(), "{uri}");
                let pair = (frame.repo.to_owned(), op.path.split('/').next().map(str::to_owned), uri.to_owned());
                duplicates += u32::from(!pairs.insert(pair));
            }
        }
    }
    for (what, count) in
        [("via", via), ("replies", replies), ("deep", deep), ("quotes", quotes), ("U+0000", nulls), ("duplicates", duplicates)]
    {
        assert!(count >= 5, "{what}: {count}");
    }
    assert!(network.invalid().len() >= 3);
}

#[test]
fn records_are_valid_but_for_those_that_are_marked() {
    let mut network = Network::new(13, 50);
    let frames: Vec<_> = (0..6000).map(|_| network.next_event().unwrap().frame).collect();
    let (mut valid, mut invalid) = (0, 0);
    for bytes in &frames {
        let Frame::Commit(frame) = Frame::parse(bytes).unwrap() else { continue };
        let car = Car::parse(frame.blocks).unwrap();
        for (op, cid) in frame.ops.iter().filter_map(|op| Some((op, op.cid?))) {
            let (collection, rkey) = op.path.split_once('/').unwrap();
            if !lexicon::embedded().has_record(collection) {
                assert_eq!(collection, "com.example.sandbox.note");
                continue;
            }
            let judged = lexicon::embedded().validate_record(collection, rkey, car.get(&cid).unwrap());
            if network.invalid().contains(&cid) {
                assert!(judged.is_err(), "{} is valid", op.path);
                invalid += 1;
            } else {
                assert!(judged.is_ok(), "{}: {judged:?}", op.path);
                valid += 1;
            }
        }
    }
    assert!(valid > 5000 && invalid >= 3, "{valid} valid, {invalid} invalid");
}
