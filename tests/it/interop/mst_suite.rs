//! mst-test-suite: every pair of 128 trees, 16,384 in all. What a commit from one to the other changes, which nodes prove it, and that it is
//! undone on the nodes of the inductive proof.

use std::collections::{BTreeMap, BTreeSet};

use appviewd::atproto::mst::{EMPTY_ROOT, MstError, ProofOp, Tree, find, invert};
use appviewd::atproto::{Car, Cid};
use serde::Deserialize;

use super::mst::slice;
use crate::support::data;

#[derive(Deserialize)]
struct Case {
    inputs: Inputs,
    results: Results,
}

#[derive(Deserialize)]
struct Inputs {
    mst_a: String,
    mst_b: String,
}

#[derive(Deserialize)]
struct Results {
    created_nodes: Vec<String>,
    deleted_nodes: Vec<String>,
    record_ops: Vec<RecordOp>,
    proof_nodes: Vec<String>,
    inductive_proof_nodes: Vec<String>,
}

#[derive(Deserialize)]
struct RecordOp {
    rpath: String,
    old_value: Option<String>,
    new_value: Option<String>,
}

/// One of the 128 trees.
struct Known {
    root: Cid,
    nodes: BTreeMap<Cid, Vec<u8>>,
    entries: BTreeMap<String, Cid>,
}

fn known(name: &str) -> Known {
    let bytes = data::read(&format!("mst-test-suite/{}", name.trim_start_matches("./"))).unwrap();
    let car = Car::parse(&bytes).unwrap();
    let tree = Tree::load(&car, &car.root()).unwrap();
    Known {
        root: car.root(),
        nodes: car.blocks().map(|(cid, block)| (cid, block.to_vec())).collect(),
        entries: tree.entries().into_iter().collect(),
    }
}

fn cids(texts: &[String]) -> BTreeSet<Cid> {
    texts.iter().map(|t| t.parse().unwrap()).collect()
}

/// The files of a tar archive.
fn files(mut tar: &[u8]) -> Vec<(&str, &[u8])> {
    let mut files = Vec::new();
    while let Some((header, rest)) = tar.split_at_checked(512).filter(|(h, _)| h[0] != 0) {
        let text = |range: std::ops::Range<usize>| std::str::from_utf8(&header[range]).unwrap().trim_matches(['\0', ' ']);
        let size = usize::from_str_radix(text(124..136), 8).unwrap();
        if header[156] == b'0' {
            files.push((text(0..100), &rest[..size]));
        }
        tar = &rest[size.next_multiple_of(512)..];
    }
    files
}

#[test]
fn all_16384_diffs_are_seen_proven_and_undone() {
    let Some(tar) = data::read("mst-test-suite/tests.tar.zst") else { return };
    let names = (0..128).map(|n| format!("./cars/exhaustive/exhaustive_{n:03}.car"));
    let trees: BTreeMap<String, Known> = names.map(|name| (name.clone(), known(&name))).collect();
    let cases: Vec<&[u8]> =
        files(&tar).into_iter().filter(|f| std::path::Path::new(f.0).extension().is_some_and(|e| e == "json")).map(|f| f.1).collect();
    assert_eq!(cases.len(), 16_384);
    let judge = |cases: &[&[u8]]| -> [usize; 5] {
        cases
            .iter()
            .map(|case| judge(&serde_json::from_slice(case).unwrap(), &trees))
            .fold([0; 5], |a, b| std::array::from_fn(|i| a[i] + b[i]))
    };
    let (first, second) = cases.split_at(cases.len() / 2);
    let totals = std::thread::scope(|scope| {
        let other = scope.spawn(|| judge(first));
        let mine = judge(second);
        let others = other.join().unwrap();
        [0, 1, 2, 3, 4].map(|i| mine[i] + others[i])
    });
    assert_eq!(totals, [16_384, 57_344, 46_896, 44_832, 49_376], "cases, ops, created, proof and inductive nodes");
}

