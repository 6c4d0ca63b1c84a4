//! Answers beside what is expected of them: equal in every field that is compared. What is expected may leave open what the specification
//! does; what is not looked at here (pictures of posts, long texts of profiles, who of the known likes a post, records, which their CIDs stand for) is taken out of answers.

use serde_json::{Map, Value as Json, json};

/// Fields of an account that are not compared.
const OF_ACCOUNTS: &[&str] = &["banner", "description", "website", "indexedAt", "verification", "joinedViaStarterPack", "pinnedPost"];
/// The same of feed generators.
const OF_GENERATORS: &[&str] = &["avatar", "description", "descriptionFacets", "contentMode", "acceptsInteractions"];
/// What of a list is compared.
const OF_LISTS: &[&str] = &["uri", "cid", "name", "purpose", "listItemCount"];

/// One of these.
pub fn one_of(these: &[Json]) -> Json {
    json!({"*of": these})
}

/// So many of these, each once.
pub fn some_of(count: usize, these: &[Json]) -> Json {
    json!({"*some": count, "*of": these})
}

/// What has these fields, and perhaps others.
pub fn having(fields: &Json) -> Json {
    json!({"*has": fields})
}

/// An answer as it is compared.
pub fn compared(answer: &Json) -> Json {
    match answer {
        Json::Array(items) => items.iter().map(compared).collect(),
        Json::Object(fields) => object(fields),
        other => other.clone(),
    }
}

fn object(fields: &Map<String, Json>) -> Json {
    let kind = fields.get("$type").and_then(Json::as_str).unwrap_or_default();
    let is_media = kind.starts_with("app.bsky.embed.") && kind.ends_with("#view") && !kind.contains(".record");
    let keep = |key: &str, value: &Json| match key {
        "$type" => true,
        "knownLikers" => false,
        _ if is_media => false,
        // Records as they are held have the type of their collection.
        "record" | "value" => value["$type"].as_str().is_none_or(|kind| kind.contains('#')),
        _ if fields.contains_key("handle") => !OF_ACCOUNTS.contains(&key),
        _ if fields.contains_key("purpose") => OF_LISTS.contains(&key),
        _ if kind.ends_with("#generatorView") => !OF_GENERATORS.contains(&key),
        _ => true,
    };
    let kept = fields.iter().filter(|(key, value)| keep(key, value));
    kept.map(|(key, value)| (key.clone(), if key == "labels" { labels(value) } else { compared(value) })).collect()
}

/// As `src uri val`, sorted.
fn labels(labels: &Json) -> Json {
    let word = |label: &Json, key: &str| label[key].as_str().unwrap().to_owned();
    let mut words: Vec<String> = labels
        .as_array()
        .unwrap()
        .iter()
        .map(|label| format!("{} {} {}", word(label, "src"), word(label, "uri"), word(label, "val")))
        .collect();
    words.sort();
    words.into()
}

/// The first place where an answer that is to be compared is not what is expected, and both sides of it.
pub fn difference(expected: &Json, answer: &Json) -> Option<String> {
    at("", expected, answer)
}

fn at(path: &str, expected: &Json, answer: &Json) -> Option<String> {
    let differ = || Some(format!("{path}\n  expected {expected}\n  answered {answer}"));
    match (expected, answer) {
        (Json::Object(rule), _) if rule.contains_key("*has") => {
            let fields = rule["*has"].as_object().unwrap();
            fields.iter().find_map(|(key, expected)| at(&format!("{path}.{key}"), expected, &answer[key.as_str()]))
        }
        (Json::Object(rule), _) if rule.contains_key("*of") => {
            if admits(rule, answer) {
                None
            } else {
                differ()
            }
        }
        (Json::Object(expected), Json::Object(answer)) => {
            let keys = expected.keys().chain(answer.keys().filter(|key| !expected.contains_key(*key)));
            let missing = Json::Null;
            keys.into_iter()
                .find_map(|key| at(&format!("{path}.{key}"), expected.get(key).unwrap_or(&missing), answer.get(key).unwrap_or(&missing)))
        }
        (Json::Array(expected), Json::Array(answer)) if expected.len() == answer.len() => {
            (0..answer.len()).find_map(|n| at(&format!("{path}[{n}]"), &expected[n], &answer[n]))
        }
        _ if expected == answer => None,
        _ => differ(),
    }
}

fn admits(rule: &Map<String, Json>, answer: &Json) -> bool {
    let fits = |one: &Json| rule["*of"].as_array().unwrap().iter().any(|expected| difference(expected, one).is_none());
    match (rule.get("*some"), answer) {
        (None, one) => fits(one),
        (Some(count), Json::Array(some)) => {
            let each_once = (1..some.len()).all(|n| !some[..n].contains(&some[n]));
            count.as_u64() == u64::try_from(some.len()).ok() && each_once && some.iter().all(fits)
        }
        _ => false,
    }
}

#[test]
fn what_is_left_open_is_no_more_than_that() {
    let list = one_of(&[json!({"uri": "a"}), json!({"uri": "b"})]);
    assert_eq!(difference(&json!({"x": list, "y": having(&json!({"z": 3}))}), &json!({"x": {"uri": "b"}, "y": {"z": 3, "more": 4}})), None);
    assert!(difference(&json!({"x": list}), &json!({"x": {"uri": "c"}})).is_some());
    assert!(difference(&having(&json!({"z": 3})), &json!({"z": 4})).is_some());
    let some = some_of(2, &[json!(1), json!(2), json!(3)]);
    assert_eq!(difference(&some, &json!([3, 1])), None);
    for other in [json!([1]), json!([1, 1]), json!([1, 4]), json!([1, 2, 3])] {
        assert!(difference(&some, &other).is_some(), "{other}");
    }
    assert!(difference(&json!({"a": 1}), &json!({"a": 1, "b": 2})).is_some(), "a field too many");
    assert!(difference(&json!({"a": 1, "b": 2}), &json!({"a": 1})).is_some(), "a field is missing");
}
