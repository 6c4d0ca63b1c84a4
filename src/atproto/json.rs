//! Between DAG-CBOR and the protocol's JSON: `{"$link": cid}` for links, `{"$bytes": base64}` for byte strings.
//!
//! Views go from stored bytes to JSON by [`RecordJson`], which builds no tree. Nothing here knows a record type.

use std::cell::RefCell;

use data_encoding::BASE64_NOPAD;
use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::Cid;
use super::cbor::{CborError, Kind, MAX_DEPTH, Reader, Value};

/// The bytes of one DAG-CBOR item; serializes to the JSON that stands for it, keys in their order.
///
/// Bytes that are not exactly one strict item are an error of the serializer.
#[derive(Debug, Clone, Copy)]
pub struct RecordJson<'a>(pub &'a [u8]);

impl Serialize for RecordJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Bounds the depth of what follows, and refuses what a damaged table might hold.
        super::cbor::validate(self.0).map_err(S::Error::custom)?;
        Item(&RefCell::new(Reader::new(self.0))).serialize(serializer)
    }
}

/// The next item of a cursor that was validated; serializing it moves the cursor behind it.
struct Item<'r, 'a>(&'r RefCell<Reader<'a>>);

impl<'a> Item<'_, 'a> {
    fn read<T, E: serde::ser::Error>(&self, read: impl FnOnce(&mut Reader<'a>) -> Result<T, CborError>) -> Result<T, E> {
        read(&mut self.0.borrow_mut()).map_err(E::custom)
    }
}

impl Serialize for Item<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.read(|cursor| cursor.peek())? {
            Kind::Null => self.read(Reader::null).and_then(|()| serializer.serialize_unit()),
            Kind::Bool => serializer.serialize_bool(self.read(Reader::bool)?),
            Kind::Int => serializer.serialize_i64(self.read(Reader::int)?),
            Kind::Float => serializer.serialize_f64(self.read(Reader::float)?),
            Kind::Text => serializer.serialize_str(self.read(Reader::text)?),
            Kind::Bytes => tagged(serializer, "$bytes", &BASE64_NOPAD.encode(self.read(Reader::bytes)?)),
            Kind::Link => {
                let cid = Cid::from_bytes(self.read(Reader::link)?).map_err(S::Error::custom)?;
                tagged(serializer, "$link", &cid.to_string())
            }
            Kind::Array => {
                let items = self.read(Reader::array)?;
                let mut array = serializer.serialize_seq(Some(items))?;
                (0..items).try_for_each(|_| array.serialize_element(self))?;
                array.end()
            }
            Kind::Map => {
                let entries = self.read(Reader::map)?;
                let mut map = serializer.serialize_map(Some(entries))?;
                for _ in 0..entries {
                    map.serialize_entry(self.read::<_, S::Error>(Reader::text)?, self)?;
                }
                map.end()
            }
        }
    }
}

fn tagged<S: Serializer>(serializer: S, key: &'static str, value: &str) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
}

/// Why JSON is no data of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("a number that is no integer of 64 bits")]
    Number,
    #[error("a link that is not {{\"$link\": cid}}")]
    Link,
    #[error("bytes that are not {{\"$bytes\": base64}}")]
    Bytes,
    #[error("a $type that is not a text, or empty")]
    Type,
    #[error("a blob without its fields")]
    Blob,
    #[error("nested deeper than {MAX_DEPTH} levels")]
    Depth,
    #[error("a record that is no object")]
    Record,
}

/// Reads a record.
///
/// # Errors
/// No object, or anything that the data model does not have. Source: <https://atproto.com/specs/data-model>.
pub fn read_record(json: &Json) -> Result<Value, JsonError> {
    if json.is_object() { read(json, MAX_DEPTH) } else { Err(JsonError::Record) }
}

/// Recursion is bounded by `depth`.
fn read(json: &Json, depth: usize) -> Result<Value, JsonError> {
    let depth = depth.checked_sub(1).ok_or(JsonError::Depth)?;
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(yes) => Value::Bool(*yes),
        Json::Number(number) => Value::Int(integer(number)?),
        Json::String(text) => Value::text(text),
        Json::Array(items) => Value::Array(items.iter().map(|item| read(item, depth)).collect::<Result<_, _>>()?),
        Json::Object(fields) => object(fields, depth)?,
    })
}

fn object(fields: &serde_json::Map<String, Json>, depth: usize) -> Result<Value, JsonError> {
    let only = |value: &Json| value.as_str().filter(|_| fields.len() == 1).map(str::to_owned);
    if let Some(link) = fields.get("$link") {
        return only(link).and_then(|cid| cid.parse().ok()).map(Value::Link).ok_or(JsonError::Link);
    }
    if let Some(bytes) = fields.get("$bytes") {
        let bytes = only(bytes).and_then(|text| BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok());
        return bytes.map(Value::Bytes).ok_or(JsonError::Bytes);
    }
    match fields.get("$type") {
        None => {}
        Some(Json::String(kind)) if kind == "blob" => blob(fields)?,
        Some(Json::String(kind)) if !kind.is_empty() => {}
        Some(_) => return Err(JsonError::Type),
    }
    let entries = fields.iter().map(|(key, value)| Ok((key.clone(), read(value, depth)?)));
    Ok(Value::Map(entries.collect::<Result<_, JsonError>>()?))
}

fn blob(fields: &serde_json::Map<String, Json>) -> Result<(), JsonError> {
    let has = |key: &str, holds: fn(&Json) -> bool| fields.get(key).is_some_and(holds);
    let holds = has("ref", Json::is_object) && has("mimeType", Json::is_string) && has("size", Json::is_i64);
    if holds { Ok(()) } else { Err(JsonError::Blob) }
}

/// Numbers that are whole may be written with a fraction of zero.
fn integer(number: &serde_json::Number) -> Result<i64, JsonError> {
    let whole = || number.to_string().strip_suffix(".0").and_then(|whole| whole.parse().ok());
    number.as_i64().or_else(whole).ok_or(JsonError::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::atproto::cbor::Value;

    #[test]
    fn every_kind_has_its_json() {
        let cid = Cid::raw(b"x");
        let record = Value::map([
            ("null", Value::Null),
            ("yes", Value::Bool(true)),
            ("least", Value::Int(i64::MIN)),
            ("text", Value::text("a\0\"<b>\u{1F600}")),
            ("bytes", Value::Bytes(vec![0, 255, 1, 2])),
            ("link", Value::Link(cid)),
            ("list", Value::Array(vec![Value::Array(vec![]), Value::map([])])),
        ]);
        let json = serde_json::to_value(RecordJson(&record.encode())).unwrap();
        let expected = serde_json::json!({
            "null": null, "yes": true, "least": i64::MIN, "text": "a\0\"<b>\u{1F600}",
            "bytes": {"$bytes": "AP8BAg"}, "link": {"$link": cid.to_string()}, "list": [[], {}],
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        for bytes in [&b""[..], b"\xa1", b"\x9f\xff", &[0x81; 500]] {
            assert!(serde_json::to_string(&RecordJson(bytes)).is_err(), "{bytes:?}");
        }
    }
}
