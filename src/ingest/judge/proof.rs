//! Whether the operations of a commit lead from the old root to the new one, as far as its blocks can tell.

use crate::atproto::Cid;
use crate::atproto::car::Car;
use crate::atproto::frame::CommitFrame;
use crate::atproto::mst::{MstError, ProofOp, find, invert};
use crate::queue::{Action, Op};

/// The answer, with words where it is no.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Proven {
    Yes,
    No(String),
}

/// The inductive proof of sync v1.1: the operations, undone on the partial tree, give `prev_data`.
pub(super) fn holds(frame: &CommitFrame<'_>, car: &Car<'_>, data: &Cid, prev_data: &Cid) -> Proven {
    let ops: Vec<_> = frame
        .ops
        .iter()
        .map(|op| ProofOp { path: op.path, cid: op.cid.filter(|_| op.action != "delete"), prev: op.prev.filter(|_| op.action != "create") })
        .collect();
    match invert(car, data, &ops) {
        Ok(root) if root == *prev_data => Proven::Yes,
        Ok(_) => Proven::No("the operations do not lead from prevData to data".to_owned()),
        Err(error) => Proven::No(error.to_string()),
    }
}

/// Without `prevData` (legacy hosts): each created or updated record is where its path says, each deleted one is not. Such a host need not
/// send the nodes that show an absence, so their lack speaks against nobody.
pub(super) fn places_hold(car: &Car<'_>, data: &Cid, ops: &[Op]) -> Proven {
    for op in ops {
        let path = format!("{}/{}", op.collection, op.rkey);
        match find(car, data, &path) {
            Ok(found) if found == op.cid => {}
            Err(MstError::Missing(_)) if op.action == Action::Delete => {}
            Ok(_) => return Proven::No(format!("the tree holds something else at {path}")),
            Err(error) => return Proven::No(error.to_string()),
        }
    }
    Proven::Yes
}
