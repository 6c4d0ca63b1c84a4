//! Turns good frames into others: renumbered, too large, broken, forged. Each result is wrong in exactly the way its name says.

use anyhow::{Context, anyhow};

use crate::atproto::cbor::{Reader, Value};
use crate::atproto::frame::{AccountFrame, CommitFrame, Frame, MAX_FRAME, SyncFrame};
use crate::atproto::{Car, Cid, car};

/// What a relay may make of a #commit in place of sending it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoil {
    /// The signature is another's; all hashes hold.
    BadSignature,
    /// One block of the proof is not there.
    MissingBlock,
    /// One block does not hash to its CID.
    AlteredBlock,
    /// More than 5 MB.
    Oversize,
    /// The message ends in the middle.
    BrokenFrame,
    /// The body is CBOR of an indefinite length: legal there, not in DAG-CBOR.
    BrokenCbor,
    /// The frame, and then a #sync of the state that it led to.
    SyncSame,
    /// In place of the operations only a #sync of the state they lead to.
    SyncOther,
    /// `tooBig`: as old hosts sent what they held to be too large, without operations.
    TooBig,
    /// In place of the commit a #account: taken down.
    Account,
}

impl Spoil {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::BadSignature,
        Self::MissingBlock,
        Self::AlteredBlock,
        Self::Oversize,
        Self::BrokenFrame,
        Self::BrokenCbor,
        Self::SyncSame,
        Self::SyncOther,
        Self::TooBig,
        Self::Account,
    ];

    /// The name on the command line and in counts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BadSignature => "bad-signature",
            Self::MissingBlock => "missing-block",
            Self::AlteredBlock => "altered-block",
            Self::Oversize => "oversize",
            Self::BrokenFrame => "broken-frame",
            Self::BrokenCbor => "broken-cbor",
            Self::SyncSame => "sync-same",
            Self::SyncOther => "sync-other",
            Self::TooBig => "too-big",
            Self::Account => "account",
        }
    }

    /// The messages to be sent in place of this #commit.
    ///
    /// # Errors
    /// The bytes are no #commit.
    pub fn apply(self, frame: &[u8]) -> anyhow::Result<Vec<Vec<u8>>> {
        Ok(match self {
            Self::BadSignature => vec![bad_signature(frame)?],
            Self::MissingBlock => vec![missing_block(frame)?],
            Self::AlteredBlock => vec![wrong_block(frame)?],
            Self::Oversize => vec![oversize(frame, MAX_FRAME + 1)?],
            Self::BrokenFrame => vec![broken(frame)],
            Self::BrokenCbor => vec![broken_cbor(frame)?],
            Self::SyncSame => vec![frame.to_vec(), sync_of(frame)?],
            Self::SyncOther => vec![sync_of(frame)?],
            Self::TooBig => vec![too_big(frame)?],
            Self::Account => vec![taken_down(frame)?],
        })
    }
}

/// Bytes that are no frame: the first half of one.
#[must_use]
pub fn broken(frame: &[u8]) -> Vec<u8> {
    frame[..frame.len() / 2].to_vec()
}

/// The frame with another sequence number; everything else stays.
///
/// # Errors
/// The bytes are no frame with a sequence number.
pub fn with_seq(frame: &[u8], seq: i64) -> anyhow::Result<Vec<u8>> {
    with(frame, "seq", |_| Value::Int(seq))
}

/// The frame with the last byte of its blocks changed, so that a block no longer hashes to its CID.
///
/// # Errors
/// The bytes are no frame with blocks.
pub fn wrong_block(frame: &[u8]) -> anyhow::Result<Vec<u8>> {
    with(frame, "blocks", |blocks| match blocks {
        Value::Bytes(mut bytes) => {
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
            Value::Bytes(bytes)
        }
        other => other,
    })
}

