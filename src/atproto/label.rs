//! The messages of `com.atproto.label.subscribeLabels`, and what a label is: its fields checked one by one, its signature against a key.
//! Never decides whose labels count.

use super::cbor::{CborError, Kind, Reader, Writer};
use super::{Cid, Did, PublicKey, datetime, uri};

/// Longest value, in bytes (the lexicon's `maxLength`).
const MAX_VALUE: usize = 128;
/// The version of labels that there is.
const VERSION: i64 = 1;

/// What a labeler says of a subject, all of it checked but for who says so. Source: `com.atproto.label.defs#label`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// An account's DID, a record's address, or any other URI.
    pub uri: Box<str>,
    /// Only this version of the record.
    pub cid: Option<Cid>,
    pub val: Box<str>,
    /// What was said before is taken back.
    pub neg: bool,
    /// When it was said, microseconds since 1970.
    pub cts: i64,
    /// When it ends.
    pub exp: Option<i64>,
}

/// A label as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentLabel<'a> {
    /// Who is said to say it.
    pub src: &'a str,
    pub label: Label,
    pub sig: Option<&'a [u8]>,
    /// What may have been signed: the fields as they were sent, and, where that is another thing, those that the lexicon has.
    signed: [Option<Vec<u8>>; 2],
}

/// Why a label is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a label with a wrong {}", self.reason())]
pub enum LabelError {
    /// No map, a field that is missing or of another type.
    Form,
    Version,
    Src,
    Uri,
    Cid,
    Val,
    /// A time that is none.
    Time,
}

impl LabelError {
    /// For counters.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Version => "version",
            Self::Src => "src",
            Self::Uri => "uri",
            Self::Cid => "cid",
            Self::Val => "val",
            Self::Time => "time",
        }
    }
}

/// One message. Source: <https://atproto.com/specs/event-stream> and the lexicon `com.atproto.label.subscribeLabels`.
#[derive(Debug, Clone, PartialEq)]
pub enum LabelFrame<'a> {
    Labels {
        seq: i64,
        /// A bad one spoils none beside it.
        labels: Vec<Result<SentLabel<'a>, LabelError>>,
    },
    /// A word from the labeler, as `OutdatedCursor`.
    Info { name: &'a str },
    /// The labeler ends the stream, as `FutureCursor`.
    Error { error: &'a str },
    /// Of a type that this program does not know.
    Other,
}

impl<'a> LabelFrame<'a> {
    /// Reads one websocket message.
    ///
    /// # Errors
    /// Bytes that are not exactly two maps of strict DAG-CBOR, or lack what their type requires.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, CborError> {
        let mut reader = Reader::new(bytes);
        let (header, body) = (map(&mut reader)?, map(&mut reader)?);
        reader.end()?;
        let (mut op, mut t) = (None, "");
        each(header, |key, item| {
            match key {
                "op" => op = Some(item.int()?),
                "t" => t = item.text()?,
                _ => item.skip()?,
            }
            Ok(())
        })?;
        match (op.ok_or(CborError::Kind)?, t) {
            (-1, _) => Ok(Self::Error { error: text(body, "error")? }),
            (1, "#info") => Ok(Self::Info { name: text(body, "name")? }),
            (1, "#labels") => labels(body),
            _ => Ok(Self::Other),
        }
    }
}

impl SentLabel<'_> {
    /// Whether one of `keys` has signed it.
    #[must_use]
    pub fn is_signed_by(&self, keys: &[PublicKey]) -> bool {
        let Some(sig) = self.sig else { return false };
        self.signed.iter().flatten().any(|signed| keys.iter().any(|key| key.verify(signed, sig)))
    }
}

/// The bytes of a map, all of them checked.
fn map<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], CborError> {
    if reader.peek()? == Kind::Map { reader.raw() } else { Err(CborError::Kind) }
}

/// Goes through the entries of a map; `entry` reads each value.
fn each<'a>(map: &'a [u8], mut entry: impl FnMut(&'a str, &mut Reader<'a>) -> Result<(), CborError>) -> Result<(), CborError> {
    let mut reader = Reader::new(map);
    for _ in 0..reader.map()? {
        let key = reader.text()?;
        entry(key, &mut reader)?;
    }
    Ok(())
}

fn text<'a>(map: &'a [u8], wanted: &str) -> Result<&'a str, CborError> {
    let mut found = None;
    each(map, |key, item| if key == wanted { item.text().map(|text| found = Some(text)) } else { item.skip() })?;
    found.ok_or(CborError::Kind)
}

