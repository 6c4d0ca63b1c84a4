//! The frames of a network, judged by the protocol's own rules.

use std::collections::HashMap;

use appviewd::atproto::Cid;
use appviewd::atproto::car::Car;
use appviewd::atproto::commit::SignedCommit;
use appviewd::atproto::frame::{CommitFrame, Frame};
use appviewd::atproto::mst::{self, ProofOp};
use appviewd::lexicon;
use appviewd::sandbox::Network;

use super::survey::Survey;

fn frames(mut network: Network, events: usize) -> Vec<Vec<u8>> {
    (0..events).map(|_| network.next_event().unwrap().frame).collect()
}

#[test]
fn the_same_seed_gives_the_same_frames() {
    for habits in [|n: Network| n, Network::dense, Network::tangled] {
        assert_eq!(frames(habits(Network::new(7, 40)), 1000), frames(habits(Network::new(7, 40)), 1000));
        assert_ne!(frames(habits(Network::new(7, 40)), 100), frames(habits(Network::new(8, 40)), 100));
    }
}

#[test]
fn the_numbers_have_no_gap_and_times_go_up() {
    let mut network = Network::new(21, 30).dense();
    let mut last = String::new();
    for seq in 1..2000 {
        let made = network.next_event().unwrap();
        let frame = Frame::parse(&made.frame).unwrap();
        let (Frame::Commit(CommitFrame { time, .. })
        | Frame::Sync(appviewd::atproto::frame::SyncFrame { time, .. })
        | Frame::Identity(appviewd::atproto::frame::IdentityFrame { time, .. })
        | Frame::Account(appviewd::atproto::frame::AccountFrame { time, .. })) = frame
        else {
            panic!("{frame:?}")
        };
        assert_eq!((made.seq, frame.seq()), (seq, Some(seq)));
        assert!(*last <= *time, "{last} and then {time}");
        time.clone_into(&mut last);
    }
}

/// The rev and root of each repo, as its frames so far tell.
type Heads = HashMap<String, (String, Cid)>;

#[test]
fn every_commit_holds_its_records_its_proof_and_its_signature() {
    let network = Network::new(3, 60);
    let keys: HashMap<_, _> = (0..60).map(|i| (network.did(i), network.signing_key(i).unwrap().public_key())).collect();
    let (mut commits, mut legacy) = (0, 0);
    let mut heads = Heads::new();
    for bytes in frames(network.dense().tangled(), 4000) {
        match Frame::parse(&bytes).unwrap() {
            Frame::Commit(frame) => {
                let car = Car::parse(frame.blocks).unwrap();
                let commit = SignedCommit::decode(car.get(&frame.commit).unwrap()).unwrap();
                assert_eq!((commit.did, commit.rev.to_string().as_str()), (frame.repo, frame.rev));
                assert!(commit.verify(&keys[frame.repo]), "signature of {}", frame.repo);
                for op in frame.ops.iter().filter(|op| op.action != "delete") {
                    assert!(car.get(&op.cid.unwrap()).is_some(), "record of {}", op.path);
                }
                commits += 1;
                legacy += u32::from(!follows(&frame, &car, commit.data, &heads));
                heads.insert(frame.repo.to_owned(), (frame.rev.to_owned(), commit.data));
            }
            Frame::Sync(frame) => {
                let car = Car::parse(frame.blocks).unwrap();
                let commit = SignedCommit::decode(car.get(&car.root()).unwrap()).unwrap();
                assert!(commit.verify(&keys[frame.did]), "signature of {}", frame.did);
                heads.insert(frame.did.to_owned(), (frame.rev.to_owned(), commit.data));
            }
            // What comes after begins with an empty tree, and a rev that is later all the same.
            Frame::Account(frame) if frame.status == Some("deleted") => {
                heads.entry(frame.did.to_owned()).and_modify(|head| head.1 = *mst::EMPTY_ROOT);
            }
            _ => {}
        }
    }
    assert!(commits > 2500 && legacy > 5, "{commits} commits, {legacy} legacy");
}

/// The commit leads from the head before to its own root; `false` where it says nothing of that.
fn follows(frame: &CommitFrame<'_>, car: &Car<'_>, data: Cid, heads: &Heads) -> bool {
    let before = heads.get(frame.repo);
    assert!(before.is_none_or(|(rev, _)| **rev < *frame.rev), "{} after {before:?}", frame.rev);
    let Some(prev) = frame.prev_data else { return false };
    assert_eq!(mst::invert(car, &data, &proof_ops(frame)).unwrap(), prev);
    if frame.since.is_none() {
        assert_eq!(prev, *mst::EMPTY_ROOT, "a repo begins empty");
    } else if let Some((rev, root)) = before.filter(|(_, root)| *root != *mst::EMPTY_ROOT) {
        assert_eq!((frame.since, prev), (Some(rev.as_str()), *root));
    }
    true
}

fn proof_ops<'a>(frame: &CommitFrame<'a>) -> Vec<ProofOp<'a>> {
    frame.ops.iter().map(|op| ProofOp { path: op.path, cid: op.cid, prev: op.prev }).collect()
}

