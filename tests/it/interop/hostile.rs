//! Real bytes, damaged: nothing panics, and what is read for good is what it says it is.

use std::sync::LazyLock;

use appviewd::atproto::frame::peek;
use appviewd::atproto::json::RecordJson;
use appviewd::atproto::mst::{Tree, find, invert};
use appviewd::atproto::{
    AtUri, Car, Cid, Did, Frame, Nsid, PublicKey, RecordKey, SignedCommit, Tid, aturi, car, datetime, handle, language, uri,
};
use proptest::prelude::*;
use proptest::sample::Index;

use super::frames::proof_ops;
use crate::support::data;

static FRAMES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| data::frames().unwrap_or_else(|| vec![b"\xa0\xa0".to_vec()]));
static REPO: LazyLock<Vec<u8>> = LazyLock::new(|| data::read("frames/repo.car").unwrap_or_default());

fn frame(which: Index) -> &'static [u8] {
    &FRAMES[which.index(FRAMES.len())]
}

/// Where, how much is cut out there, and what is put in.
type Damage = Vec<(Index, u8, Vec<u8>)>;

fn damage() -> impl Strategy<Value = Damage> {
    let bytes =
        prop_oneof![prop::collection::vec(any::<u8>(), 0..3), Just(vec![0xff; 9]), Just(b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec())];
    prop::collection::vec((any::<Index>(), prop_oneof![Just(0), Just(1), any::<u8>()], bytes), 1..4)
}

fn damaged(bytes: &[u8], damage: &Damage) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, cut, put) in damage {
        let at = at.index(bytes.len() + 1);
        let end = (at + usize::from(*cut)).min(bytes.len());
        bytes.splice(at..end, put.iter().copied());
    }
    bytes
}

/// Everything that is done with a frame.
fn read_frame(bytes: &[u8]) {
    let _ = peek(bytes);
    let Ok(frame) = Frame::parse(bytes) else { return };
    assert_eq!(Frame::parse(&frame.encode()).unwrap(), frame);
    let Frame::Commit(commit) = frame else { return };
    let Ok(car) = Car::parse(commit.blocks) else { return };
    let Some(Ok(signed)) = car.get(&commit.commit).map(SignedCommit::decode) else { return };
    let _ = signed.unsigned_bytes();
    let _ = invert(&car, &signed.data, &proof_ops(&commit));
    for op in &commit.ops {
        let _ = find(&car, &signed.data, op.path);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_frames_do_no_harm(which in any::<Index>(), damage in damage()) {
        read_frame(&damaged(frame(which), &damage));
    }

    #[test]
    fn damaged_blocks_under_their_own_hash_do_no_harm(which in any::<Index>(), block in any::<Index>(), damage in damage()) {
        let Ok(Frame::Commit(commit)) = Frame::parse(frame(which)) else { return Ok(()) };
        let car = Car::parse(commit.blocks).unwrap();
        let data = SignedCommit::decode(car.get(&commit.commit).unwrap()).unwrap().data;
        let blocks: Vec<_> = car.blocks().collect();
        let (old, bytes) = *block.get(&blocks);
        let bytes = damaged(bytes, &damage);
        let new = Cid::dag_cbor(&bytes);
        let file = car::write(&new, blocks.iter().copied().filter(|b| b.0 != old).chain([(new, &bytes[..])]));
        let altered = Car::parse(&file).unwrap();
        let _ = SignedCommit::decode(&bytes).map(|c| c.unsigned_bytes());
        let ops = proof_ops(&commit);
        for root in [new, data] {
            let _ = invert(&altered, &root, &ops);
            let _ = Tree::load(&altered, &root);
            for op in &ops {
                let _ = find(&altered, &root, op.path);
            }
        }
    }

    #[test]
    fn damaged_records_become_json_that_parses_or_an_error(which in any::<Index>(), block in any::<Index>(), damage in damage()) {
        let Ok(Frame::Commit(commit)) = Frame::parse(frame(which)) else { return Ok(()) };
        let car = Car::parse(commit.blocks).unwrap();
        let blocks: Vec<_> = car.blocks().collect();
        if let Ok(text) = serde_json::to_string(&RecordJson(&damaged(block.get(&blocks).1, &damage))) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }

    #[test]
    fn any_text_is_judged_and_what_is_taken_comes_back(text in prop_oneof![any::<String>(), "[a-z0-9:./%#TZ+-]{0,60}", "did:[a-z]{1,5}:[a-zA-Z0-9._:%-]{0,20}", "at://did:plc:[a-z2-7]{3}/[a-z.]{1,20}/[a-z0-9.~]{1,20}", "[0-9]{4}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,9})?(Z|[+-][0-2][0-9]:[0-5][0-9])"]) {
        let _ = (handle::is_valid(&text), handle::is_at_identifier(&text), language::is_valid(&text), uri::is_valid(&text), Cid::is_valid_text(&text));
        let _ = (PublicKey::from_did_key(&text), PublicKey::from_multibase(&text));
        if let Ok(did) = text.parse::<Did>() { prop_assert_eq!(did.as_str(), &text[..]); }
        if let Ok(nsid) = text.parse::<Nsid>() { prop_assert_eq!(nsid.as_str(), &text[..]); }
        if let Ok(rkey) = text.parse::<RecordKey>() { prop_assert_eq!(rkey.as_str(), &text[..]); }
        if let Ok(cid) = text.parse::<Cid>() { prop_assert_eq!(cid.to_string(), text.clone()); }
        if let Ok(tid) = text.parse::<Tid>() { prop_assert_eq!(tid.to_string(), text.clone()); prop_assert!(Tid::is_valid(&text)); }
        if let Some(address) = AtUri::parse(&text) { prop_assert_eq!(address.to_string(), text.clone()); prop_assert!(aturi::is_valid(&text)); }
        if let Some(micros) = datetime::parse_micros(&text) {
            let millis = micros.div_euclid(1000) * 1000;
            prop_assert_eq!(datetime::parse_micros(&datetime::format_micros(micros)), Some(millis.min(253_402_300_799_999_000)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_repositories_do_no_harm(damage in damage()) {
        if let Ok(car) = Car::parse(&damaged(&REPO, &damage)) {
            prop_assert!(car.blocks().all(|(cid, block)| cid.matches(block)));
            if let Some(Ok(commit)) = car.get(&car.root()).map(SignedCommit::decode) {
                let _ = Tree::load(&car, &commit.data);
            }
        }
    }
}
