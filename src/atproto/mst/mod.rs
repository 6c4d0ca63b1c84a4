//! The Merkle search tree that holds a repo's records: key -> CID, in one shape for one set of keys, so that a root names a whole state.
//!
//! Source: <https://atproto.com/specs/repository#mst-structure>. A tree may be partial (a CAR slice): nodes are read when they are
//! needed, and only then may they be found missing. Recursion goes down one height a call and a height is at most [`MAX_HEIGHT`].

mod edit;
mod entry;
mod node;
mod proof;
mod tree;

use std::sync::LazyLock;

use super::Cid;
use super::cbor::CborError;

pub use entry::common_prefix;
pub use node::{MAX_HEIGHT, height, is_valid_key};
pub use proof::{ProofOp, find, invert};
pub use tree::Tree;

/// The empty tree's only node: `{"e": [], "l": null}`.
pub const EMPTY_NODE: &[u8] = b"\xa2\x61e\x80\x61l\xf6";

/// Root of the empty tree.
pub static EMPTY_ROOT: LazyLock<Cid> = LazyLock::new(|| Cid::dag_cbor(EMPTY_NODE));

/// Why a tree does not hold, or cannot be judged with the nodes at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MstError {
    #[error("node {0} is needed and not among the blocks")]
    Missing(Cid),
    #[error("a node is not strict DAG-CBOR: {0}")]
    Cbor(#[from] CborError),
    #[error("a node is malformed: {0}")]
    Node(&'static str),
    #[error("a key that is no record path")]
    Key,
    #[error("an operation does not fit the tree: {0}")]
    Op(&'static str),
}