/// Every collection, and how often at least of 1,000 operations; every one is also updated or deleted.
const COLLECTIONS: &[(&str, f64)] = &[
    ("app.bsky.feed.like", 520.0),
    ("app.bsky.feed.post", 120.0),
    ("app.bsky.graph.follow", 100.0),
    ("app.bsky.feed.repost", 80.0),
    ("app.bsky.graph.block", 4.0),
    ("app.bsky.actor.profile", 0.5),
    ("app.bsky.actor.status", 0.3),
    ("app.bsky.actor.contentVisibilityDeclaration", 0.1),
    ("app.bsky.feed.generator", 0.5),
    ("app.bsky.feed.threadgate", 1.0),
    ("app.bsky.feed.postgate", 0.5),
    ("app.bsky.graph.list", 2.0),
    ("app.bsky.graph.listitem", 1.0),
    ("app.bsky.graph.listblock", 0.5),
    ("app.bsky.graph.starterpack", 0.1),
    ("app.bsky.graph.verification", 0.5),
    ("app.bsky.labeler.service", 0.3),
    ("app.bsky.notification.declaration", 0.1),
    ("chat.bsky.actor.declaration", 0.1),
    ("com.germnetwork.declaration", 0.1),
    ("site.standard.document", 0.3),
    ("site.standard.publication", 0.2),
    ("com.example.sandbox.note", 0.5),
];

#[test]
fn twenty_thousand_events_hold_every_collection_in_the_mix_that_was_promised() {
    let survey = Survey::of(&frames(Network::new(5, 100), 20_000));
    for (kind, promised) in [
        ("app.bsky.feed.like", 55.0),
        ("app.bsky.feed.post", 15.0),
        ("app.bsky.graph.follow", 12.0),
        ("app.bsky.feed.repost", 10.0),
        ("delete", 5.0),
    ] {
        let share = survey.per_mille(kind) / 10.0;
        assert!((share - promised).abs() < 3.0, "{kind}: {share:.1} % and not {promised} %");
    }
    for (collection, least) in COLLECTIONS {
        assert!(survey.per_mille(collection) >= *least, "{collection}: {:.2} of 1,000 operations", survey.per_mille(collection));
    }
    for kind in ["update", "#sync same", "#identity", "#account active", "#account takendown", "reply before its parent"] {
        assert!(survey.count(kind) > 0, "no {kind} in {:#?}", survey.seen);
    }
    // What depends on the order between repos is kept rare.
    let (gone, replies) = (survey.count("answered post deleted"), survey.count("reply"));
    assert!(replies > 1000 && gone * 200 < replies, "{gone} answered posts deleted, {replies} replies");
}

/// What an index finds hard, in a network where it is frequent.
const HARD: &[&str] = &[
    "#account deactivated",
    "#account deleted",
    "#account desynchronized",
    "#account hibernating",
    "#account inactive",
    "#account suspended",
    "#account takendown",
    "#account throttled",
    "#identity without a handle",
    "#sync other",
    "#sync same",
    "CJK",
    "Cyrillic",
    "Arabic",
    "Hangul",
    "Thai",
    "combining",
    "joined emoji",
    "U+0000",
    "allow absent",
    "allow followerRule",
    "allow followingRule",
    "allow listRule",
    "allow mentionRule",
    "allow nobody",
    "answered post deleted",
    "app.bsky.embed.external",
    "app.bsky.embed.gallery",
    "app.bsky.embed.images",
    "app.bsky.embed.record",
    "app.bsky.embed.recordWithMedia",
    "app.bsky.embed.video",
    "app.bsky.richtext.facet#link",
    "app.bsky.richtext.facet#mention",
    "app.bsky.richtext.facet#tag",
    "born again",
    "commit of an inactive account",
    "commit of several",
    "created in the future",
    "created long ago",
    "deep reply",
    "detachedEmbeddingUris",
    "duplicate app.bsky.feed.like",
    "duplicate app.bsky.feed.repost",
    "duplicate app.bsky.graph.block",
    "duplicate app.bsky.graph.follow",
    "duplicate app.bsky.graph.listblock",
    "duplicate app.bsky.graph.listitem",
    "duplicate app.bsky.graph.verification",
    "embed of app.bsky.feed.generator",
    "embed of app.bsky.feed.post",
    "embed of app.bsky.graph.list",
    "embed of app.bsky.graph.starterpack",
    "embed of app.bsky.labeler.service",
    "embeddingRules",
    "gate of an old post",
    "gate of another's post",
    "gate with its post",
    "hiddenReplies",
    "joined",
    "pinned",
    "post under an odd key",
    "quote of a gated post",
    "reply before its parent",
    "reply in a gated thread",
    "thread in one commit",
    "via app.bsky.feed.like",
    "via app.bsky.feed.repost",
    "via app.bsky.graph.follow",
];

#[test]
fn a_dense_network_holds_what_an_index_finds_hard() {
    let survey = Survey::of(&frames(Network::new(11, 60).dense().tangled(), 12_000));
    let missing: Vec<_> = HARD.iter().filter(|what| survey.count(what) < 3).collect();
    assert!(missing.is_empty(), "fewer than three of {missing:?} in {:#?}", survey.seen);
    assert!(survey.most_answers() >= 10, "no post has more than {} answers", survey.most_answers());
    for (collection, _) in COLLECTIONS {
        assert!(survey.count(&format!("delete {collection}")) > 0, "no {collection} is deleted");
    }
    let updated = ["feed.post", "actor.profile", "actor.status", "feed.threadgate", "feed.postgate", "graph.list", "graph.starterpack"];
    for collection in updated.map(|name| format!("app.bsky.{name}")).into_iter().chain(["site.standard.document".to_owned()]) {
        assert!(survey.count(&format!("update {collection}")) > 0, "no {collection} is updated");
    }
}

#[test]
fn records_are_valid_but_for_those_that_are_marked() {
    let mut network = Network::new(13, 80).dense();
    let (mut valid, mut invalid) = (0, 0);
    while valid < 20_000 {
        let made = network.next_event().unwrap();
        let Frame::Commit(frame) = Frame::parse(&made.frame).unwrap() else { continue };
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
    assert!(invalid > 100, "{valid} valid, {invalid} invalid");
}
