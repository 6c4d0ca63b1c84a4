//! What an entry takes of the bytes, about: itself, what it holds on the heap, and its place in the map.

use std::sync::Arc;

use crate::query::hydrate::{Actor, Blocks, Content, Counted, Follows, ThreadGate};

/// An entry with nothing on the heap.
pub(super) const SMALLEST: u64 = 64;
/// What a post or an account has at least: that tells the map how many to expect.
pub(super) const SMALLEST_ROW: u64 = 512;
/// Longer DIDs are not remembered: those of did:plc have 32 bytes, and names of hosts may have thousands.
pub(super) const LONGEST_DID: usize = 64;
/// A DID with its id at most.
pub(super) const SMALLEST_ID: u64 = 128;
/// A post besides its record: its row, its addresses and times as text.
const POST: usize = 512;
/// An account besides its profile: its row, its addresses and the names of fields as text.
const ACTOR: usize = 640;

/// The ties of one who reads: they grow, and are taken for as many as there may be.
pub(super) const TIES: u64 = 12 << 10;

pub(super) fn post(content: &Arc<Content>) -> u64 {
    bytes(POST + content.bytes())
}

pub(super) fn actor(actor: &Arc<Actor>) -> u64 {
    bytes(ACTOR + actor.bytes())
}

pub(super) fn counted(counted: &Counted) -> u64 {
    SMALLEST + bytes(counted.bytes())
}

pub(super) fn gate(gate: Option<&ThreadGate>) -> u64 {
    SMALLEST + gate.map_or(0, |gate| bytes(gate.bytes()))
}

pub(super) fn follows(follows: &Follows) -> u64 {
    SMALLEST + bytes(follows.bytes())
}

pub(super) fn blocks(blocks: &Blocks) -> u64 {
    SMALLEST + bytes(blocks.bytes())
}

fn bytes(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
