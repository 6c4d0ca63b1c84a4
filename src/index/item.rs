//! Events ready to be applied: names are numbers, records are judged and built into rows. Still without any knowledge of what is held.

use bytes::Bytes;

use crate::atproto::{Cid, Nsid, RecordKey, Tid};
use crate::collection::{Derived, Edge, EdgeKind};
use crate::db::record::Path;
use crate::db::{post, repo};
use crate::queue::{Action, Position};

/// One event.
#[derive(Debug)]
pub(super) struct Item {
    pub at: Position,
    /// indexedAt, microseconds since 1970.
    pub time: i64,
    /// The repo; `None` only for gaps and unreadable frames.
    pub account: Option<i32>,
    pub body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    Commit(Commit),
    Sync { rev: Tid, data: Cid },
    Identity { handle: Option<String> },
    Account { status: repo::Status },
    Gap { from: Position, to: Position },
    Reject { reason: String, frame: Bytes },
    Unreadable { reason: String, frame: Bytes },
}

#[derive(Debug)]
pub(super) struct Commit {
    pub rev: Tid,
    pub since: Option<Tid>,
    pub prev_data: Option<Cid>,
    pub data: Cid,
    pub fault: Option<String>,
    pub ops: Vec<RecordOp>,
}

/// One op on a record, with all that a dead letter keeps.
#[derive(Debug)]
pub(super) struct RecordOp {
    pub action: Action,
    pub collection: Nsid,
    pub rkey: RecordKey,
    pub cid: Option<Cid>,
    pub record: Bytes,
    pub verdict: Verdict,
}

/// What is to be done with an op, as far as its record alone tells.
#[derive(Debug)]
pub(super) enum Verdict {
    Put(Path, Row),
    Delete(Path),
    /// The record cannot be indexed, for this reason.
    Dead(Path, String),
    /// The collection is not indexed.
    Ignored,
}

impl Verdict {
    pub fn path(&self) -> Option<Path> {
        match self {
            Self::Put(path, _) | Self::Delete(path) | Self::Dead(path, _) => Some(*path),
            Self::Ignored => None,
        }
    }
}

/// What a record is stored as.
#[derive(Debug)]
pub(super) enum Row {
    Edge {
        kind: EdgeKind,
        edge: Edge,
        /// The subject's CID as the edge names it.
        cid: Option<Cid>,
        /// The record, packed, where the columns do not hold it.
        raw: Option<Vec<u8>>,
    },
    Post(post::Stored),
    Whole {
        /// The record, packed.
        packed: Vec<u8>,
        derived: Derived,
    },
}
