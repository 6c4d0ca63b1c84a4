//! The inductive proof of sync v1.1: a commit's operations, undone on the slice of the new tree that came with it, lead to the old root.

use super::super::Cid;
use super::super::car::Car;
use super::{MstError, Tree, height};

/// One operation as the tree sees it: create (`cid` only), update (both) or delete (`prev` only).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofOp<'a> {
    /// `collection/rkey`.
    pub path: &'a str,
    /// The record's CID after the commit.
    pub cid: Option<Cid>,
    /// The record's CID before it.
    pub prev: Option<Cid>,
}

/// The root before the commit: `ops` in any order, undone on the tree of root `data`. The caller compares it with `prevData`.
///
/// Undone are deletes first, then updates, then creates from the lowest key to the highest: whichever order a host used, the tree is the
/// same, and in this one the fewest nodes are needed (a key above is taken out when no new key below would still have to be merged).
///
/// # Errors
/// A path comes twice, an operation contradicts the tree (a created record is not there or another, a deleted one still is), or a node
/// that is needed is missing or malformed.
pub fn invert(blocks: &Car<'_>, data: &Cid, ops: &[ProofOp<'_>]) -> Result<Cid, MstError> {
    let mut sorted: Vec<_> = ops.iter().collect();
    sorted.sort_unstable_by_key(|op| op.path);
    if sorted.windows(2).any(|pair| matches!(pair, [a, b] if a.path == b.path)) {
        return Err(MstError::Op("two operations on one path"));
    }
    sorted.sort_by_cached_key(|op| (op.cid.is_some(), op.prev.is_none(), height(op.path.as_bytes())));
    let mut tree = Tree::open(blocks, data)?;
    for op in sorted {
        undo(&mut tree, op)?;
    }
    Ok(tree.root())
}

fn undo(tree: &mut Tree<'_>, op: &ProofOp<'_>) -> Result<(), MstError> {
    let found = match op.prev {
        Some(prev) => tree.insert(op.path, prev)?,
        None if op.cid.is_some() => tree.remove(op.path)?,
        None => return Err(MstError::Op("neither a record before nor one after")),
    };
    if found == op.cid { Ok(()) } else { Err(MstError::Op("the tree holds another record, or one that is said to be gone")) }
}

/// The record under `path` in the tree of root `data`, as far as the blocks at hand tell.
///
/// # Errors
/// A node on the way is missing or malformed.
pub fn find(blocks: &Car<'_>, data: &Cid, path: &str) -> Result<Option<Cid>, MstError> {
    Tree::open(blocks, data)?.get(path)
}
