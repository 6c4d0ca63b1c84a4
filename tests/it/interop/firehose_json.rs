//! Four #commit messages of February 2025, before hosts sent proofs: read as frames, blocks and places of their records checked.

use appviewd::atproto::cbor::Value;
use appviewd::atproto::mst::{MstError, ProofOp, find, invert};
use appviewd::atproto::{Car, Frame, SignedCommit, json};

use crate::support::data;

#[test]
fn four_legacy_commits_are_read_and_their_records_are_in_place() {
    let mut seen = Vec::new();
    for seq in [4_621_317_030, 4_621_317_332, 4_621_332_152, 4_623_075_231_i64] {
        let Some(text) = data::read(&format!("firehose-json/firehose_commit_{seq}.json")) else { return };
        let body = json::read_record(&serde_json::from_slice(&text).unwrap()).unwrap();
        let header = Value::map([("op", Value::Int(1)), ("t", Value::text("#commit"))]);
        let bytes = [header.encode(), body.encode()].concat();
        let Frame::Commit(frame) = Frame::parse(&bytes).unwrap() else { panic!("no commit") };
        assert_eq!((frame.seq, frame.prev_data), (seq, None));
        let car = Car::parse(frame.blocks).unwrap();
        let commit = SignedCommit::decode(car.get(&frame.commit).unwrap()).unwrap();
        assert_eq!((commit.did, &commit.rev.to_string()[..]), (frame.repo, frame.rev));
        for op in &frame.ops {
            assert_eq!(find(&car, &commit.data, op.path), Ok(op.cid), "{seq}: {}", op.path);
            assert!(car.get(&op.cid.unwrap()).is_some());
        }
        let ops: Vec<_> = frame.ops.iter().map(|op| ProofOp { path: op.path, cid: op.cid, prev: None }).collect();
        let before = invert(&car, &commit.data, &ops);
        // Hosts sent the nodes on the way to each record, and not yet those beside it, which undoing may need.
        assert!(matches!(before, Ok(_) | Err(MstError::Missing(_))), "{seq}: {before:?}");
        seen.push((frame.ops.len(), before.is_ok()));
    }
    assert_eq!(seen, [(1, false), (1, false), (42, true), (1, false)]);
}