/// The frame with zeros appended to its blocks until it is `len` bytes long, or a few more.
///
/// # Errors
/// The bytes are no frame with blocks.
pub fn oversize(frame: &[u8], len: usize) -> anyhow::Result<Vec<u8>> {
    with(frame, "blocks", |blocks| match blocks {
        Value::Bytes(mut bytes) => {
            bytes.resize(bytes.len() + len.saturating_sub(frame.len()), 0);
            Value::Bytes(bytes)
        }
        other => other,
    })
}

/// A message of a type that nobody has heard of, without a number.
#[must_use]
pub fn unknown_type() -> Vec<u8> {
    let mut frame = Value::map([("op", Value::Int(1)), ("t", Value::text("#weather"))]).encode();
    frame.extend(Value::map([("sky", Value::text("clear"))]).encode());
    frame
}

/// The frame with one field of its body changed.
fn with(frame: &[u8], field: &str, change: impl FnOnce(Value) -> Value) -> anyhow::Result<Vec<u8>> {
    let (header, body) = halves(frame)?;
    let Value::Map(mut entries) = Value::decode(body).context("no body")? else { return Err(anyhow!("the body is no map")) };
    let entry = entries.iter_mut().find(|(key, _)| key == field).with_context(|| format!("no field {field}"))?;
    entry.1 = change(std::mem::replace(&mut entry.1, Value::Null));
    let mut changed = header.to_vec();
    changed.extend(Value::Map(entries).encode());
    Ok(changed)
}

/// Header and body.
fn halves(frame: &[u8]) -> anyhow::Result<(&[u8], &[u8])> {
    let mut reader = Reader::new(frame);
    reader.skip().context("no header")?;
    Ok(frame.split_at(reader.position()))
}

fn commit(frame: &[u8]) -> anyhow::Result<(CommitFrame<'_>, Car<'_>)> {
    let Frame::Commit(commit) = Frame::parse(frame)? else { return Err(anyhow!("no #commit")) };
    let car = Car::parse(commit.blocks)?;
    Ok((commit, car))
}

/// Another signature under the same content: the commit block is another one, with a CID of its own.
fn bad_signature(frame: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (mut commit, car) = commit(frame)?;
    let Value::Map(mut entries) = Value::decode(car.get(&commit.commit).context("no commit block")?)? else {
        return Err(anyhow!("the commit is no map"));
    };
    for (_, value) in entries.iter_mut().filter(|(key, _)| key == "sig") {
        if let Value::Bytes(signature) = value {
            signature.iter_mut().take(1).for_each(|byte| *byte ^= 1);
        }
    }
    let block = Value::Map(entries).encode();
    let cid = Cid::dag_cbor(&block);
    let rest = car.blocks().filter(|(held, _)| *held != commit.commit);
    let blocks = car::write(&cid, std::iter::once((cid, block.as_slice())).chain(rest));
    (commit.commit, commit.blocks) = (cid, &blocks);
    Ok(Frame::Commit(commit).encode())
}

/// Without the root of the tree, on which every proof rests.
fn missing_block(frame: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (mut commit, car) = commit(frame)?;
    let data = crate::atproto::commit::SignedCommit::decode(car.get(&commit.commit).context("no commit block")?)?.data;
    let blocks = car::write(&commit.commit, car.blocks().filter(|(cid, _)| *cid != data));
    commit.blocks = &blocks;
    Ok(Frame::Commit(commit).encode())
}

/// The same items, the body's map opened without a length and closed by a break.
fn broken_cbor(frame: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (header, body) = halves(frame)?;
    let (_, entries) = body.split_first().context("no body")?;
    Ok([header, &[0xbf], entries, &[0xff]].concat())
}

fn sync_of(frame: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (commit, car) = commit(frame)?;
    let blocks = car::write(&commit.commit, car.get(&commit.commit).map(|block| (commit.commit, block)));
    let CommitFrame { seq, repo: did, rev, time, .. } = commit;
    Ok(Frame::Sync(SyncFrame { seq, did, rev, blocks: &blocks, time }).encode())
}

