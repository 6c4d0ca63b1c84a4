//! A record's DAG-CBOR as JSON, item by item, without a tree between. Depth is bounded by the cursor's check before.
//!
//! Source: <https://atproto.com/specs/data-model#json-representation>.

use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::atproto::Cid;
use crate::atproto::cbor::{CborError, Kind, Reader, validate};

/// The bytes of one record; serializes to the JSON that its author wrote it as.
#[derive(Debug, Clone, Copy)]
pub struct RecordJson<'a>(pub &'a [u8]);

impl Serialize for RecordJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Bounds the depth of what follows, and refuses what a damaged table might hold.
        validate(self.0).map_err(S::Error::custom)?;
        Item(Reader::new(self.0)).serialize(serializer)
    }
}

/// A cursor before an item that was validated.
struct Item<'a>(Reader<'a>);

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut cursor = self.0.clone();
        let fail = |error: CborError| S::Error::custom(error);
        match cursor.peek().map_err(fail)? {
            Kind::Null => serializer.serialize_unit(),
            Kind::Bool => serializer.serialize_bool(cursor.bool().map_err(fail)?),
            Kind::Int => serializer.serialize_i64(cursor.int().map_err(fail)?),
            Kind::Float => serializer.serialize_f64(cursor.float().map_err(fail)?),
            Kind::Text => serializer.serialize_str(cursor.text().map_err(fail)?),
            Kind::Bytes => one(serializer, "$bytes", &data_encoding::BASE64_NOPAD.encode(cursor.bytes().map_err(fail)?)),
            Kind::Link => {
                let cid = Cid::from_bytes(cursor.link().map_err(fail)?).map_err(S::Error::custom)?;
                one(serializer, "$link", &cid.to_string())
            }
            Kind::Array => {
                let items = cursor.array().map_err(fail)?;
                let mut array = serializer.serialize_seq(Some(items))?;
                for _ in 0..items {
                    array.serialize_element(&Item(cursor.clone()))?;
                    cursor.skip().map_err(fail)?;
                }
                array.end()
            }
            Kind::Map => {
                let entries = cursor.map().map_err(fail)?;
                let mut map = serializer.serialize_map(Some(entries))?;
                for _ in 0..entries {
                    map.serialize_key(cursor.text().map_err(fail)?)?;
                    map.serialize_value(&Item(cursor.clone()))?;
                    cursor.skip().map_err(fail)?;
                }
                map.end()
            }
        }
    }
}

fn one<S: Serializer>(serializer: S, key: &'static str, value: &str) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, value)?;
    map.end()
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