fn labels(body: &[u8]) -> Result<LabelFrame<'_>, CborError> {
    let (mut seq, mut labels) = (None, None);
    each(body, |key, item| {
        match key {
            "seq" => seq = Some(item.int()?),
            "labels" => {
                let items = (0..item.array()?).map(|_| item.raw());
                labels = Some(items.collect::<Result<Vec<_>, _>>()?);
            }
            _ => item.skip()?,
        }
        Ok(())
    })?;
    let seq = seq.filter(|seq| *seq >= 0).ok_or(CborError::Range)?;
    Ok(LabelFrame::Labels { seq, labels: labels.ok_or(CborError::Kind)?.into_iter().map(label).collect() })
}

/// The fields of a label, as far as the lexicon has them.
#[derive(Default)]
struct Fields<'a> {
    ver: Option<i64>,
    src: Option<&'a str>,
    uri: Option<&'a str>,
    cid: Option<&'a str>,
    val: Option<&'a str>,
    neg: Option<bool>,
    cts: Option<&'a str>,
    exp: Option<&'a str>,
    sig: Option<&'a [u8]>,
}

fn label(item: &[u8]) -> Result<SentLabel<'_>, LabelError> {
    let mut fields = Fields::default();
    let (mut sent, mut count) = (Writer::new(), 0);
    each(item, |key, reader| {
        let start = reader.position();
        match key {
            "ver" => fields.ver = Some(reader.int()?),
            "src" => fields.src = Some(reader.text()?),
            "uri" => fields.uri = Some(reader.text()?),
            "cid" => fields.cid = Some(reader.text()?),
            "val" => fields.val = Some(reader.text()?),
            "neg" => fields.neg = Some(reader.bool()?),
            "cts" => fields.cts = Some(reader.text()?),
            "exp" => fields.exp = Some(reader.text()?),
            "sig" => fields.sig = Some(reader.bytes()?),
            _ => reader.skip()?,
        }
        if !matches!(key, "sig" | "$type") {
            sent.text(key).raw(item.get(start..reader.position()).unwrap_or_default());
            count += 1;
        }
        Ok(())
    })
    .map_err(|_| LabelError::Form)?;
    let mut as_sent = Writer::new();
    as_sent.map(count).raw(&sent.into_bytes());
    fields.checked(as_sent.into_bytes())
}

