//! Reading Redis' answers. In RESP2 a text is `String` or `Bytes` by whether it happens to be UTF-8: both are taken for the same.

use bytes::Bytes;
use fred::types::Value;

use super::Position;

pub(super) fn bytes(value: &Value) -> Option<Bytes> {
    match value {
        Value::Bytes(bytes) => Some(bytes.clone()),
        Value::String(text) => Some(text.inner().clone()),
        _ => None,
    }
}

pub(super) fn text(value: &Value) -> Option<String> {
    String::from_utf8(bytes(value)?.to_vec()).ok()
}

pub(super) fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(int) => Some(*int),
        other => text(other)?.parse().ok(),
    }
}

pub(super) fn position(value: &Value) -> Option<Position> {
    text(value)?.parse().ok()
}
