//! Bytes to events. Records and frames borrow the entry's bytes.

use std::str::FromStr;

use bytes::Bytes;

use super::{
    ACCOUNT, ACTION, ACTIVE, COMMIT, GAP, HAS_BLOCK, HAS_CID, HAS_FAULT, HAS_PREV, HAS_PREV_DATA, HAS_SINCE, HAS_STATUS, IDENTITY,
    MAX_EVENTS, MAX_OPS, REJECT, SYNC, UNREADABLE, VERSION,
};
use crate::atproto::cid::CID_LEN;
use crate::atproto::{Cid, Tid};
use crate::queue::Position;
use crate::queue::event::{Action, Body, Commit, Event, Op};

/// The bytes are no entry that this program can read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    #[error("queue entry of version {0}: a newer appviewd wrote it")]
    Version(u8),
    #[error("damaged queue entry: {0}")]
    Damaged(&'static str),
}

/// Reads the events of an entry.
///
/// # Errors
/// Bytes that are no entry, or one of a newer version.
pub fn decode(entry: &Bytes) -> Result<Vec<Event>, EntryError> {
    let mut from = Reader { entry, at: 0, ops: 0 };
    let count = from.head()?;
    let mut events = Vec::with_capacity(count);
    let (mut seq, mut time) = (0_i64, 0_i64);
    for _ in 0..count {
        let kind = from.byte()?;
        seq = seq.wrapping_add(from.signed()?);
        time = time.wrapping_add(from.signed()?);
        let did = from.bytes()?;
        let did = if did.is_empty() { None } else { Some(parse(&did)?) };
        events.push(Event { seq, time, did, body: from.body(kind)? });
    }
    if from.at == entry.len() { Ok(events) } else { Err(EntryError::Damaged("bytes after its end")) }
}

/// The number of events in an entry, from its head; `None` where that cannot be read.
#[must_use]
pub fn count(entry: &Bytes) -> Option<u16> {
    Reader { entry, at: 0, ops: 0 }.head().ok().and_then(|count| u16::try_from(count).ok())
}

struct Reader<'a> {
    entry: &'a Bytes,
    at: usize,
    /// Operations so far.
    ops: usize,
}

impl Reader<'_> {
    fn head(&mut self) -> Result<usize, EntryError> {
        match self.byte()? {
            VERSION => {}
            0 => return Err(EntryError::Damaged("no version")),
            newer => return Err(EntryError::Version(newer)),
        }
        match self.len()? {
            count if count <= MAX_EVENTS => Ok(count),
            _ => Err(EntryError::Damaged("too many events")),
        }
    }

    fn body(&mut self, kind: u8) -> Result<Body, EntryError> {
        Ok(match kind {
            COMMIT => Body::Commit(self.commit()?),
            SYNC => Body::Sync { rev: self.tid()?, data: self.cid()?, commit: self.cid()? },
            IDENTITY => {
                let flags = self.byte()?;
                Body::Identity { handle: self.some(flags & 1, Self::text)? }
            }
            ACCOUNT => {
                let flags = self.byte()?;
                Body::Account { active: flags & ACTIVE != 0, status: self.some(flags & HAS_STATUS, Self::text)? }
            }
            GAP => Body::Gap { from: self.position()?, to: self.position()? },
            REJECT => Body::Reject { reason: self.text()?, frame: self.bytes()? },
            UNREADABLE => Body::Unreadable { reason: self.text()?, frame: self.bytes()? },
            _ => return Err(EntryError::Damaged("unknown kind of event")),
        })
    }

    fn commit(&mut self) -> Result<Commit, EntryError> {
        let flags = self.byte()?;
        let (rev, data, commit) = (self.tid()?, self.cid()?, self.cid()?);
        let since = self.some(flags & HAS_SINCE, Self::tid)?;
        let prev_data = self.some(flags & HAS_PREV_DATA, Self::cid)?;
        let block = self.some(flags & HAS_BLOCK, Self::bytes)?;
        let fault = self.some(flags & HAS_FAULT, Self::text)?;
        let count = self.len()?;
        self.ops = self.ops.saturating_add(count);
        if self.ops > MAX_OPS {
            return Err(EntryError::Damaged("too many operations"));
        }
        let mut ops = Vec::with_capacity(count);
        for _ in 0..count {
            ops.push(self.op()?);
        }
        Ok(Commit { rev, since, prev_data, data, commit, block, fault, ops })
    }

    fn op(&mut self) -> Result<Op, EntryError> {
        let flags = self.byte()?;
        let action = match flags & ACTION {
            0 => Action::Create,
            1 => Action::Update,
            2 => Action::Delete,
            _ => return Err(EntryError::Damaged("unknown action")),
        };
        Ok(Op {
            action,
            collection: parse(&self.bytes()?)?,
            rkey: parse(&self.bytes()?)?,
            cid: self.some(flags & HAS_CID, Self::cid)?,
            prev: self.some(flags & HAS_PREV, Self::cid)?,
            record: self.bytes()?,
        })
    }

    fn some<T>(&mut self, flag: u8, read: impl FnOnce(&mut Self) -> Result<T, EntryError>) -> Result<Option<T>, EntryError> {
        if flag == 0 { Ok(None) } else { read(self).map(Some) }
    }

    fn position(&mut self) -> Result<Position, EntryError> {
        Ok(Position::new(self.signed()?, self.signed()?))
    }

    fn tid(&mut self) -> Result<Tid, EntryError> {
        Tid::from_value(self.signed()?).ok_or(EntryError::Damaged("no TID"))
    }

    fn cid(&mut self) -> Result<Cid, EntryError> {
        Cid::from_bytes(&self.take(CID_LEN)?).map_err(|_| EntryError::Damaged("no CID"))
    }

    fn text(&mut self) -> Result<String, EntryError> {
        Ok(as_str(&self.bytes()?)?.to_owned())
    }

    fn bytes(&mut self) -> Result<Bytes, EntryError> {
        let len = self.len()?;
        self.take(len)
    }

    fn take(&mut self, len: usize) -> Result<Bytes, EntryError> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.entry.len()).ok_or(EntryError::Damaged("cut off"))?;
        let taken = self.entry.slice(self.at..end);
        self.at = end;
        Ok(taken)
    }

    /// A length or count: never more than the bytes that are left, since each thing takes one at least.
    fn len(&mut self) -> Result<usize, EntryError> {
        let len = self.unsigned()?;
        usize::try_from(len).ok().filter(|len| *len <= self.entry.len() - self.at).ok_or(EntryError::Damaged("cut off"))
    }

    fn signed(&mut self) -> Result<i64, EntryError> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn unsigned(&mut self) -> Result<u64, EntryError> {
        let mut value = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(EntryError::Damaged("a number without an end"))
    }

    fn byte(&mut self) -> Result<u8, EntryError> {
        let byte = self.entry.get(self.at).copied().ok_or(EntryError::Damaged("cut off"))?;
        self.at += 1;
        Ok(byte)
    }
}

fn as_str(bytes: &[u8]) -> Result<&str, EntryError> {
    std::str::from_utf8(bytes).map_err(|_| EntryError::Damaged("a text that is not UTF-8"))
}

fn parse<T: FromStr>(bytes: &[u8]) -> Result<T, EntryError> {
    as_str(bytes)?.parse().map_err(|_| EntryError::Damaged("a name against its syntax"))
}
