//! What a relay's message is worth: a pure function from its bytes to what goes into the queue.
//!
//! Decides nothing that needs to know what is held: no rev gate, no account state, no signatures. Never panics, whatever the bytes.

mod commit;
mod proof;

use bytes::Bytes;

use crate::atproto::car::Car;
use crate::atproto::commit::SignedCommit;
use crate::atproto::datetime::parse_micros;
use crate::atproto::frame::{AccountFrame, Frame, FrameError, IdentityFrame, MAX_FRAME, SyncFrame, peek};
use crate::atproto::{Did, Tid};
use crate::config::ingest::Verify;
use crate::queue::{Body, Event};

/// Bytes of a rejected or unreadable frame that are kept.
pub const KEPT: usize = 64 << 10;
/// A frame's time may be ahead of this machine's clock by this much, in microseconds.
const MAX_AHEAD: i64 = 300 * 1_000_000;
/// Largest sequence number: scripts in Redis compute with 64-bit floats, and no relay comes near.
pub const MAX_SEQ: i64 = (1 << 53) - 1;
/// Longest account status that is carried; the words of the protocol have at most 14 letters.
const MAX_STATUS: usize = 64;
/// Longest handle that is carried, as DNS has it.
const MAX_HANDLE: usize = 253;

/// What a message is.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It goes into the queue.
    Event(Box<Judged>),
    /// Nothing to index; counted under `reason`. It stands at `seq` where it has a number.
    Nothing { seq: Option<i64>, reason: &'static str },
    /// #info.
    Info { name: String, message: String },
    /// The relay ends the stream.
    Error { error: String, message: String },
    /// No frame: the connection is to be ended. `reason` says why.
    Unreadable { reason: String },
}

/// An event and what is to be counted with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Name of the message's type.
    pub kind: &'static str,
    pub event: Event,
    /// The event's time is the frame's own, not this machine's clock.
    pub own_time: bool,
    /// Why the event is a [`Body::Reject`].
    pub reject: Option<&'static str>,
    /// What is wrong with the commit although it goes on.
    pub fault: Option<&'static str>,
    /// A commit of a legacy host: its place in the chain could not be checked.
    pub chain_unchecked: bool,
}

/// Why a message of a known repo must not be applied: a label to count it under, and words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    label: &'static str,
    words: String,
}

impl Refusal {
    fn new(label: &'static str, words: impl Into<String>) -> Self {
        Self { label, words: words.into() }
    }
}

/// Judges one message. `now` is this machine's clock in microseconds since 1970.
#[must_use]
pub fn judge(bytes: &[u8], now: i64, verify: Verify) -> Verdict {
    if bytes.len() > MAX_FRAME {
        return refuse_unread(bytes, now, "frame_size", &FrameError::TooLarge);
    }
    let frame = match Frame::parse(bytes) {
        Ok(frame) => frame,
        // The framing holds, so only this message is lost.
        Err(error @ FrameError::Fields(_)) => return refuse_unread(bytes, now, "fields", &error),
        Err(error) => return Verdict::Unreadable { reason: error.to_string() },
    };
    if let Some(seq) = frame.seq().filter(|seq| !(1..=MAX_SEQ).contains(seq)) {
        return Verdict::Unreadable { reason: format!("sequence number {seq} is out of range") };
    }
    let judge = Judge { bytes, now };
    match &frame {
        Frame::Commit(f) => judge.repo("commit", f.seq, f.repo, f.time, |did| commit::judge(f, did, verify)),
        Frame::Sync(f) => judge.repo("sync", f.seq, f.did, f.time, |did| sync(f, did).map(Into::into)),
        Frame::Identity(f) => judge.repo("identity", f.seq, f.did, f.time, |_| Ok(identity(f).into())),
        Frame::Account(f) => judge.repo("account", f.seq, f.did, f.time, |_| account(f).map(Into::into)),
        Frame::Info { name, message } => Verdict::Info { name: short(name), message: short(message.unwrap_or_default()) },
        Frame::Error { error, message } => Verdict::Error { error: short(error), message: short(message.unwrap_or_default()) },
        Frame::Other { seq, .. } => Verdict::Nothing { seq: *seq, reason: "unknown_type" },
    }
}

