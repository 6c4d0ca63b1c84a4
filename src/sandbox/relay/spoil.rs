//! Turns good frames into others: renumbered, too large, broken. Each result is wrong in exactly the way its name says.

use anyhow::{Context, anyhow};

use crate::atproto::cbor::{Reader, Value};

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

/// The frame with one field of its body changed.
fn with(frame: &[u8], field: &str, change: impl FnOnce(Value) -> Value) -> anyhow::Result<Vec<u8>> {
    let mut reader = Reader::new(frame);
    reader.skip().context("no header")?;
    let (header, body) = frame.split_at(reader.position());
    let Value::Map(mut entries) = Value::decode(body).context("no body")? else { return Err(anyhow!("the body is no map")) };
    let entry = entries.iter_mut().find(|(key, _)| key == field).with_context(|| format!("no field {field}"))?;
    entry.1 = change(std::mem::replace(&mut entry.1, Value::Null));
    let mut changed = header.to_vec();
    changed.extend(Value::Map(entries).encode());
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
