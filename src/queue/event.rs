//! What happened in the network, as it travels from ingest to the worker: judged by ingest, not yet held against what is indexed.

use bytes::Bytes;

use super::Position;
pub use crate::atproto::Action;
use crate::atproto::{Cid, Did, Nsid, RecordKey, Tid};

/// One event of a relay's stream, in the form in which it is queued.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The relay's number. [`Body::Gap`] carries the number before the first event after the gap, [`Body::Unreadable`] that of the next
    /// readable frame.
    pub seq: i64,
    /// indexedAt in microseconds since 1970: the frame's `time`, or ingest's clock where that is unreadable or too far ahead.
    pub time: i64,
    /// The repo; `None` only for [`Body::Gap`] and [`Body::Unreadable`].
    pub did: Option<Did>,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Commit(Commit),
    /// #sync: the repo was set to another state without its operations being told.
    Sync {
        rev: Tid,
        data: Cid,
        commit: Cid,
    },
    /// #identity: the DID document or the handle may have changed.
    Identity {
        handle: Option<String>,
    },
    /// #account: hosting status; `status` is the relay's word where `active` is false.
    Account {
        active: bool,
        status: Option<String>,
    },
    /// The relay could not replay the events in (from, to).
    Gap {
        from: Position,
        to: Position,
    },
    /// A frame of a known repo that must not be applied; `frame` holds its first 64 KiB.
    Reject {
        reason: String,
        frame: Bytes,
    },
    /// Bytes that are no frame at all; `frame` holds the first 64 KiB.
    Unreadable {
        reason: String,
        frame: Bytes,
    },
}

/// A #commit whose blocks (and proof, unless switched off) ingest has checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    pub rev: Tid,
    pub since: Option<Tid>,
    /// Root of the repo's tree before this commit; `None` from legacy hosts.
    pub prev_data: Option<Cid>,
    /// Root of the repo's tree after it.
    pub data: Cid,
    pub commit: Cid,
    /// The signed commit block, carried only where the worker is to check its signature.
    pub block: Option<Bytes>,
    /// What is wrong with this commit although its ops can be indexed (two ops on one path, a failed proof, tooBig): the repo is marked
    /// desynchronized with this reason.
    pub fault: Option<String>,
    pub ops: Vec<Op>,
}

/// One operation on a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Op {
    pub action: Action,
    pub collection: Nsid,
    pub rkey: RecordKey,
    /// The record's CID; `None` for a delete.
    pub cid: Option<Cid>,
    /// The CID that the record had before; `None` for a create and from legacy hosts.
    pub prev: Option<Cid>,
    /// The record as DAG-CBOR, whose hash is `cid`; empty for a delete.
    pub record: Bytes,
}
