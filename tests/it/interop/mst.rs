//! The search tree against the interoperability vectors, and against itself: one shape for one set of keys.

use std::collections::{BTreeMap, BTreeSet};

use appviewd::atproto::mst::{EMPTY_NODE, EMPTY_ROOT, MstError, ProofOp, Tree, find, height, invert};
use appviewd::atproto::{Car, Cid, car};
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::support::data;

fn json(name: &str) -> Option<Vec<Json>> {
    Some(serde_json::from_slice(&data::read(name)?).unwrap())
}

/// A tree of these keys.
pub fn build<'k>(entries: impl IntoIterator<Item = (&'k str, Cid)>) -> Tree<'static> {
    let mut tree = Tree::new();
    for (key, value) in entries {
        tree.insert(key, value).unwrap();
    }
    tree
}

/// A CAR of one root and some nodes.
pub fn slice(root: Cid, nodes: impl IntoIterator<Item = (Cid, Vec<u8>)>) -> Vec<u8> {
    car::write(&root, nodes)
}

#[test]
fn heights_are_those_of_the_vectors() {
    let Some(cases) = json("interop/mst/key_heights.json") else { return };
    for case in &cases {
        assert_eq!(u64::from(height(case["key"].as_str().unwrap().as_bytes())), case["height"].as_u64().unwrap(), "{case}");
    }
    assert_eq!(cases.len(), 9);
    let keys = String::from_utf8(data::read("interop/mst/example_keys.txt").unwrap()).unwrap();
    let mut seen = 0;
    for key in keys.lines().filter(|l| !l.is_empty()) {
        // The name says the height: a letter, the height, a slash.
        let said: u8 = key[1..key.find('/').unwrap()].parse().unwrap();
        assert_eq!(height(key.as_bytes()), said, "{key}");
        seen += 1;
    }
    assert_eq!(seen, 156);
}

#[test]
fn prefixes_are_those_of_the_vectors() {
    let Some(cases) = json("interop/mst/common_prefix.json") else { return };
    for case in &cases {
        let (left, right) = (case["left"].as_str().unwrap(), case["right"].as_str().unwrap());
        let len = appviewd::atproto::mst::common_prefix(left.as_bytes(), right.as_bytes());
        assert_eq!(len as u64, case["len"].as_u64().unwrap(), "{case}");
    }
    assert_eq!(cases.len(), 13);
}

#[test]
fn the_empty_tree_is_its_node() {
    assert_eq!(EMPTY_ROOT.to_string(), "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm");
    assert_eq!(Tree::new().root(), *EMPTY_ROOT);
    let bytes = slice(*EMPTY_ROOT, [(*EMPTY_ROOT, EMPTY_NODE.to_vec())]);
    let car = Car::parse(&bytes).unwrap();
    assert_eq!(Tree::load(&car, &EMPTY_ROOT).unwrap().entries(), []);
    assert_eq!(find(&car, &EMPTY_ROOT, "a/b"), Ok(None));
    assert_eq!(invert(&car, &EMPTY_ROOT, &[]), Ok(*EMPTY_ROOT));
}

#[test]
fn commit_proofs_hold_with_the_blocks_of_the_vectors_and_not_with_fewer() {
    let mut seen = 0;
    for name in ["interop/firehose/commit-proof-fixtures.json", "firehose-json/commit-proof-fixtures.json"] {
        let Some(cases) = json(name) else { return };
        for case in &cases {
            commit_proof(case);
            seen += 1;
        }
    }
    assert_eq!(seen, 12);
}

fn commit_proof(case: &Json) {
    let cid = |json: &Json| json.as_str().unwrap().parse::<Cid>().unwrap();
    let texts = |key: &str| case[key].as_array().unwrap().iter().map(|k| k.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let (leaf, comment) = (cid(&case["leafValue"]), &case["comment"]);
    let (keys, adds, dels) = (texts("keys"), texts("adds"), texts("dels"));
    let mut tree = build(keys.iter().map(|k| (&k[..], leaf)));
    assert_eq!(tree.root(), cid(&case["rootBeforeCommit"]), "{comment}");
    for key in &adds {
        assert_eq!(tree.insert(key, leaf), Ok(None));
    }
    for key in &dels {
        assert_eq!(tree.remove(key), Ok(Some(leaf)));
    }
    let after = tree.root();
    assert_eq!(after, cid(&case["rootAfterCommit"]), "{comment}");

    let touched: Vec<&str> = adds.iter().chain(&dels).map(String::as_str).collect();
    let proof = tree.proof(&touched).unwrap();
    let said: BTreeSet<Cid> = case["blocksInProof"].as_array().unwrap().iter().map(cid).collect();
    assert_eq!(proof.iter().map(|n| n.0).collect::<BTreeSet<_>>(), said, "{comment}");

    let created = adds.iter().map(|path| ProofOp { path, cid: Some(leaf), prev: None });
    let mut ops: Vec<_> = created.chain(dels.iter().map(|path| ProofOp { path, cid: None, prev: Some(leaf) })).collect();
    for _ in 0..2 {
        let bytes = slice(after, proof.clone());
        assert_eq!(invert(&Car::parse(&bytes).unwrap(), &after, &ops), Ok(cid(&case["rootBeforeCommit"])), "{comment}");
        ops.reverse();
    }
    let without_root = slice(after, proof.iter().filter(|n| n.0 != after).cloned());
    assert_eq!(invert(&Car::parse(&without_root).unwrap(), &after, &ops), Err(MstError::Missing(after)), "{comment}");
    ops[0].cid = Some(Cid::dag_cbor(b"another record"));
    let bytes = slice(after, proof.clone());
    assert!(invert(&Car::parse(&bytes).unwrap(), &after, &ops).is_err(), "{comment}");
}

/// Keys of few shapes, so that they meet often, and of all heights that occur.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![(0..60_u32).prop_map(|n| format!("coll.a/{n}")), (0..400_u32).prop_map(|n| format!("coll.b/{n:05}"))]
}

