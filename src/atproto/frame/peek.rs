//! Looks into a frame that will not be read: only whose it is and where in the stream it stands. Never decides what a frame means.

use super::super::cbor::Reader;

/// What a frame says of itself, unchecked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peek<'a> {
    pub seq: i64,
    /// `repo` or `did`.
    pub did: Option<&'a str>,
    pub time: Option<&'a str>,
}

/// Reads `seq`, `repo` or `did` and `time` of a frame's body, as far as its bytes can be read: a body that breaks off later still tells
/// what came before. `None` where no number was found.
#[must_use]
pub fn peek(bytes: &[u8]) -> Option<Peek<'_>> {
    let mut reader = Reader::new(bytes);
    reader.skip().ok()?;
    let (mut seq, mut did, mut time) = (None, None, None);
    for _ in 0..reader.map().ok()? {
        let Ok(key) = reader.text() else { break };
        let value = reader.clone();
        if reader.skip().is_err() {
            break;
        }
        match key {
            "seq" => seq = value.clone().int().ok().filter(|seq| *seq >= 0),
            "repo" | "did" => did = value.clone().text().ok(),
            "time" => time = value.clone().text().ok(),
            _ => {}
        }
    }
    seq.map(|seq| Peek { seq, did, time })
}