/// What a judge of one type finds: the body, and what to count.
#[derive(Debug)]
struct Finding {
    body: Body,
    fault: Option<&'static str>,
    chain_unchecked: bool,
}

impl From<Body> for Finding {
    fn from(body: Body) -> Self {
        Self { body, fault: None, chain_unchecked: false }
    }
}

#[derive(Debug, Clone, Copy)]
struct Judge<'a> {
    bytes: &'a [u8],
    now: i64,
}

impl Judge<'_> {
    fn repo(self, kind: &'static str, seq: i64, did: &str, time: &str, body: impl FnOnce(&Did) -> Result<Finding, Refusal>) -> Verdict {
        let Ok(did) = did.parse::<Did>() else { return Verdict::Nothing { seq: Some(seq), reason: "did" } };
        let (finding, reject) = match body(&did) {
            Ok(finding) => (finding, None),
            Err(refusal) => (self.reject(&refusal), Some(refusal.label)),
        };
        let Finding { body, fault, chain_unchecked } = finding;
        let own = own_time(time, self.now);
        let event = Event { seq, time: own.unwrap_or(self.now), did: Some(did), body };
        Verdict::Event(Box::new(Judged { kind, event, own_time: own.is_some(), reject, fault, chain_unchecked }))
    }

    fn reject(self, refusal: &Refusal) -> Finding {
        Body::Reject { reason: format!("{}: {}", refusal.label, refusal.words), frame: kept(self.bytes) }.into()
    }
}

/// A message that is not read further, as far as its repo can be told.
fn refuse_unread(bytes: &[u8], now: i64, label: &'static str, error: &FrameError) -> Verdict {
    let Some(seen) = peek(bytes).filter(|seen| (1..=MAX_SEQ).contains(&seen.seq)) else {
        return Verdict::Unreadable { reason: error.to_string() };
    };
    let Some(did) = seen.did else { return Verdict::Nothing { seq: Some(seen.seq), reason: label } };
    let judge = Judge { bytes, now };
    judge.repo("rejected", seen.seq, did, seen.time.unwrap_or_default(), |_| Err(Refusal::new(label, error.to_string())))
}

/// The frame's own time in microseconds since 1970; `None` where that cannot be read or is too far ahead of the clock.
fn own_time(time: &str, now: i64) -> Option<i64> {
    parse_micros(time).filter(|time| (0..=now.saturating_add(MAX_AHEAD)).contains(time))
}

/// The beginning of a frame that is kept, copied so that it does not hold the read buffer.
#[must_use]
pub fn kept(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes.get(..KEPT).unwrap_or(bytes))
}

/// Words of the relay for the log, bounded.
fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

fn sync(frame: &SyncFrame<'_>, did: &Did) -> Result<Body, Refusal> {
    let rev: Tid = frame.rev.parse().map_err(|_| Refusal::new("rev", "rev is no TID"))?;
    let car = Car::parse(frame.blocks).map_err(|e| Refusal::new("blocks", e.to_string()))?;
    let block = car.get(&car.root()).ok_or_else(|| Refusal::new("commit_block", "the commit is not among the blocks"))?;
    let signed = SignedCommit::decode(block).map_err(|e| Refusal::new("commit_block", e.to_string()))?;
    if signed.did != did.as_str() || signed.rev != rev {
        return Err(Refusal::new("commit_fields", "did or rev of the commit and of the message differ"));
    }
    Ok(Body::Sync { rev, data: signed.data, commit: car.root() })
}

fn identity(frame: &IdentityFrame<'_>) -> Body {
    Body::Identity { handle: frame.handle.filter(|handle| handle.len() <= MAX_HANDLE).map(str::to_owned) }
}

fn account(frame: &AccountFrame<'_>) -> Result<Body, Refusal> {
    if frame.status.is_some_and(|status| status.len() > MAX_STATUS) {
        return Err(Refusal::new("fields", "a status that is no word"));
    }
    Ok(Body::Account { active: frame.active, status: frame.status.map(str::to_owned) })
}