fn value() -> impl Strategy<Value = Cid> {
    (0..5_u8).prop_map(|n| Cid::dag_cbor(&[n]))
}

/// All nodes of a tree.
fn nodes(tree: &Tree<'_>) -> BTreeMap<Cid, Vec<u8>> {
    let entries = tree.entries();
    let mut nodes = BTreeMap::new();
    let root = build(entries.iter().map(|(k, v)| (&k[..], *v))).seal(|cid, block| drop(nodes.insert(cid, block)));
    if root == *EMPTY_ROOT {
        nodes.insert(root, EMPTY_NODE.to_vec());
    }
    nodes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_has_one_shape_for_one_set_of_keys(ops in prop::collection::vec((key(), prop::option::of(value())), 0..200)) {
        let (mut tree, mut model) = (Tree::new(), BTreeMap::new());
        for (key, value) in &ops {
            let (ours, expected) = match value {
                Some(value) => (tree.insert(key, *value), model.insert(key.clone(), *value)),
                None => (tree.remove(key), model.remove(key)),
            };
            prop_assert_eq!(ours, Ok(expected));
        }
        let fresh = build(model.iter().rev().map(|(k, v)| (&k[..], *v))).root();
        prop_assert_eq!(tree.root(), fresh);
        let all = slice(fresh, nodes(&tree));
        let car = Car::parse(&all).unwrap();
        let entries = Tree::load(&car, &fresh).unwrap().entries();
        prop_assert_eq!(&entries, &model.clone().into_iter().collect::<Vec<_>>());
        for (key, _) in &ops {
            prop_assert_eq!(find(&car, &fresh, key), Ok(model.get(key).copied()));
        }
    }

    #[test]
    fn a_commit_is_undone_on_its_proof_alone(
        before in prop::collection::btree_map(key(), value(), 0..150),
        changes in prop::collection::btree_map(key(), prop::option::of(value()), 1..12),
    ) {
        let mut tree = build(before.iter().map(|(k, v)| (&k[..], *v)));
        let root_before = tree.root();
        let mut ops = Vec::new();
        for (path, cid) in &changes {
            let prev = before.get(path).copied();
            if cid.is_some() || prev.is_some() {
                let old = match cid { Some(cid) => tree.insert(path, *cid), None => tree.remove(path) };
                prop_assert_eq!(old, Ok(prev));
                ops.push(ProofOp { path, cid: *cid, prev });
            }
        }
        let root = tree.root();
        let paths: Vec<&str> = ops.iter().map(|op| op.path).collect();
        let bytes = slice(root, tree.proof(&paths).unwrap());
        let car = Car::parse(&bytes).unwrap();
        if ops.is_empty() {
            return Ok(());
        }
        prop_assert_eq!(invert(&car, &root, &ops), Ok(root_before));
        ops.reverse();
        prop_assert_eq!(invert(&car, &root, &ops), Ok(root_before));
        let told = ops.pop().unwrap();
        let is_change = told.cid != told.prev;
        prop_assert!(!is_change || ops.is_empty() || invert(&car, &root, &ops) != Ok(root_before), "an op that is not told goes unseen");
    }
}

