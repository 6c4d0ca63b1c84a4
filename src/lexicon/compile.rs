//! From a folder's lexicon files to the one compact text that this program carries. Never keeps what only people read.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{LexiconError, Lexicons};

/// The parts of a lexicon that judge a value.
const STRUCTURE: [&str; 26] = [
    "type",
    "key",
    "record",
    "required",
    "nullable",
    "properties",
    "ref",
    "refs",
    "closed",
    "format",
    "minGraphemes",
    "maxGraphemes",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "enum",
    "const",
    "default",
    "items",
    "parameters",
    "input",
    "output",
    "schema",
    "accept",
    "maxSize",
];

/// Joins lexicon documents into one text, sorted by id, one a line: structure only. It is what [`super::embedded`] is made of.
///
/// # Errors
/// A document that is no lexicon of version 1, two of the same id, a reference to what none of them defines.
pub fn compile<'a>(documents: impl IntoIterator<Item = &'a str>) -> Result<String, LexiconError> {
    let mut lines = BTreeMap::new();
    for text in documents {
        let document: Value = serde_json::from_str(text)?;
        let id = document.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if document.get("lexicon").and_then(Value::as_i64) != Some(1) {
            return Err(LexiconError::Schema { name: id, what: "not of lexicon version 1".to_owned() });
        }
        let defs = document.get("defs").and_then(Value::as_object);
        let defs: Map<_, _> = defs.into_iter().flatten().map(|(name, def)| (name.clone(), definition(def))).collect();
        if lines.insert(id.clone(), serde_json::json!({ "id": id, "defs": defs }).to_string()).is_some() {
            return Err(LexiconError::Schema { name: id, what: "defined twice".to_owned() });
        }
    }
    let text = format!("[\n{}\n]\n", lines.into_values().collect::<Vec<_>>().join(",\n"));
    Lexicons::parse(&text).map(|_| text)
}

/// A permission set judges no value: only its type stays, so that its place is still checked.
fn definition(def: &Value) -> Value {
    if def.get("type").is_some_and(|kind| kind == "permission-set") {
        return serde_json::json!({ "type": "permission-set" });
    }
    structure(def)
}

fn structure(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let kept = entries.iter().filter(|(key, _)| STRUCTURE.contains(&key.as_str()));
            Value::Object(
                kept.map(|(key, value)| (key.clone(), if key == "properties" { named(value) } else { structure(value) })).collect(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(structure).collect()),
        other => other.clone(),
    }
}

/// The keys of `properties` are names, whatever they are.
fn named(value: &Value) -> Value {
    match value {
        Value::Object(entries) => Value::Object(entries.iter().map(|(name, def)| (name.clone(), structure(def))).collect()),
        other => structure(other),
    }
}
