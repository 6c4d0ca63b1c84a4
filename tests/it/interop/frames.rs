//! 150 frames of a production relay: every one is read, every block hashed, every proof undone, every signature checked.

use std::collections::{BTreeMap, BTreeSet};

use appviewd::atproto::cbor::{Value, Writer};
use appviewd::atproto::frame::{AccountFrame, CommitFrame, FrameError, IdentityFrame, MAX_FRAME, MAX_OPS, OpFrame, SyncFrame, peek};
use appviewd::atproto::mst::{MstError, ProofOp, find, invert};
use appviewd::atproto::{Car, Cid, Frame, PublicKey, SignedCommit};
use serde_json::Value as Json;

use crate::support::data;

/// A commit's operations as its proof sees them.
pub fn proof_ops<'a>(commit: &CommitFrame<'a>) -> Vec<ProofOp<'a>> {
    commit.ops.iter().map(|op| ProofOp { path: op.path, cid: op.cid, prev: op.prev }).collect()
}

/// The key that signs a repo's commits.
fn signing_key(document: &Json) -> PublicKey {
    let methods = document["verificationMethod"].as_array().unwrap();
    let method = methods.iter().find(|m| m["id"].as_str().unwrap().ends_with("#atproto")).unwrap();
    PublicKey::from_verification_method(method["type"].as_str().unwrap(), method["publicKeyMultibase"].as_str().unwrap()).unwrap()
}

#[test]
fn the_150_real_frames_hold_in_everything() {
    let (Some(frames), Some(documents)) = (data::frames(), data::read("frames/did_docs.json.zst")) else { return };
    let documents: Json = serde_json::from_slice(&documents).unwrap();
    let (mut kinds, mut repos, mut blocks) = (BTreeMap::new(), BTreeSet::new(), 0);
    for (i, bytes) in frames.iter().enumerate() {
        let frame = Frame::parse(bytes).unwrap_or_else(|e| panic!("frame {i}: {e}"));
        let seq = 31_527_015_322 + i64::try_from(i).unwrap();
        assert_eq!(frame.seq(), Some(seq));
        assert_eq!(frame.encode(), *bytes, "frame {i} is written as the relay wrote it");
        let looked = peek(bytes).unwrap();
        assert_eq!(looked.seq, seq);
        let (kind, did, time) = match &frame {
            Frame::Commit(commit) => {
                blocks += check_commit(commit, &documents, &mut kinds);
                assert!(repos.insert(commit.repo));
                ("#commit", commit.repo, commit.time)
            }
            Frame::Identity(identity) => ("#identity", identity.did, identity.time),
            Frame::Account(account) => {
                assert!(account.active && account.status.is_none());
                ("#account", account.did, account.time)
            }
            other => panic!("frame {i}: {other:?}"),
        };
        assert_eq!((looked.did, looked.time), (Some(did), Some(time)));
        *kinds.entry(kind.to_owned()).or_default() += 1;
    }
    let expected = [("#account", 1), ("#commit", 148), ("#identity", 1), ("create", 144), ("delete", 4), ("update", 2)];
    assert_eq!(kinds.iter().map(|(k, n)| (&k[..], *n)).collect::<Vec<_>>(), expected);
    assert_eq!((frames.len(), repos.len(), blocks), (150, 148, 1549));
}

/// Checks one commit; the number of its blocks.
fn check_commit(frame: &CommitFrame<'_>, documents: &Json, actions: &mut BTreeMap<String, usize>) -> usize {
    let car = Car::parse(frame.blocks).unwrap();
    assert_eq!(car.root(), frame.commit);
    let commit = SignedCommit::decode(car.get(&frame.commit).unwrap()).unwrap();
    assert_eq!((commit.did, &commit.rev.to_string()[..], commit.prev), (frame.repo, frame.rev, None));
    assert!(frame.since.is_some() && !frame.too_big && !frame.rebase);

    let key = signing_key(&documents[frame.repo]);
    assert!(commit.verify(&key), "{}", frame.repo);
    let mut block = car.get(&frame.commit).unwrap().to_vec();
    let at = block.windows(13).position(|w| w == frame.rev.as_bytes()).unwrap();
    block[at + 12] = if block[at + 12] == b'2' { b'3' } else { b'2' };
    assert!(!SignedCommit::decode(&block).unwrap().verify(&key), "another revision is not signed");

    let mut ops = proof_ops(frame);
    for (op, proof) in frame.ops.iter().zip(&ops) {
        *actions.entry(op.action.to_owned()).or_default() += 1;
        assert_eq!(find(&car, &commit.data, op.path), Ok(op.cid));
        assert_eq!(op.cid.is_some(), op.action != "delete");
        assert_eq!(op.prev.is_some(), op.action != "create");
        if let Some(cid) = proof.cid {
            assert!(cid.matches(car.get(&cid).unwrap()));
        }
    }
    assert_eq!(invert(&car, &commit.data, &ops).ok(), frame.prev_data, "{}", frame.repo);
    assert_ne!(frame.prev_data, None);
    ops.pop();
    assert_ne!(invert(&car, &commit.data, &ops).ok(), frame.prev_data, "an op that is not told");
    assert_eq!(invert(&car, &frame.commit, &[]).map(drop), Err(MstError::Node("its fields are not e and l")), "a commit is no node");
    car.blocks().len()
}