#[test]
fn nodes_that_we_would_write_otherwise_are_refused() {
    use appviewd::atproto::cbor::Value;
    let leaf = Value::Link(Cid::dag_cbor(b"record"));
    let low: Vec<String> = (0..200).map(|n| format!("coll.a/{n:03}")).filter(|k| height(k.as_bytes()) == 0).collect();
    let high = (0..200).map(|n| format!("coll.a/{n:03}")).find(|k| height(k.as_bytes()) == 1).unwrap();
    let entry = |rest: &str, shared: i64, tree: Value| {
        Value::map([("k", Value::Bytes(rest.into())), ("p", Value::Int(shared)), ("v", leaf.clone()), ("t", tree)])
    };
    let node = |left: Value, entries: Vec<Value>| Value::map([("l", left), ("e", Value::Array(entries))]);
    let judge = |node: &Value| {
        let block = node.encode();
        let root = Cid::dag_cbor(&block);
        let bytes = slice(root, [(root, block)]);
        Tree::load(&Car::parse(&bytes).unwrap(), &root).map(|tree| tree.entries().len())
    };
    let shared = low[0].bytes().zip(low[1].bytes()).take_while(|(a, b)| a == b).count();
    let exact = |n: usize| i64::try_from(n).unwrap();
    let first = || entry(&low[0], 0, Value::Null);
    assert_eq!(judge(&node(Value::Null, vec![first(), entry(&low[1][shared..], exact(shared), Value::Null)])), Ok(2));
    let wrong = [
        node(Value::Null, vec![first(), entry(&low[1][shared - 1..], exact(shared - 1), Value::Null)]),
        node(Value::Null, vec![first(), entry(&low[1], 0, Value::Null)]),
        node(Value::Null, vec![first(), entry("x", 500, Value::Null)]),
        node(Value::Null, vec![first(), entry("x", -1, Value::Null)]),
        node(Value::Null, vec![first(), first()]),
        node(Value::Null, vec![entry(&low[1], 0, Value::Null), entry(&low[0][shared..], exact(shared), Value::Null)]),
        node(Value::Null, vec![entry(&low[0], 0, leaf.clone())]),
        node(leaf.clone(), vec![first()]),
        node(leaf.clone(), vec![]),
        node(Value::Null, vec![first(), entry(&high, 0, Value::Null)]),
        node(Value::Null, vec![entry("no-slash", 0, Value::Null)]),
        node(Value::Null, vec![entry("two/sla/shes", 0, Value::Null)]),
        node(Value::Null, vec![entry("", 0, Value::Null)]),
        node(Value::Null, vec![entry("a/ü", 0, Value::Null)]),
        node(Value::Int(1), vec![first()]),
        Value::map([("l", Value::Null), ("e", Value::Array(vec![])), ("x", Value::Null)]),
        Value::map([("e", Value::Array(vec![]))]),
        Value::Array(vec![]),
    ];
    for (i, node) in wrong.iter().enumerate() {
        assert!(judge(node).is_err(), "wrong node {i} was taken");
    }
}

#[test]
fn an_operation_on_a_key_at_another_height_is_refused() {
    use appviewd::atproto::cbor::Value;
    let keys = |h: u8| (0..200).map(|n| format!("coll.a/{n:03}")).find(|k| height(k.as_bytes()) == h).unwrap();
    let (low, high) = (keys(0), keys(1));
    let (mut first, mut second) = (low.clone(), high);
    if first > second {
        std::mem::swap(&mut first, &mut second);
    }
    let shared = first.bytes().zip(second.bytes()).take_while(|(a, b)| a == b).count();
    let value = *EMPTY_ROOT;
    let entry = |rest: &str, shared: usize| {
        let p = Value::Int(i64::try_from(shared).unwrap());
        Value::map([("k", Value::Bytes(rest.into())), ("p", p), ("v", Value::Link(value)), ("t", Value::Null)])
    };
    let entries = Value::Array(vec![entry(&first, 0), entry(&second[shared..], shared)]);
    let block = Value::map([("l", Value::Null), ("e", entries)]).encode();
    let root = Cid::dag_cbor(&block);
    let bytes = slice(root, [(root, block)]);
    let car = Car::parse(&bytes).unwrap();
    let wrong = MstError::Node("a key stands at another height than its own");
    assert_eq!(find(&car, &root, &second), Err(wrong));
    assert_eq!(invert(&car, &root, &[ProofOp { path: &second, cid: Some(value), prev: None }]), Err(wrong));
    assert_eq!(invert(&car, &root, &[ProofOp { path: &second, cid: Some(value), prev: Some(value) }]), Err(wrong));
    assert_eq!(Tree::load(&car, &root).map(drop), Err(wrong));
}

#[test]
fn one_node_in_many_places_is_not_read_again_and_again() {
    use appviewd::atproto::cbor::Value;
    let low: Vec<String> = (0..2000).map(|n| format!("coll.b/{n:05}")).filter(|k| height(k.as_bytes()) == 0).take(200).collect();
    let mut shared_node = Vec::new();
    let child = build(low.iter().map(|k| (&k[..], *EMPTY_ROOT))).seal(|_, block| shared_node = block);
    let high: Vec<String> = (0..400).map(|n| format!("coll.a/{n:05}")).filter(|k| height(k.as_bytes()) == 1).collect();
    let mut last = "";
    let entries = high.iter().map(|key| {
        let shared = key.bytes().zip(last.bytes()).take_while(|(a, b)| a == b).count();
        last = key;
        let (rest, p) = (key[shared..].into(), i64::try_from(shared).unwrap());
        Value::map([("k", Value::Bytes(rest)), ("p", Value::Int(p)), ("v", Value::Link(child)), ("t", Value::Link(child))])
    });
    let block = Value::map([("l", Value::Null), ("e", Value::Array(entries.collect()))]).encode();
    let root = Cid::dag_cbor(&block);
    let bytes = slice(root, [(root, block), (child, shared_node)]);
    let car = Car::parse(&bytes).unwrap();
    assert_eq!(Tree::load(&car, &root).unwrap_err(), MstError::Node("a node stands in several places"));
}
