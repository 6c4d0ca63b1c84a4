//! From the JSON form of the data model to DAG-CBOR, so that one judge serves records, bodies and responses.
//!
//! Source: <https://atproto.com/specs/data-model>. Never on the way of an event.

use std::sync::LazyLock;

use data_encoding::{BASE64_NOPAD, Encoding};
use serde_json::{Map, Value as Json};

use super::Invalid;
use crate::atproto::cbor::Value;

/// Deepest nesting that is read. A thread view is the deepest answer: its 80 parents take a level each here, two in the schemas; `serde_json`
/// itself reads no text of more than 128 levels.
pub(super) const MAX_NESTING: usize = 256;

/// Base64 as the specification has it: padding and the bits after the last byte do not matter.
static BASE64: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = BASE64_NOPAD.specification();
    spec.check_trailing_bits = false;
    spec.encoding().unwrap_or(BASE64_NOPAD)
});

/// `{"$link": ...}` becomes a link, `{"$bytes": ...}` bytes.
pub(super) fn to_cbor(json: &Json) -> Result<Value, Invalid> {
    convert(json, MAX_NESTING)
}

fn convert(json: &Json, depth: usize) -> Result<Value, Invalid> {
    let deeper = depth.checked_sub(1).ok_or_else(|| Invalid::new("is nested too deep"))?;
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(yes) => Value::Bool(*yes),
        Json::String(text) => Value::Text(text.clone()),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => Value::Int(int),
            (None, float) => Value::Float(float.ok_or_else(|| Invalid::new("is no number"))?),
        },
        Json::Array(items) => Value::Array(items.iter().map(|item| convert(item, deeper)).collect::<Result<_, _>>()?),
        Json::Object(entries) => {
            if let Some(value) = special(entries)? {
                return Ok(value);
            }
            let entries = entries.iter().map(|(key, value)| Ok((key.clone(), convert(value, deeper)?)));
            Value::Map(entries.collect::<Result<_, Invalid>>()?)
        }
    })
}

fn special(entries: &Map<String, Json>) -> Result<Option<Value>, Invalid> {
    let mut entries = entries.iter();
    let (Some((key, value)), None) = (entries.next(), entries.next()) else { return Ok(None) };
    match (key.as_str(), value.as_str()) {
        ("$link", Some(cid)) => Ok(Some(Value::Link(cid.parse().map_err(|_| Invalid::new("must be a CID"))?))),
        ("$bytes", Some(text)) => {
            let bytes = BASE64.decode(text.trim_end_matches('=').as_bytes());
            Ok(Some(Value::Bytes(bytes.map_err(|_| Invalid::new("must be a byte array"))?)))
        }
        ("$link" | "$bytes", None) => Err(Invalid::new("must be text under $link or $bytes")),
        _ => Ok(None),
    }
}
