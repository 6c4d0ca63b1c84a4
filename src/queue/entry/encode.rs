//! Events to bytes.

use super::{
    ACCOUNT, ACTIVE, COMMIT, GAP, HAS_BLOCK, HAS_CID, HAS_FAULT, HAS_PREV, HAS_PREV_DATA, HAS_SINCE, HAS_STATUS, IDENTITY, REJECT, SYNC,
    UNREADABLE, VERSION,
};
use crate::atproto::Cid;
use crate::queue::Position;
use crate::queue::event::{Action, Body, Commit, Event, Op};

/// Encodes the consecutive events of one partition as one entry; how many, [`super::fit`] says.
#[must_use]
pub fn encode(events: &[Event]) -> Vec<u8> {
    let mut to = Vec::with_capacity(64 + events.iter().map(super::size_of_event).sum::<usize>());
    to.push(VERSION);
    put_len(&mut to, events.len());
    let (mut seq, mut time) = (0, 0);
    for event in events {
        to.push(kind(&event.body));
        put_signed(&mut to, event.seq.wrapping_sub(seq));
        put_signed(&mut to, event.time.wrapping_sub(time));
        (seq, time) = (event.seq, event.time);
        put_bytes(&mut to, event.did.as_ref().map_or("", |did| did.as_str()).as_bytes());
        put_body(&mut to, &event.body);
    }
    to
}

fn kind(body: &Body) -> u8 {
    match body {
        Body::Commit(_) => COMMIT,
        Body::Sync { .. } => SYNC,
        Body::Identity { .. } => IDENTITY,
        Body::Account { .. } => ACCOUNT,
        Body::Gap { .. } => GAP,
        Body::Reject { .. } => REJECT,
        Body::Unreadable { .. } => UNREADABLE,
    }
}

fn put_body(to: &mut Vec<u8>, body: &Body) {
    match body {
        Body::Commit(commit) => put_commit(to, commit),
        Body::Sync { rev, data, commit } => {
            put_signed(to, rev.value());
            put_cid(to, data);
            put_cid(to, commit);
        }
        Body::Identity { handle } => {
            to.push(u8::from(handle.is_some()));
            put_some_bytes(to, handle.as_deref().map(str::as_bytes));
        }
        Body::Account { active, status } => {
            to.push(flag(ACTIVE, *active) | flag(HAS_STATUS, status.is_some()));
            put_some_bytes(to, status.as_deref().map(str::as_bytes));
        }
        Body::Gap { from, to: end } => {
            put_position(to, *from);
            put_position(to, *end);
        }
        Body::Reject { reason, frame } | Body::Unreadable { reason, frame } => {
            put_bytes(to, reason.as_bytes());
            put_bytes(to, frame);
        }
    }
}

fn put_commit(to: &mut Vec<u8>, commit: &Commit) {
    to.push(
        flag(HAS_SINCE, commit.since.is_some())
            | flag(HAS_PREV_DATA, commit.prev_data.is_some())
            | flag(HAS_BLOCK, commit.block.is_some())
            | flag(HAS_FAULT, commit.fault.is_some()),
    );
    put_signed(to, commit.rev.value());
    put_cid(to, &commit.data);
    put_cid(to, &commit.commit);
    if let Some(since) = commit.since {
        put_signed(to, since.value());
    }
    if let Some(prev_data) = &commit.prev_data {
        put_cid(to, prev_data);
    }
    put_some_bytes(to, commit.block.as_deref());
    put_some_bytes(to, commit.fault.as_deref().map(str::as_bytes));
    put_len(to, commit.ops.len());
    for op in &commit.ops {
        put_op(to, op);
    }
}

fn put_op(to: &mut Vec<u8>, op: &Op) {
    let action = match op.action {
        Action::Create => 0,
        Action::Update => 1,
        Action::Delete => 2,
    };
    to.push(action | flag(HAS_CID, op.cid.is_some()) | flag(HAS_PREV, op.prev.is_some()));
    put_bytes(to, op.collection.as_str().as_bytes());
    put_bytes(to, op.rkey.as_str().as_bytes());
    for cid in [&op.cid, &op.prev].into_iter().flatten() {
        put_cid(to, cid);
    }
    put_bytes(to, &op.record);
}

fn flag(bit: u8, on: bool) -> u8 {
    if on { bit } else { 0 }
}

fn put_position(to: &mut Vec<u8>, position: Position) {
    put_signed(to, position.epoch);
    put_signed(to, position.seq);
}

fn put_cid(to: &mut Vec<u8>, cid: &Cid) {
    to.extend_from_slice(cid.as_bytes());
}

fn put_some_bytes(to: &mut Vec<u8>, bytes: Option<&[u8]>) {
    if let Some(bytes) = bytes {
        put_bytes(to, bytes);
    }
}

fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put_len(to, bytes.len());
    to.extend_from_slice(bytes);
}

fn put_len(to: &mut Vec<u8>, len: usize) {
    put_unsigned(to, u64::try_from(len).unwrap_or(u64::MAX));
}

fn put_signed(to: &mut Vec<u8>, value: i64) {
    put_unsigned(to, ((value << 1) ^ (value >> 63)).cast_unsigned());
}

fn put_unsigned(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    to.push(value.to_le_bytes()[0]);
}
