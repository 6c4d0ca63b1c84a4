//! DAG-CBOR and the protocol's JSON against the data-model vectors, and our strictness against an independent reader.

use appviewd::atproto::cbor::{CborError, Value, validate};
use appviewd::atproto::json::RecordJson;
use appviewd::atproto::{Cid, json};
use data_encoding::BASE64_NOPAD;
use ipld_core::ipld::Ipld;
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::support::data;

fn vectors(name: &str) -> Option<Vec<Json>> {
    Some(serde_json::from_slice(&data::read(&format!("interop/data-model/{name}"))?).unwrap())
}

fn to_json(cbor: &[u8]) -> Json {
    serde_json::from_str(&serde_json::to_string(&RecordJson(cbor)).unwrap()).unwrap()
}

#[test]
fn fixtures_go_from_json_to_cbor_to_cid_and_back() {
    let Some(cases) = vectors("data-model-fixtures.json") else { return };
    for case in &cases {
        let cbor = json::read_record(&case["json"]).unwrap().encode();
        assert_eq!(BASE64_NOPAD.encode(&cbor), case["cbor_base64"].as_str().unwrap().trim_end_matches('='));
        assert_eq!(Cid::dag_cbor(&cbor).to_string(), case["cid"].as_str().unwrap());
        assert_eq!(to_json(&cbor), case["json"]);
        assert_eq!(Value::decode(&cbor).unwrap().encode(), cbor);
    }
    assert_eq!(cases.len(), 3);
}

#[test]
fn valid_and_invalid_json_is_judged_as_the_vectors_say() {
    let (Some(good), Some(bad)) = (vectors("data-model-valid.json"), vectors("data-model-invalid.json")) else { return };
    for case in &good {
        let cbor = json::read_record(&case["json"]).unwrap_or_else(|e| panic!("{}: {e}", case["note"])).encode();
        assert_eq!(validate(&cbor), Ok(()), "{}", case["note"]);
    }
    for case in &bad {
        assert!(json::read_record(&case["json"]).is_err(), "{}", case["note"]);
    }
    assert_eq!((good.len(), bad.len()), (5, 12));
}

#[test]
fn real_records_become_json_and_come_back_byte_for_byte() {
    for name in ["cars/feedpost_record.cbor", "cars/post_richtext_link.cbor"] {
        let Some(record) = data::read(name) else { return };
        assert_eq!(validate(&record), Ok(()));
        assert_eq!(json::read_record(&to_json(&record)).unwrap().encode(), record, "{name}");
    }
}

/// Any item that the data model has.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-100_i64..300).prop_map(Value::Int),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::Float),
        ".{0,40}".prop_map(Value::text),
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
        any::<[u8; 4]>().prop_map(|b| Value::Link(Cid::dag_cbor(&b))),
    ];
    leaf.prop_recursive(5, 40, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::btree_map("[a-z$]{0,9}", inner, 0..8).prop_map(|m| Value::Map(m.into_iter().collect())),
        ]
    })
}

/// Whether two judges agree on these bytes. Ours is narrower in two ways on purpose (depth, integers beyond 64 bits with sign), leaves
/// the form of a link's CID to whoever reads it, and takes -0.0, which is not worth a lost connection.
fn agree(bytes: &[u8]) -> Result<bool, TestCaseError> {
    let (ours, theirs) = (validate(bytes), serde_ipld_dagcbor::from_slice::<Ipld>(bytes));
    match (&ours, &theirs) {
        (Ok(()), Err(error)) => {
            let is_known = error.to_string().to_lowercase().contains("cid") || bytes.windows(9).any(|w| w == b"\xfb\x80\0\0\0\0\0\0\0");
            prop_assert!(is_known, "we took what is refused: {error}");
        }
        (Err(error), Ok(_)) => prop_assert!(matches!(error, CborError::Depth | CborError::Range), "we refused what is taken: {error}"),
        _ => {}
    }
    Ok(ours.is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_we_write_is_strict_and_reads_back(value in value()) {
        let bytes = value.encode();
        prop_assert!(agree(&bytes)?);
        prop_assert_eq!(Value::decode(&bytes).unwrap().encode(), bytes);
    }

    #[test]
    fn mutated_items_are_judged_as_an_independent_reader_judges_them(value in value(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = value.encode();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        agree(&bytes)?;
    }

    #[test]
    fn arbitrary_bytes_are_judged_as_an_independent_reader_judges_them(bytes in prop::collection::vec(prop_oneof![Just(0xa1_u8), Just(0x81), Just(0x61), Just(0xd8), Just(0x2a), any::<u8>()], 0..40)) {
        agree(&bytes)?;
    }

    #[test]
    fn json_is_what_serde_json_reads(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let value = Value::map([("a", Value::text(text.clone())), ("b", Value::Bytes(bytes.clone()))]);
        let json = to_json(&value.encode());
        prop_assert_eq!(json["a"].as_str(), Some(&text[..]));
        prop_assert_eq!(json::read_record(&json).unwrap().encode(), value.encode());
    }
}