impl<'a> Fields<'a> {
    fn checked(self, as_sent: Vec<u8>) -> Result<SentLabel<'a>, LabelError> {
        if self.ver.is_some_and(|version| version != VERSION) {
            return Err(LabelError::Version);
        }
        let src = self.src.filter(|src| Did::is_valid(src)).ok_or(LabelError::Src)?;
        let subject = self.uri.filter(|uri| uri::is_valid(uri)).ok_or(LabelError::Uri)?;
        let fits = |val: &&str| !val.is_empty() && val.len() <= MAX_VALUE && !val.contains(char::is_control);
        let val = self.val.filter(fits).ok_or(LabelError::Val)?;
        let cid = self.cid.map(|cid| cid.parse().map_err(|_| LabelError::Cid)).transpose()?;
        let time = |text: &str| datetime::parse_micros(text).ok_or(LabelError::Time);
        let cts = time(self.cts.ok_or(LabelError::Time)?)?;
        let exp = self.exp.map(time).transpose()?;
        let plain = self.plain(src, subject, val);
        let plain = (plain != as_sent).then_some(plain);
        let label = Label { uri: subject.into(), cid, val: val.into(), neg: self.neg.unwrap_or(false), cts, exp };
        Ok(SentLabel { src, label, sig: self.sig, signed: [Some(as_sent), plain] })
    }

    /// What is signed by who makes a label from its fields: the version always there, `neg` only where it is true.
    fn plain(&self, src: &str, uri: &str, val: &str) -> Vec<u8> {
        let texts = [("cid", self.cid), ("cts", self.cts), ("exp", self.exp)];
        let neg = self.neg == Some(true);
        let count = 4 + texts.iter().filter(|(_, text)| text.is_some()).count() + usize::from(neg);
        let mut writer = Writer::new();
        writer.map(count);
        for (key, text) in texts {
            if let Some(text) = text {
                writer.text(key).text(text);
            }
        }
        if neg {
            writer.text("neg").bool(true);
        }
        writer.text("src").text(src).text("uri").text(uri).text("val").text(val).text("ver").int(VERSION);
        writer.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::SigningKey;
    use super::super::cbor::Value;
    use super::*;

    const SRC: &str = "did:plc:labeler";

    fn fields() -> Vec<(&'static str, Value)> {
        let text = |text: &str| Value::text(text);
        vec![
            ("ver", Value::Int(1)),
            ("src", text(SRC)),
            ("uri", text("at://did:plc:a/app.bsky.feed.post/3jzfcijpj2z2b")),
            ("val", text("spam")),
            ("cts", text("2024-01-01T00:00:00.000Z")),
        ]
    }

    fn with(change: impl FnOnce(&mut Vec<(&'static str, Value)>)) -> Vec<(&'static str, Value)> {
        let mut fields = fields();
        change(&mut fields);
        fields
    }

    fn set(fields: &mut Vec<(&'static str, Value)>, key: &'static str, value: Option<Value>) {
        fields.retain(|(k, _)| *k != key);
        fields.extend(value.map(|value| (key, value)));
    }

    fn frame(labels: Vec<Value>) -> Vec<u8> {
        let header = Value::map([("op", Value::Int(1)), ("t", Value::text("#labels"))]);
        let body = Value::map([("seq", Value::Int(7)), ("labels", Value::Array(labels))]);
        [header.encode(), body.encode()].concat()
    }

    fn read<R>(sent: Vec<(&'static str, Value)>, judge: impl FnOnce(&Result<SentLabel<'_>, LabelError>) -> R) -> R {
        let bytes = frame(vec![Value::map(sent)]);
        let Ok(LabelFrame::Labels { seq: 7, labels }) = LabelFrame::parse(&bytes) else { panic!("no labels") };
        judge(&labels[0])
    }

    #[test]
    fn a_label_is_read_and_its_signature_holds_in_both_forms() {
        let key = SigningKey::from_bytes([1; 32]).unwrap();
        let (own, other) = ([key.public_key()], [SigningKey::from_bytes([2; 32]).unwrap().public_key()]);
        let signed = |of: Vec<(&'static str, Value)>, sent: Vec<(&'static str, Value)>| {
            let sig = key.sign(&Value::map(of).encode());
            with(|fields| *fields = sent.into_iter().chain([("sig", Value::Bytes(sig.to_vec()))]).collect())
        };
        let unknown = || with(|fields| fields.push(("more", Value::Int(5))));
        let no_neg = || with(|fields| fields.push(("neg", Value::Bool(false))));
        for (of, sent, holds) in [
            (fields(), fields(), true),
            (unknown(), unknown(), true),
            (fields(), with(|f| f.push(("$type", Value::text("com.atproto.label.defs#label")))), true),
            (fields(), no_neg(), true),
            (fields(), with(|f| set(f, "ver", None)), true),
            (fields(), with(|f| f.push(("neg", Value::Bool(true)))), false),
            (fields(), with(|f| set(f, "val", Some(Value::text("spam2")))), false),
        ] {
            read(signed(of, sent.clone()), |label| {
                let label = label.as_ref().unwrap();
                assert_eq!((label.is_signed_by(&own), label.is_signed_by(&other)), (holds, false), "{sent:?}");
            });
        }
        assert!(read(fields(), |label| !label.as_ref().unwrap().is_signed_by(&own)), "unsigned");
    }

    #[test]
    fn each_field_is_checked_and_spoils_its_label_only() {
        let text = |text: &str| Some(Value::text(text));
        for (key, value, error) in [
            ("ver", Some(Value::Int(2)), LabelError::Version),
            ("src", text("nobody"), LabelError::Src),
            ("uri", text("no uri"), LabelError::Uri),
            ("uri", None, LabelError::Uri),
            ("val", text(""), LabelError::Val),
            ("val", text("a\0b"), LabelError::Val),
            ("val", Some(Value::text("x".repeat(129))), LabelError::Val),
            ("cid", text("bafy"), LabelError::Cid),
            ("cts", text("yesterday"), LabelError::Time),
            ("cts", None, LabelError::Time),
            ("exp", text("2024"), LabelError::Time),
            ("neg", Some(Value::Int(1)), LabelError::Form),
        ] {
            read(with(|f| set(f, key, value.clone())), |label| assert_eq!(label.as_ref().err(), Some(&error), "{key} {value:?}"));
        }
        let bytes = frame(vec![Value::Int(3), Value::map(fields())]);
        let Ok(LabelFrame::Labels { labels, .. }) = LabelFrame::parse(&bytes) else { panic!("no labels") };
        assert_eq!(labels.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn other_messages_are_told_apart_and_bytes_that_are_none_are_refused() {
        let of = |op, t: Option<&str>, body: Value| {
            let t = t.map(|t| ("t", Value::text(t)));
            [Value::map([("op", Value::Int(op))].into_iter().chain(t)).encode(), body.encode()].concat()
        };
        let word = |key| Value::map([(key, Value::text("X"))]);
        assert_eq!(LabelFrame::parse(&of(1, Some("#info"), word("name"))), Ok(LabelFrame::Info { name: "X" }));
        assert_eq!(LabelFrame::parse(&of(-1, None, word("error"))), Ok(LabelFrame::Error { error: "X" }));
        assert_eq!(LabelFrame::parse(&of(1, Some("#new"), word("x"))), Ok(LabelFrame::Other));
        for wrong in [b"".to_vec(), b"\xa0".to_vec(), of(1, Some("#labels"), word("x")), [of(1, Some("#x"), word("x")), vec![0]].concat()] {
            assert!(LabelFrame::parse(&wrong).is_err(), "{wrong:02x?}");
        }
    }
}