/// A frame's header and body, as trees.
fn parts(frame: &[u8]) -> (Value, Value) {
    let mut reader = appviewd::atproto::cbor::Reader::new(frame);
    let header = reader.raw().unwrap();
    (Value::decode(header).unwrap(), Value::decode(reader.raw().unwrap()).unwrap())
}

fn join(header: &Value, body: &Value) -> Vec<u8> {
    [header.encode(), body.encode()].concat()
}

fn set(map: &mut Value, key: &str, value: Option<Value>) {
    let Value::Map(entries) = map else { panic!("no map") };
    entries.retain(|entry| entry.0 != key);
    entries.extend(value.map(|value| (key.to_owned(), value)));
}

#[test]
fn frames_with_wrong_fields_are_refused_and_unknown_ones_are_passed_over() {
    let Some(frames) = data::frames() else { return };
    let real = frames.iter().find(|f| matches!(Frame::parse(f), Ok(Frame::Commit(_)))).unwrap();
    let (header, body) = parts(real);
    let altered = |key: &str, value: Option<Value>| {
        let mut body = body.clone();
        set(&mut body, key, value);
        join(&header, &body)
    };
    for key in ["seq", "repo", "rev", "commit", "time"] {
        assert!(matches!(Frame::parse(&altered(key, None)), Err(FrameError::Fields(_))), "without {key}");
    }
    let text_as_bytes = Value::Bytes(b"did:plc:abc".to_vec());
    let op = Value::Array(["create", "a.b.c/d"].into_iter().map(Value::text).chain([Value::Null]).collect());
    for (key, value) in [
        ("repo", text_as_bytes.clone()),
        ("since", text_as_bytes),
        ("blocks", Value::text("text")),
        ("commit", Value::Bytes(vec![0; 37])),
        ("ops", Value::Array(vec![op])),
        ("ops", Value::map([])),
        ("seq", Value::Float(1.0)),
        ("seq", Value::text("1")),
        ("tooBig", Value::Int(1)),
    ] {
        assert!(matches!(Frame::parse(&altered(key, Some(value.clone()))), Err(FrameError::Fields(_))), "{key} = {value:?}");
    }
    assert!(matches!(Frame::parse(&altered("seq", Some(Value::Int(-1)))), Err(FrameError::Seq)));

    let with_more = altered("future", Some(Value::map([("link", Value::Link(Cid::dag_cbor(b"x")))])));
    assert_eq!(Frame::parse(&with_more).unwrap(), Frame::parse(real).unwrap());
    for key in ["since", "prevData", "prev", "blobs", "tooBig", "rebase", "ops", "blocks"] {
        assert!(Frame::parse(&altered(key, Some(Value::Null))).is_ok(), "legacy null in {key}");
        assert!(Frame::parse(&altered(key, None)).is_ok(), "legacy without {key}");
    }
}

#[test]
fn framing_is_strict() {
    let Some(frames) = data::frames() else { return };
    let real = &frames[0];
    let (header, body) = parts(real);
    let (h, b) = (header.encode(), body.encode());
    assert!(matches!(Frame::parse(&[&h[..], &b, b"\xa0"].concat()), Err(FrameError::Cbor(_))), "a third item");
    assert!(matches!(Frame::parse(&h), Err(FrameError::Cbor(_))), "no body");
    assert!(matches!(Frame::parse(&[b"\x82\x01\x67#commit", &b[..]].concat()), Err(FrameError::Framing)), "an array as header");
    assert!(matches!(Frame::parse(&[&h[..], b"\x80"].concat()), Err(FrameError::Framing)), "an array as body");
    assert!(matches!(Frame::parse(&[b"\xa1\x62op\x01", &b[..]].concat()), Err(FrameError::Framing)), "a message without type");
    assert!(matches!(Frame::parse(&vec![0; MAX_FRAME + 1]), Err(FrameError::TooLarge)));
    // What serde_cbor would take: indefinite length, long integer, keys out of order, another tag, a key twice.
    for header in [
        &b"\xbf\x61t\x67#commit\x62op\x01\xff"[..],
        b"\xa2\x61t\x67#commit\x62op\x18\x01",
        b"\xa2\x62op\x01\x61t\x67#commit",
        b"\xa2\x61t\xc1\x67#commit\x62op\x01",
        b"\xa3\x61t\x67#commit\x62op\x01\x62op\x01",
    ] {
        assert!(matches!(Frame::parse(&[header, &b].concat()), Err(FrameError::Cbor(_))), "{header:02x?}");
    }
}

