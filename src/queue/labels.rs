//! Labels on their way from ingest to worker: one stream a labeler, under the same scripts and rules as a partition of events. What an entry
//! holds: a version, and labels each with the number of its message, as DAG-CBOR.

use std::sync::Arc;

use super::keys::Stream;
use super::value::{int, text};
use super::{Queue, QueueError};
use crate::atproto::Cid;
use crate::atproto::cbor::{CborError, Reader, Writer};
use crate::atproto::label::Label;

/// Rises with each change of the form.
const VERSION: i64 = 1;
const FIELDS: usize = 7;

/// A label in the queue; whose it is says the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedLabel {
    /// The labeler's number of the message that held it.
    pub seq: i64,
    pub label: Label,
}

/// The bytes are no entry of labels, or one of a later version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry of labels that cannot be read")]
pub struct LabelEntryError;

impl From<CborError> for LabelEntryError {
    fn from(_: CborError) -> Self {
        Self
    }
}

/// An entry of these labels.
#[must_use]
pub fn encode_labels(labels: &[QueuedLabel]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(2).int(VERSION).array(labels.len());
    for QueuedLabel { seq, label } in labels {
        writer.array(FIELDS).int(*seq).text(&label.uri);
        match &label.cid {
            Some(cid) => writer.link(cid),
            None => writer.null(),
        };
        writer.text(&label.val).bool(label.neg).int(label.cts);
        match label.exp {
            Some(exp) => writer.int(exp),
            None => writer.null(),
        };
    }
    writer.into_bytes()
}

/// Reads what [`encode_labels`] wrote.
///
/// # Errors
/// Other bytes.
pub fn decode_labels(entry: &[u8]) -> Result<Vec<QueuedLabel>, LabelEntryError> {
    let mut reader = Reader::new(entry);
    if reader.array()? != 2 || reader.int()? != VERSION {
        return Err(LabelEntryError);
    }
    let labels = (0..reader.array()?).map(|_| label(&mut reader)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(labels)
}

fn label(reader: &mut Reader<'_>) -> Result<QueuedLabel, LabelEntryError> {
    if reader.array()? != FIELDS {
        return Err(LabelEntryError);
    }
    let (seq, uri) = (reader.int()?, reader.text()?.into());
    let cid = reader.nullable(Reader::link)?.map(|cid| Cid::from_bytes(cid).map_err(|_| LabelEntryError)).transpose()?;
    let (val, neg, cts) = (reader.text()?.into(), reader.bool()?, reader.int()?);
    let exp = reader.nullable(Reader::int)?;
    Ok(QueuedLabel { seq, label: Label { uri, cid, val, neg, cts, exp } })
}

impl Queue {
    /// The stream of a labeler's labels.
    #[must_use]
    pub fn labeler(&self, did: &str) -> Stream {
        self.keys().labeler(&Arc::from(did))
    }

    /// The DIDs of the labelers that some ingest takes labels from, sorted.
    pub async fn labelers(&self) -> Result<Vec<String>, QueueError> {
        let link = self.link().await?;
        let answer = link.command("SMEMBERS", vec![self.keys().labelers().into()]).await?;
        let mut labelers: Vec<String> = answer.into_array().iter().filter_map(text).collect();
        labelers.sort();
        Ok(labelers)
    }

    /// Says that labels of this labeler come.
    pub async fn add_labeler(&self, did: &str) -> Result<(), QueueError> {
        let link = self.link().await?;
        link.command("SADD", vec![self.keys().labelers().into(), did.into()]).await.map(drop)
    }

    /// Entries that wait in a stream, those among them that are applied and not yet trimmed.
    pub async fn entries_waiting(&self, stream: &Stream) -> Result<u64, QueueError> {
        let link = self.link().await?;
        let waiting = int(&link.command("XLEN", vec![stream.entries_key.as_str().into()]).await?);
        waiting.and_then(|n| u64::try_from(n).ok()).ok_or_else(|| link.foreign("XLEN"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_and_nothing_else_does() {
        let label = Label { uri: "did:plc:a".into(), cid: None, val: "spam".into(), neg: true, cts: -5, exp: Some(7) };
        let other = Label { cid: Some(Cid::dag_cbor(b"x")), exp: None, ..label.clone() };
        let labels = [QueuedLabel { seq: 3, label }, QueuedLabel { seq: i64::MAX, label: other }];
        let entry = encode_labels(&labels);
        assert_eq!(decode_labels(&entry), Ok(labels.to_vec()));
        assert_eq!(decode_labels(&encode_labels(&[])), Ok(Vec::new()));
        for end in 0..entry.len() {
            assert_eq!(decode_labels(&entry[..end]), Err(LabelEntryError));
        }
        assert_eq!(decode_labels(b"\x82\x02\x80"), Err(LabelEntryError));
        assert_eq!(decode_labels(&[&entry[..], b"\0"].concat()), Err(LabelEntryError));
    }
}
