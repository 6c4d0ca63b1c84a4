//! The interoperability vectors of the lexicon language. Their counts are asserted: none can be passed over in silence.

use appviewd::atproto::Cid;
use appviewd::atproto::cbor::Value;
use appviewd::lexicon::{self, Lexicons};
use serde_json::Value as Json;

fn vectors(name: &str) -> Option<Vec<Json>> {
    let bytes = crate::support::data::read(&format!("interop/lexicon/{name}.json"))?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

fn name(vector: &Json) -> &str {
    vector["name"].as_str().unwrap()
}

#[test]
fn lexicons_that_are_none_are_refused() {
    let (Some(valid), Some(invalid)) = (vectors("lexicon-valid"), vectors("lexicon-invalid")) else { return };
    assert_eq!((valid.len(), invalid.len()), (3, 7));
    let compile = |vector: &Json| {
        let text = vector["lexicon"].to_string();
        // What a reference names is not at hand there; it is not what these vectors are about.
        let strong_ref = r#"{"lexicon":1,"id":"com.atproto.repo.strongRef","defs":{"main":{"type":"object"}}}"#;
        lexicon::compile([text.as_str(), strong_ref])
    };
    for vector in &valid {
        compile(vector).unwrap_or_else(|e| panic!("{}: {e}", name(vector)));
    }
    for vector in &invalid {
        assert!(compile(vector).is_err(), "{} was accepted", name(vector));
    }
}

/// JSON to DAG-CBOR, apart from the program's own way: `None` for what is no data at all.
fn cbor(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Bool(yes) => Value::Bool(*yes),
        Json::Number(number) => Value::Int(number.as_i64()?),
        Json::String(text) => Value::text(text),
        Json::Array(items) => Value::Array(items.iter().map(cbor).collect::<Option<_>>()?),
        Json::Object(entries) => match (entries.get("$link"), entries.get("$bytes")) {
            (Some(link), _) => Value::Link(link.as_str()?.parse::<Cid>().ok()?),
            (_, Some(bytes)) => Value::Bytes(bytes.as_str()?.bytes().take(bytes.as_str()?.len() * 3 / 4).collect()),
            _ => Value::Map(entries.iter().map(|(key, value)| Some((key.clone(), cbor(value)?))).collect::<Option<_>>()?),
        },
    })
}

#[test]
fn records_are_judged_as_the_vectors_say() {
    let (Some(valid), Some(invalid)) = (vectors("record-data-valid"), vectors("record-data-invalid")) else { return };
    assert_eq!((valid.len(), invalid.len()), (3, 50));
    // The catalog's one reference to what it does not have.
    let preferences = r#"{"lexicon":1,"id":"app.bsky.actor.defs","defs":{"preferences":{"type":"array","items":{"type":"unknown"}}}}"#;
    let catalog: Vec<String> = ["record", "query", "procedure", "subscription", "permission-set"]
        .into_iter()
        .map(|n| String::from_utf8(crate::support::data::read(&format!("interop/lexicon/catalog/{n}.json")).unwrap()).unwrap())
        .collect();
    let lexicons = Lexicons::parse(&lexicon::compile(catalog.iter().map(String::as_str).chain([preferences])).unwrap()).unwrap();
    let judge = |vector: &Json| {
        let record = cbor(&vector["data"]).unwrap().encode();
        lexicons.validate_record_to_write("example.lexicon.record", vector["rkey"].as_str().unwrap(), &record)
    };
    for vector in &valid {
        judge(vector).unwrap_or_else(|e| panic!("{}: {e}", name(vector)));
    }
    let accepted: Vec<_> = invalid.iter().filter(|v| judge(v).is_ok()).map(name).collect();
    assert_eq!(accepted, Vec::<&str>::new());
    let record = cbor(&valid[0]["data"]).unwrap().encode();
    assert!(lexicons.validate_record("example.lexicon.record", "other", &record).is_err());
}
