//! The frames of the load: each must pass the judge with its proof, fit the one before it of its repo, and have the network's size and mix.

use std::collections::{BTreeMap, HashMap, HashSet};

use appviewd::atproto::{Cid, Tid};
use appviewd::config::ingest::Verify;
use appviewd::ingest::judge::{Judged, Verdict, judge};
use appviewd::lexicon;
use appviewd::queue::{Action, Body};
use appviewd::sandbox::load::{Options, make};

const EVENTS: u64 = 3_000;
/// The clock of the judge, in microseconds since 1970: after everything.
const NOW: i64 = 1_800_000_000_000_000;

fn options(seed: u64, accounts: u32) -> Options {
    Options { seed, accounts, events: EVENTS, signed: false }
}

fn frames(options: Options) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    make(options, |made| {
        assert_eq!(usize::try_from(made.seq), Ok(frames.len() + 1));
        frames.push(made.frame);
        Ok(())
    })
    .unwrap();
    frames
}

fn judged(frame: &[u8]) -> Judged {
    match judge(frame, NOW, Verify::Proof) {
        Verdict::Event(judged) => *judged,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_frame_passes_the_judge_and_continues_its_repos_chain() {
    // Few accounts, so that each commits often.
    let mut heads: HashMap<String, (Tid, Cid)> = HashMap::new();
    let mut held: HashSet<String> = HashSet::new();
    for frame in frames(options(1, 300)) {
        let judged = judged(&frame);
        assert_eq!((judged.reject, judged.fault, judged.chain_unchecked, judged.own_time), (None, None, false, true));
        let did = judged.event.did.unwrap().to_string();
        let Body::Commit(commit) = judged.event.body else { continue };
        if let Some((rev, data)) = heads.insert(did.clone(), (commit.rev, commit.data)) {
            assert_eq!((commit.since, commit.prev_data), (Some(rev), Some(data)), "{did}");
            assert!(commit.rev > rev);
        }
        for op in commit.ops {
            let path = format!("{did}/{}/{}", op.collection, op.rkey);
            match op.action {
                Action::Create => assert!(held.insert(path)),
                Action::Delete => assert!(held.remove(&path), "{path} was not written here"),
                Action::Update => assert!(path.ends_with("app.bsky.actor.profile/self")),
            }
        }
    }
}

#[test]
fn every_record_is_valid() {
    for frame in frames(options(2, 2_000)) {
        let Body::Commit(commit) = judged(&frame).event.body else { continue };
        for op in commit.ops.iter().filter(|op| op.action != Action::Delete) {
            let verdict = lexicon::embedded().validate_record(op.collection.as_str(), op.rkey.as_str(), &op.record);
            assert!(verdict.is_ok(), "{}: {verdict:?}", op.collection);
        }
    }
}

#[test]
fn sizes_and_mix_are_the_networks() {
    let (mut bytes, mut blocks, mut authors) = (0, 0, HashSet::new());
    let mut mix: BTreeMap<String, u32> = BTreeMap::new();
    for frame in frames(options(3, 1_000_000)) {
        bytes += frame.len();
        let appviewd::atproto::frame::Frame::Commit(commit) = appviewd::atproto::frame::Frame::parse(&frame).unwrap() else { continue };
        blocks += appviewd::atproto::car::Car::parse(commit.blocks).unwrap().blocks().len();
        authors.insert(commit.repo.to_owned());
        for op in &commit.ops {
            let name = if op.action == "delete" { "delete" } else { op.path.split('/').next().unwrap() };
            *mix.entry(name.to_owned()).or_default() += 1;
        }
    }
    let per_event = |n: usize| n / usize::try_from(EVENTS).unwrap();
    assert!((5_000..5_900).contains(&per_event(bytes)), "{} bytes and {} blocks a frame", per_event(bytes), per_event(blocks));
    assert!((9..=11).contains(&per_event(blocks)), "{} blocks a frame", per_event(blocks));
    assert!(authors.len() > 2_500, "{} authors", authors.len());
    let share = |name: &str| mix[name] * 100 / mix.values().sum::<u32>();
    let (likes, posts, reposts, follows, deletes) = (
        share("app.bsky.feed.like"),
        share("app.bsky.feed.post"),
        share("app.bsky.feed.repost"),
        share("app.bsky.graph.follow"),
        share("delete"),
    );
    assert!((62..70).contains(&likes) && (9..13).contains(&posts) && (8..12).contains(&reposts), "{mix:?}");
    assert!((4..8).contains(&follows) && (3..7).contains(&deletes), "{mix:?}");
}

#[test]
fn the_same_options_give_the_same_frames() {
    let some = Options { events: 500, ..options(4, 5_000) };
    assert_eq!(frames(some), frames(some));
    assert_ne!(frames(some), frames(Options { seed: 5, ..some }));
}

#[test]
fn signatures_hold_where_they_are_asked_for() {
    use appviewd::atproto::car::Car;
    use appviewd::atproto::commit::SignedCommit;
    use appviewd::atproto::frame::Frame;
    let options = Options { events: 50, signed: true, ..options(6, 10) };
    let keys: HashMap<String, _> = (0..10)
        .map(|account| (appviewd::sandbox::load::did(6, account), appviewd::sandbox::load::signing_key(6, account).unwrap().public_key()))
        .collect();
    for frame in frames(options) {
        let Frame::Commit(commit) = Frame::parse(&frame).unwrap() else { continue };
        let car = Car::parse(commit.blocks).unwrap();
        assert!(SignedCommit::decode(car.get(&commit.commit).unwrap()).unwrap().verify(&keys[commit.repo]));
    }
}
