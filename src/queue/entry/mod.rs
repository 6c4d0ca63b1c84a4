//! The entry codec: consecutive events of one partition as one value of the stream.
//!
//! ```text
//! entry   version (1 byte), count, event...
//! event   kind (1 byte), seq, time (both as difference to the event before), did (empty = none), body
//! commit  flags (1 byte), rev, data, commit, since?, prevData?, block?, fault?, count of ops, op...
//! op      flags (1 byte), collection, rkey, cid?, prev?, record
//! ```
//! Numbers are LEB128 (signed ones zigzag), a TID is one, texts and bytes carry their length, a CID is its 36 bytes.
//!
//! Never panics on bytes, and never takes more memory than a small multiple of them.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

pub use decode::{EntryError, count, decode};
pub use encode::encode;

use super::event::{Body, Event};

/// The form of entries that this program writes, and the newest it reads.
const VERSION: u8 = 1;
/// Events in an entry at most: beyond, packing saves nothing, and the decoded form stays under 1 MiB even where each is a few bytes.
pub const MAX_EVENTS: usize = 512;
/// Operations in an entry at most, all events together, for the same reason (a commit has 200 at most).
pub const MAX_OPS: usize = 4096;
/// No event is added to an entry that has this size already, in bytes: Redis holds an entry in one piece, a reader takes it whole.
pub const TARGET_SIZE: usize = 256 * 1024;

const COMMIT: u8 = 0;
const SYNC: u8 = 1;
const IDENTITY: u8 = 2;
const ACCOUNT: u8 = 3;
const GAP: u8 = 4;
const REJECT: u8 = 5;
const UNREADABLE: u8 = 6;

/// Flags of a commit.
const HAS_SINCE: u8 = 1;
const HAS_PREV_DATA: u8 = 2;
const HAS_BLOCK: u8 = 4;
const HAS_FAULT: u8 = 8;

/// Flags of an op: the action in the two lowest bits.
const ACTION: u8 = 3;
const HAS_CID: u8 = 4;
const HAS_PREV: u8 = 8;

/// Flags of an account.
const ACTIVE: u8 = 1;
const HAS_STATUS: u8 = 2;

/// How many of the first events go into one entry; at least one where there is one.
#[must_use]
pub fn fit<'a>(events: impl IntoIterator<Item = &'a Event>) -> usize {
    let (mut fit, mut ops, mut size) = (0, 0, 0);
    for event in events {
        let event_ops = if let Body::Commit(commit) = &event.body { commit.ops.len() } else { 0 };
        if fit > 0 && (fit == MAX_EVENTS || ops + event_ops > MAX_OPS || size >= TARGET_SIZE) {
            break;
        }
        fit += 1;
        ops += event_ops;
        size += size_of_event(event);
    }
    fit
}

/// About how many bytes an event takes.
fn size_of_event(event: &Event) -> usize {
    /// Seq, time, DID, rev and the CIDs of a commit.
    const HEAD: usize = 200;
    HEAD + match &event.body {
        Body::Commit(commit) => {
            commit.block.as_ref().map_or(0, bytes::Bytes::len) + commit.ops.iter().map(|op| 100 + op.record.len()).sum::<usize>()
        }
        Body::Reject { frame, .. } | Body::Unreadable { frame, .. } => frame.len(),
        Body::Sync { .. } | Body::Identity { .. } | Body::Account { .. } | Body::Gap { .. } => 0,
    }
}
