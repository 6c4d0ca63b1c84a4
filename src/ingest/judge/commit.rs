//! #commit: its limits, its blocks, its records, and whether the signed commit agrees with the message.

use std::collections::HashSet;

use bytes::Bytes;

use super::proof::{self, Proven};
use super::{Finding, Refusal};
use crate::atproto::car::Car;
use crate::atproto::cbor;
use crate::atproto::commit::SignedCommit;
use crate::atproto::frame::{CommitFrame, MAX_BLOCKS, MAX_OPS, MAX_RECORD, OpFrame};
use crate::atproto::{Did, Nsid, RecordKey, Tid};
use crate::config::ingest::Verify;
use crate::queue::{Action, Body, Commit, Op};

pub(super) fn judge(frame: &CommitFrame<'_>, did: &Did, verify: Verify) -> Result<Finding, Refusal> {
    limits(frame)?;
    let rev: Tid = frame.rev.parse().map_err(|_| Refusal::new("rev", "rev is no TID"))?;
    let since = frame.since.map(str::parse::<Tid>).transpose().map_err(|_| Refusal::new("rev", "since is no TID"))?;
    let car = Car::parse(frame.blocks).map_err(|e| blocks_refused(frame, &e.to_string()))?;
    let signed = signed(frame, &car, did, rev)?;
    let ops = frame.ops.iter().map(|op| read_op(op, &car)).collect::<Result<Vec<_>, _>>()?;
    let (fault, chain_unchecked) = fault(frame, &car, &signed, &ops, verify);
    let commit = Commit {
        rev,
        since,
        prev_data: frame.prev_data,
        data: signed.data,
        commit: frame.commit,
        block: None,
        fault: fault.as_ref().map(|(label, words)| format!("{label}: {words}")),
        ops,
    };
    Ok(Finding { body: Body::Commit(commit), fault: fault.map(|(label, _)| label), chain_unchecked })
}

fn limits(frame: &CommitFrame<'_>) -> Result<(), Refusal> {
    if frame.blocks.len() > MAX_BLOCKS {
        return Err(Refusal::new("blocks_size", format!("{} bytes of blocks", frame.blocks.len())));
    }
    if frame.ops.len() > MAX_OPS {
        return Err(Refusal::new("ops_count", format!("more than {MAX_OPS} ops")));
    }
    Ok(())
}

/// Hosts of old left the blocks out where they were too many; nothing can be indexed then.
fn blocks_refused(frame: &CommitFrame<'_>, words: &str) -> Refusal {
    Refusal::new(if frame.too_big { "too_big" } else { "blocks" }, words)
}

fn signed<'a>(frame: &CommitFrame<'_>, car: &Car<'a>, did: &Did, rev: Tid) -> Result<SignedCommit<'a>, Refusal> {
    let block = car.get(&frame.commit).ok_or_else(|| Refusal::new("commit_block", "the commit is not among the blocks"))?;
    let signed = SignedCommit::decode(block).map_err(|e| Refusal::new("commit_block", e.to_string()))?;
    if signed.did != did.as_str() {
        return Err(Refusal::new("commit_fields", "the commit is another repo's"));
    }
    if signed.rev != rev {
        return Err(Refusal::new("commit_fields", format!("the commit's rev is {}", signed.rev)));
    }
    Ok(signed)
}

fn read_op(op: &OpFrame<'_>, car: &Car<'_>) -> Result<Op, Refusal> {
    let action = match op.action {
        "create" => Action::Create,
        "update" => Action::Update,
        "delete" => Action::Delete,
        _ => return Err(Refusal::new("action", "an op that is no create, update or delete")),
    };
    let (collection, rkey) = path(op.path).ok_or_else(|| Refusal::new("path", "a path that is no collection/rkey"))?;
    let prev = op.prev.filter(|_| action != Action::Create);
    if action == Action::Delete {
        return Ok(Op { action, collection, rkey, cid: None, prev, record: Bytes::new() });
    }
    let cid = op.cid.ok_or_else(|| Refusal::new("record_missing", "a create or update without a CID"))?;
    let record = car.get(&cid).ok_or_else(|| Refusal::new("record_missing", format!("record {cid} is not among the blocks")))?;
    if record.len() > MAX_RECORD {
        return Err(Refusal::new("record_size", format!("record {cid} has {} bytes", record.len())));
    }
    cbor::validate(record).map_err(|e| Refusal::new("record_cbor", format!("record {cid}: {e}")))?;
    Ok(Op { action, collection, rkey, cid: Some(cid), prev, record: Bytes::copy_from_slice(record) })
}

fn path(path: &str) -> Option<(Nsid, RecordKey)> {
    let (collection, rkey) = path.split_once('/')?;
    Some((collection.parse().ok()?, rkey.parse().ok()?))
}

type Fault = (&'static str, String);

/// What is wrong with the commit as a step of its repo, and whether its place in the chain could not be checked.
fn fault(frame: &CommitFrame<'_>, car: &Car<'_>, signed: &SignedCommit<'_>, ops: &[Op], verify: Verify) -> (Option<Fault>, bool) {
    if frame.too_big {
        return (Some(("too_big", "the host left operations or blocks out".to_owned())), false);
    }
    let mut paths = HashSet::with_capacity(frame.ops.len());
    if !frame.ops.iter().all(|op| paths.insert(op.path)) {
        return (Some(("two_ops", "two operations on one path".to_owned())), false);
    }
    match (verify, frame.prev_data) {
        (Verify::Blocks, _) => (None, false),
        (Verify::Proof, Some(prev_data)) => match proof::holds(frame, car, &signed.data, &prev_data) {
            Proven::Yes => (None, false),
            Proven::No(words) => (Some(("proof", words)), false),
        },
        (Verify::Proof, None) => match proof::places_hold(car, &signed.data, ops) {
            Proven::Yes => (None, true),
            Proven::No(words) => (Some(("proof", words)), true),
        },
    }
}