/// Checks one case; counts of (1, ops, created nodes, proof nodes, inductive nodes).
fn judge(case: &Case, trees: &BTreeMap<String, Known>) -> [usize; 5] {
    let (a, b) = (&trees[&case.inputs.mst_a], &trees[&case.inputs.mst_b]);
    let ops: Vec<ProofOp<'_>> = case.results.record_ops.iter().map(proof_op).collect();
    assert_eq!(ops.iter().map(|op| (op.path, (op.prev, op.cid))).collect::<BTreeMap<_, _>>(), differences(a, b));
    assert_eq!(missing(b, a), cids(&case.results.created_nodes));
    assert_eq!(missing(a, b), cids(&case.results.deleted_nodes));

    // From a to b by the operations.
    let mut tree = super::mst::build(a.entries.iter().map(|(k, v)| (&k[..], *v)));
    assert_eq!(tree.root(), a.root);
    for op in &ops {
        let old = match op.cid {
            Some(cid) => tree.insert(op.path, cid),
            None => tree.remove(op.path),
        };
        assert_eq!(old, Ok(op.prev));
    }
    assert_eq!(tree.root(), b.root);

    // The proof nodes show each record's state in b.
    let proof = cids(&case.results.proof_nodes);
    let bytes = slice(b.root, part(b, &proof));
    let car = Car::parse(&bytes).unwrap();
    for op in &ops {
        assert_eq!(find(&car, &b.root, op.path), Ok(op.cid));
    }

    // The inductive nodes lead back to a, and a commit of ours carries them all (and sometimes more: it covers each operation by itself).
    let inductive = cids(&case.results.inductive_proof_nodes);
    let paths: Vec<&str> = ops.iter().map(|op| op.path).collect();
    let ours: BTreeSet<Cid> = tree.proof(&paths).unwrap().into_iter().map(|n| n.0).chain(missing(b, a)).collect();
    let bytes = slice(b.root, part(b, &inductive));
    let car = Car::parse(&bytes).unwrap();
    // The 128 cases without a change have no nodes.
    assert!(ops.is_empty() || invert(&car, &b.root, &ops) == Ok(a.root));
    assert!(ours.is_superset(&inductive));
    [1, ops.len(), case.results.created_nodes.len(), proof.len(), inductive.len()]
}

fn proof_op(op: &RecordOp) -> ProofOp<'_> {
    let cid = |text: &Option<String>| text.as_ref().map(|t| t.parse().unwrap());
    ProofOp { path: &op.rpath, cid: cid(&op.new_value), prev: cid(&op.old_value) }
}

/// What differs, by key: value before and after.
fn differences<'t>(a: &'t Known, b: &'t Known) -> BTreeMap<&'t str, (Option<Cid>, Option<Cid>)> {
    let keys = a.entries.keys().chain(b.entries.keys());
    keys.map(|k| (&k[..], (a.entries.get(k).copied(), b.entries.get(k).copied()))).filter(|(_, (old, new))| old != new).collect()
}

/// The nodes of `all` that are not in `other`.
fn missing(all: &Known, other: &Known) -> BTreeSet<Cid> {
    all.nodes.keys().filter(|cid| !other.nodes.contains_key(cid)).copied().collect()
}

fn part(of: &Known, nodes: &BTreeSet<Cid>) -> Vec<(Cid, Vec<u8>)> {
    nodes.iter().map(|cid| (*cid, of.nodes[cid].clone())).collect()
}

#[test]
fn an_altered_case_fails() {
    let Some(tar) = data::read("mst-test-suite/tests.tar.zst") else { return };
    let (_, case) = files(&tar).into_iter().find(|f| f.0.ends_with("exhaustive_078_122.json")).unwrap();
    let case: Case = serde_json::from_slice(case).unwrap();
    let (a, b) = (known(&case.inputs.mst_a), known(&case.inputs.mst_b));
    let nodes = cids(&case.results.inductive_proof_nodes);
    let ops: Vec<ProofOp<'_>> = case.results.record_ops.iter().map(proof_op).collect();
    let undo = |nodes: &BTreeSet<Cid>, ops: &[ProofOp<'_>]| invert(&Car::parse(&slice(b.root, part(&b, nodes))).unwrap(), &b.root, ops);
    assert_eq!(undo(&nodes, &ops), Ok(a.root));
    for i in 0..ops.len() {
        let mut without = ops.clone();
        without.remove(i);
        assert_ne!(undo(&nodes, &without), Ok(a.root), "op {i} left out");
        let mut other_value = ops.clone();
        let changed = Some(*EMPTY_ROOT);
        if other_value[i].prev.is_some() {
            other_value[i].prev = changed;
        } else {
            other_value[i].cid = changed;
        }
        assert_ne!(undo(&nodes, &other_value), Ok(a.root), "op {i} of another record");
        let mut twice = ops.clone();
        twice.push(ops[i]);
        assert!(undo(&nodes, &twice).is_err(), "op {i} twice");
    }
    let mut needed = 0;
    for node in &nodes {
        let without = nodes.iter().filter(|n| *n != node).copied().collect();
        match undo(&without, &ops) {
            Ok(root) => assert_eq!(root, a.root),
            Err(error) => needed += usize::from(matches!(error, MstError::Missing(_))),
        }
    }
    assert_eq!((nodes.len(), needed), (5, 4), "one node was created and is not needed to undo the operations");
}
