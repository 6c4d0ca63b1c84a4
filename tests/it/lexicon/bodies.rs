//! Responses and bodies against their schemas, and what stands in their way: depth, unknown types, wrong kinds.

use std::time::Instant;

use appviewd::lexicon;
use serde_json::{Value, json};

fn profile() -> Value {
    json!({ "did": "did:plc:a", "handle": "a.example", "followersCount": 1, "labels": [], "more": { "x": 1.5 } })
}

fn output(nsid: &str, body: &Value) -> Result<(), String> {
    lexicon::embedded().check_output(nsid, body).map_err(|e| e.to_string())
}

#[test]
fn a_response_is_judged_by_its_schema() {
    assert_eq!(output("app.bsky.actor.getProfile", &profile()), Ok(()));
    for (key, value, error) in [
        ("did", json!(null), "Output/did must be a string"),
        ("handle", json!("no handle"), "Output/handle must be a valid handle"),
        ("followersCount", json!(1.5), "Output/followersCount must be an integer"),
        ("labels", json!({}), "Output/labels must be an array"),
        ("labels", json!([{}]), "Output/labels/0 must have the property \"cts\""),
        ("displayName", json!("x".repeat(641)), "Output/displayName must not be longer than 640 characters"),
    ] {
        let mut body = profile();
        body[key] = value;
        assert_eq!(output("app.bsky.actor.getProfile", &body), Err(error.to_owned()), "{key}");
    }
    assert_eq!(output("app.bsky.actor.getProfile", &json!([])), Err("Output must be an object".to_owned()));
    assert!(output("com.example.nothing", &profile()).is_err());
}

#[test]
fn a_request_body_is_judged_by_its_schema() {
    let lexicons = lexicon::embedded();
    assert_eq!(lexicons.check_input("app.bsky.graph.muteActor", &json!({ "actor": "a.example" })), Ok(()));
    let error = lexicons.check_input("app.bsky.graph.muteActor", &json!({})).unwrap_err();
    assert_eq!(error.to_string(), "Input must have the property \"actor\"");
}

/// A chain of `depth` parents in a thread view.
fn thread(depth: usize) -> Value {
    let uri = "at://did:plc:a/app.bsky.feed.post/3jzfcijpj2z2a";
    let post = json!({
        "uri": uri, "cid": "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua", "indexedAt": "2026-07-04T14:39:14.000Z",
        "author": { "did": "did:plc:a", "handle": "a.example" }, "record": {},
    });
    let view = json!({ "$type": "app.bsky.feed.defs#threadViewPost", "post": post });
    (0..depth).fold(view.clone(), |parent, _| {
        let mut view = view.clone();
        view["parent"] = parent;
        view
    })
}

#[test]
fn deep_threads_are_judged_and_endless_ones_refused() {
    assert_eq!(output("app.bsky.feed.getPostThread", &json!({ "thread": thread(80) })), Ok(()));
    let error = output("app.bsky.feed.getPostThread", &json!({ "thread": thread(300) })).unwrap_err();
    assert!(error.ends_with("is nested too deep"), "{error}");
}

/// Prints what a judgement costs; asserts only that it is no disaster, since test machines differ.
#[test]
fn a_like_is_judged_in_microseconds() {
    let Some(all) = crate::support::records::of_frames() else { return };
    let like = all.iter().find(|real| real.collection == "app.bsky.feed.like").unwrap();
    let lexicons = lexicon::embedded();
    let start = Instant::now();
    for _ in 0..10_000 {
        lexicons.validate_record(&like.collection, &like.rkey, &like.record).unwrap();
    }
    let each = start.elapsed() / 10_000;
    eprintln!("a like is judged in {each:?}");
    assert!(each.as_micros() < 200);
}
