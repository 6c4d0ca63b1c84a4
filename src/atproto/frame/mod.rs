//! The messages of `com.atproto.sync.subscribeRepos`, borrowed from the websocket frame that holds them. Judges form only, never whether
//! blocks, proofs or signatures hold.

mod encode;
mod peek;
mod wire;

use super::Cid;
use super::cbor::CborError;

pub use peek::{Peek, peek};

/// Largest frame that is read, in bytes (event stream specification: 5 MB).
pub const MAX_FRAME: usize = 5_000_000;
/// Largest `blocks` of a #commit, in bytes (the lexicon's `maxLength`).
pub const MAX_BLOCKS: usize = 2_000_000;
/// Most operations in a #commit (the lexicon's `maxLength`).
pub const MAX_OPS: usize = 200;
/// Largest record, in bytes (repository specification).
pub const MAX_RECORD: usize = 1_000_000;

/// One message. Source: <https://atproto.com/specs/event-stream> and the lexicon `com.atproto.sync.subscribeRepos`.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame<'a> {
    Commit(CommitFrame<'a>),
    Sync(SyncFrame<'a>),
    Identity(IdentityFrame<'a>),
    Account(AccountFrame<'a>),
    /// A word from the relay, as `OutdatedCursor`.
    Info {
        name: &'a str,
        message: Option<&'a str>,
    },
    /// The relay ends the stream, as `FutureCursor` or `ConsumerTooSlow`.
    Error {
        error: &'a str,
        message: Option<&'a str>,
    },
    /// A type that this program does not know: to be ignored and counted, as the specification asks. `t` is empty where the frame has an
    /// unknown `op`.
    Other {
        t: &'a str,
        seq: Option<i64>,
    },
}

/// #commit: a repo moved from one root to another.
#[derive(Debug, Clone, PartialEq)]
pub struct CommitFrame<'a> {
    pub seq: i64,
    /// The repo's DID, unchecked.
    pub repo: &'a str,
    /// The new revision, a TID, unchecked.
    pub rev: &'a str,
    /// The revision before, unchecked; `None` for a repo's first commit.
    pub since: Option<&'a str>,
    pub commit: Cid,
    /// Root of the tree before this commit; `None` from legacy hosts.
    pub prev_data: Option<Cid>,
    /// A CAR slice, for [`super::car::Car::parse`].
    pub blocks: &'a [u8],
    /// At most [`MAX_OPS`] + 1 of them are read, so that a longer list is seen to be too long and costs nothing more.
    pub ops: Vec<OpFrame<'a>>,
    pub too_big: bool,
    pub rebase: bool,
    /// When the relay or the host saw it, unchecked.
    pub time: &'a str,
}

/// One operation of a #commit on one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpFrame<'a> {
    /// `create`, `update` or `delete`, unchecked.
    pub action: &'a str,
    /// `collection/rkey`, unchecked.
    pub path: &'a str,
    /// The record's CID; `None` for a delete.
    pub cid: Option<Cid>,
    /// The CID before; `None` for a create and from legacy hosts.
    pub prev: Option<Cid>,
}

/// #sync: a repo's state, without the operations that led there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncFrame<'a> {
    pub seq: i64,
    pub did: &'a str,
    pub rev: &'a str,
    /// A CAR with the commit block.
    pub blocks: &'a [u8],
    pub time: &'a str,
}

/// #identity: a DID document or a handle may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentityFrame<'a> {
    pub seq: i64,
    pub did: &'a str,
    pub time: &'a str,
    pub handle: Option<&'a str>,
}

/// #account: hosting status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountFrame<'a> {
    pub seq: i64,
    pub did: &'a str,
    pub time: &'a str,
    pub active: bool,
    /// Why it is not active: `takendown`, `suspended`, `deleted`, `deactivated`, `desynchronized`, `throttled` or a later word.
    pub status: Option<&'a str>,
}

/// Why bytes are no frame. After one of these the connection is to be ended.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of more than {MAX_FRAME} bytes")]
    TooLarge,
    #[error("not strict DAG-CBOR: {0}")]
    Cbor(#[from] CborError),
    #[error("a frame is two maps, header and body")]
    Framing,
    #[error("fields are missing or of the wrong type: {0}")]
    Fields(#[from] serde_cbor::Error),
    #[error("a negative sequence number")]
    Seq,
}

impl<'a> Frame<'a> {
    /// Reads one websocket message.
    ///
    /// # Errors
    /// Bytes that are not exactly two maps of strict DAG-CBOR, or lack what their type requires.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FrameError> {
        wire::parse(bytes)
    }

    /// The bytes that [`Frame::parse`] reads; [`Frame::Other`] is written without content.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode::encode(self)
    }

    /// The relay's number of this message, where its type has one.
    #[must_use]
    pub fn seq(&self) -> Option<i64> {
        match self {
            Self::Commit(f) => Some(f.seq),
            Self::Sync(f) => Some(f.seq),
            Self::Identity(f) => Some(f.seq),
            Self::Account(f) => Some(f.seq),
            Self::Other { seq, .. } => *seq,
            Self::Info { .. } | Self::Error { .. } => None,
        }
    }
}