#[test]
fn every_kind_of_message_is_written_and_read_back() {
    let link = Cid::dag_cbor(b"commit");
    let op = OpFrame { action: "update", path: "a.b.c/d", cid: Some(link), prev: Some(link) };
    let commit = CommitFrame {
        seq: 1,
        repo: "did:plc:a",
        rev: "2222222222222",
        since: None,
        commit: link,
        prev_data: None,
        blocks: b"blocks",
        ops: vec![op, OpFrame { action: "delete", cid: None, ..op }, OpFrame { action: "create", prev: None, ..op }],
        too_big: true,
        rebase: true,
        time: "2026-01-01T00:00:00Z",
    };
    let (did, time) = ("did:plc:b", "2026-01-01T00:00:00Z");
    let frames = [
        Frame::Commit(commit.clone()),
        Frame::Commit(CommitFrame { since: Some("2222222222223"), prev_data: Some(link), too_big: false, ..commit }),
        Frame::Sync(SyncFrame { seq: 2, did, rev: "2222222222222", blocks: b"car", time }),
        Frame::Identity(IdentityFrame { seq: 3, did, time, handle: None }),
        Frame::Identity(IdentityFrame { seq: 4, did, time, handle: Some("a.test") }),
        Frame::Account(AccountFrame { seq: 5, did, time, active: true, status: None }),
        Frame::Account(AccountFrame { seq: 6, did, time, active: false, status: Some("deleted") }),
        Frame::Info { name: "OutdatedCursor", message: None },
        Frame::Info { name: "OutdatedCursor", message: Some("some events are gone") },
        Frame::Error { error: "FutureCursor", message: None },
        Frame::Error { error: "ConsumerTooSlow", message: Some("read faster") },
        Frame::Other { t: "#future", seq: Some(7) },
        Frame::Other { t: "#future", seq: None },
    ];
    for frame in &frames {
        assert_eq!(Frame::parse(&frame.encode()).unwrap(), *frame);
    }
    assert_eq!(&Frame::Error { error: "E", message: None }.encode()[..5], b"\xa1\x62op\x20", "an error has op -1 and no t");
    // A type under an unknown `op` is none of ours, even where it is called like one.
    for t in [None, Some("#future"), Some("#commit")] {
        let header = Value::map([("op", Value::Int(24))].into_iter().chain(t.map(|t| ("t", Value::text(t)))));
        let odd_op = [header.encode(), Value::map([("seq", Value::Int(9))]).encode()].concat();
        let frame = Frame::parse(&odd_op).unwrap();
        assert_eq!(frame, Frame::Other { t: "", seq: Some(9) });
        assert_eq!(Frame::parse(&frame.encode()).unwrap(), frame);
    }
}

#[test]
fn too_many_operations_are_seen_and_cost_nothing_more() {
    let ops = vec![OpFrame { action: "delete", path: "a.b.c/d", cid: None, prev: None }; 3 * MAX_OPS];
    let Some(frames) = data::frames() else { return };
    let Frame::Commit(commit) = Frame::parse(&frames[0]).unwrap() else { panic!("no commit") };
    let bytes = Frame::Commit(CommitFrame { ops, ..commit }).encode();
    let Frame::Commit(commit) = Frame::parse(&bytes).unwrap() else { panic!("no commit") };
    assert_eq!(commit.ops.len(), MAX_OPS + 1);
}

#[test]
fn a_look_into_a_frame_tells_what_comes_before_the_fault() {
    let Some(frames) = data::frames() else { return };
    for frame in &frames {
        let whole = peek(frame).unwrap();
        let Frame::Commit(commit) = Frame::parse(frame).unwrap() else { continue };
        let blocks = frame.windows(commit.blocks.len()).position(|w| w == commit.blocks).unwrap();
        assert_eq!(peek(&frame[..blocks + 10]), Some(whole), "the frame breaks off in its blocks");
        assert_eq!(peek(&frame[..20]), None);
    }
    let mut huge = Writer::new();
    huge.map(2).text("t").text("#commit").text("op").int(1);
    huge.map(3).text("seq").int(77).text("repo").text("did:plc:a").text("blocks").bytes(&vec![1; MAX_FRAME + 1]);
    let huge = huge.into_bytes();
    assert_eq!(peek(&huge).map(|p| (p.seq, p.did, p.time)), Some((77, Some("did:plc:a"), None)));
    assert!(matches!(Frame::parse(&huge), Err(FrameError::TooLarge)));
    assert_eq!(peek(b""), None);
}
