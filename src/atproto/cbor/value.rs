//! A DAG-CBOR item as a tree, for those who build records (the sandbox, tests). Never on the way of an event: there cursors read.

use super::reader::key_order;
use super::{CborError, Kind, Reader, Writer};
use crate::atproto::Cid;

/// One item and all that is in it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Link(Cid),
    Array(Vec<Value>),
    /// In any order; written in DAG-CBOR's.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// A map of these entries.
    #[must_use]
    pub fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self::Map(entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    }

    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The entry of a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text of a text item.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Reads exactly one strict item.
    ///
    /// # Errors
    /// The first rule of DAG-CBOR that does not hold; links to CIDs other than the two blessed forms.
    pub fn decode(bytes: &[u8]) -> Result<Self, CborError> {
        super::validate(bytes)?;
        Self::read(&mut Reader::new(bytes))
    }

    /// Recursion is bounded, since [`super::validate`] has bounded the depth.
    fn read(reader: &mut Reader<'_>) -> Result<Self, CborError> {
        Ok(match reader.peek()? {
            Kind::Null => reader.null().map(|()| Self::Null)?,
            Kind::Bool => Self::Bool(reader.bool()?),
            Kind::Int => Self::Int(reader.int()?),
            Kind::Float => Self::Float(reader.float()?),
            Kind::Text => Self::Text(reader.text()?.to_owned()),
            Kind::Bytes => Self::Bytes(reader.bytes()?.to_vec()),
            Kind::Link => Self::Link(Cid::from_bytes(reader.link()?).map_err(|_| CborError::Tag)?),
            Kind::Array => (0..reader.array()?).map(|_| Self::read(reader)).collect::<Result<_, _>>().map(Self::Array)?,
            Kind::Map => {
                let entries = (0..reader.map()?).map(|_| Ok((reader.text()?.to_owned(), Self::read(reader)?)));
                Self::Map(entries.collect::<Result<_, _>>()?)
            }
        })
    }

    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.into_bytes()
    }

    /// Appends the canonical bytes.
    pub fn write(&self, writer: &mut Writer) {
        match self {
            Self::Null => drop(writer.null()),
            Self::Bool(yes) => drop(writer.bool(*yes)),
            Self::Int(int) => drop(writer.int(*int)),
            Self::Float(float) => drop(writer.float(*float)),
            Self::Text(text) => drop(writer.text(text)),
            Self::Bytes(bytes) => drop(writer.bytes(bytes)),
            Self::Link(cid) => drop(writer.link(cid)),
            Self::Array(items) => {
                writer.array(items.len());
                for item in items {
                    item.write(writer);
                }
            }
            Self::Map(entries) => {
                writer.map(entries.len());
                let mut sorted: Vec<_> = entries.iter().collect();
                sorted.sort_by(|a, b| key_order(&a.0, &b.0));
                for (key, value) in sorted {
                    writer.text(key);
                    value.write(writer);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_bytes_read_back() {
        let value = Value::map([
            ("bb", Value::Int(-25)),
            ("a", Value::Array(vec![Value::Null, Value::Bool(true), Value::Link(Cid::dag_cbor(b"x"))])),
        ]);
        let bytes = value.encode();
        let Value::Map(entries) = Value::decode(&bytes).unwrap() else { panic!("no map") };
        assert_eq!(entries.iter().map(|e| e.0.as_str()).collect::<Vec<_>>(), ["a", "bb"]);
        assert_eq!(Value::Map(entries).encode(), bytes);
    }
}