fn too_big(frame: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (mut commit, car) = commit(frame)?;
    let blocks = car::write(&commit.commit, car.get(&commit.commit).map(|block| (commit.commit, block)));
    (commit.blocks, commit.too_big) = (&blocks, true);
    commit.ops.clear();
    Ok(Frame::Commit(commit).encode())
}

fn taken_down(frame: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (CommitFrame { seq, repo: did, time, .. }, _) = commit(frame)?;
    Ok(Frame::Account(AccountFrame { seq, did, time, active: false, status: Some("takendown") }).encode())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atproto::commit::SignedCommit;
    use crate::sandbox::Network;

    fn frame() -> Vec<u8> {
        let mut frame = Value::map([("op", Value::Int(1)), ("t", Value::text("#commit"))]).encode();
        frame.extend(Value::map([("seq", Value::Int(7)), ("blocks", Value::Bytes(vec![1, 2]))]).encode());
        frame
    }

    fn body(frame: &[u8]) -> Value {
        let mut reader = Reader::new(frame);
        reader.skip().unwrap();
        Value::decode(&frame[reader.position()..]).unwrap()
    }

    #[test]
    fn only_the_named_thing_changes() {
        let renumbered = body(&with_seq(&frame(), 99).unwrap());
        assert_eq!((renumbered.get("seq"), renumbered.get("blocks")), (Some(&Value::Int(99)), Some(&Value::Bytes(vec![1, 2]))));
        assert_eq!(body(&wrong_block(&frame()).unwrap()).get("blocks"), Some(&Value::Bytes(vec![1, 3])));
        assert!(oversize(&frame(), 6000).unwrap().len() >= 6000);
        assert!(with_seq(&broken(&frame()), 1).is_err());
    }

    #[test]
    fn every_spoiled_commit_is_wrong_as_its_name_says() {
        let mut network = Network::new(1, 1);
        let (good, key) = (
            std::iter::repeat_with(|| network.next_event().unwrap().frame).find(|f| commit(f).is_ok()).unwrap(),
            Network::new(1, 1).signing_key(0).unwrap().public_key(),
        );
        let spoiled = |spoil: Spoil| spoil.apply(&good).unwrap().remove(0);
        let signed = |bytes: &[u8]| {
            let (frame, car) = commit(bytes).unwrap();
            SignedCommit::decode(car.get(&frame.commit).unwrap()).unwrap().verify(&key)
        };
        assert!(signed(&good) && !signed(&spoiled(Spoil::BadSignature)));
        let (whole, less) = (good.clone(), spoiled(Spoil::MissingBlock));
        assert_eq!(commit(&whole).unwrap().1.blocks().len(), commit(&less).unwrap().1.blocks().len() + 1);
        assert!(commit(&spoiled(Spoil::AlteredBlock)).is_err() && Frame::parse(&spoiled(Spoil::AlteredBlock)).is_ok());
        for unreadable in [Spoil::Oversize, Spoil::BrokenFrame, Spoil::BrokenCbor] {
            assert!(Frame::parse(&spoiled(unreadable)).is_err(), "{}", unreadable.name());
        }
        let same = Spoil::SyncSame.apply(&good).unwrap();
        assert!(same[0] == good && matches!(Frame::parse(&same[1]).unwrap(), Frame::Sync(_)));
        assert!(matches!(Frame::parse(&spoiled(Spoil::SyncOther)).unwrap(), Frame::Sync(_)));
        assert!(matches!(Frame::parse(&spoiled(Spoil::TooBig)).unwrap(), Frame::Commit(f) if f.too_big && f.ops.is_empty()));
        assert!(matches!(Frame::parse(&spoiled(Spoil::Account)).unwrap(), Frame::Account(f) if !f.active));
        assert!(matches!(Frame::parse(&unknown_type()).unwrap(), Frame::Other { t: "#weather", seq: None }));
    }
}
