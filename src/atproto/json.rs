//! Between DAG-CBOR and the protocol's JSON: `{"$link": cid}` for links, `{"$bytes": base64}` for byte strings.
//!
//! Views go from stored bytes to JSON by [`write`], which builds no tree. Nothing here knows a record type.

use data_encoding::BASE64_NOPAD;
use serde_json::Value as Json;

use super::Cid;
use super::cbor::{CborError, Kind, MAX_DEPTH, Reader, Value};

/// Appends one DAG-CBOR item as JSON; keys keep their order.
///
/// # Errors
/// Bytes that are not exactly one strict item; `out` then ends somewhere inside it.
pub fn write(item: &[u8], out: &mut Vec<u8>) -> Result<(), CborError> {
    super::cbor::validate(item)?;
    let mut reader = Reader::new(item);
    let mut open = [Open::default(); MAX_DEPTH];
    let mut depth = 0;
    loop {
        match reader.peek()? {
            kind @ (Kind::Map | Kind::Array) => {
                let is_map = kind == Kind::Map;
                let left = if is_map { reader.map()? } else { reader.array()? };
                out.push(if is_map { b'{' } else { b'[' });
                *open.get_mut(depth).ok_or(CborError::Depth)? = Open { left, is_map, is_first: true };
                depth += 1;
            }
            _ => scalar(&mut reader, out)?,
        }
        loop {
            let Some(top) = depth.checked_sub(1).and_then(|i| open.get_mut(i)) else { return Ok(()) };
            if top.left > 0 {
                top.left -= 1;
                if !std::mem::take(&mut top.is_first) {
                    out.push(b',');
                }
                if top.is_map {
                    string(reader.text()?, out);
                    out.push(b':');
                }
                break;
            }
            out.push(if top.is_map { b'}' } else { b']' });
            depth -= 1;
        }
    }
}

/// A map or array that is being written.
#[derive(Clone, Copy, Default)]
struct Open {
    left: usize,
    is_map: bool,
    is_first: bool,
}

fn scalar(reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), CborError> {
    match reader.peek()? {
        Kind::Text => string(reader.text()?, out),
        Kind::Int => out.extend_from_slice(reader.int()?.to_string().as_bytes()),
        Kind::Bool => out.extend_from_slice(if reader.bool()? { b"true" } else { b"false" }),
        Kind::Float => out.extend_from_slice(format!("{:?}", reader.float()?).as_bytes()),
        Kind::Bytes => {
            let text = BASE64_NOPAD.encode(reader.bytes()?);
            tagged("$bytes", &text, out);
        }
        Kind::Link => {
            let cid = Cid::from_bytes(reader.link()?).map_err(|_| CborError::Tag)?;
            tagged("$link", &cid.to_string(), out);
        }
        Kind::Null | Kind::Map | Kind::Array => {
            reader.null()?;
            out.extend_from_slice(b"null");
        }
    }
    Ok(())
}

fn tagged(key: &str, value: &str, out: &mut Vec<u8>) {
    for part in ["{\"", key, "\":\"", value, "\"}"] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// A quoted text; what needs no escape is copied in runs.
fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| *b < 0x20 || matches!(b, b'"' | b'\\')) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        match special.first() {
            Some(b'"') => out.extend_from_slice(b"\\\""),
            Some(b'\\') => out.extend_from_slice(b"\\\\"),
            Some(b'\n') => out.extend_from_slice(b"\\n"),
            Some(control) => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
            None => {}
        }
        rest = special.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.push(b'"');
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
