//! Bodies of procedures: what is wrong with one is told in the reference's words.

use serde_json::json;

use crate::reads::world::{BOB, World};

const PATH: &str = "/xrpc/app.bsky.notification.updateSeen";

async fn refused(world: &World, headers: &str, body: &str) -> (u16, String, String) {
    let bearer = world.bearer(BOB, PATH);
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{bearer}{headers}content-length: {}\r\n\r\n", body.len());
    world.send("POST", PATH, format!("{head}{body}").as_bytes()).await.error()
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_named() {
    let world = World::start().await;
    let json = "content-type: application/json\r\n";
    for (headers, body, message) in [
        ("", "", "A request body is expected but none was provided"),
        (json, "", "A request body is expected but none was provided"),
        ("", "{}", "Request encoding (Content-Type) required but not provided"),
        ("content-type: text/plain\r\n", "{}", "Wrong request encoding (Content-Type): text/plain"),
        ("content-type: application/jsonp\r\n", "{}", "Wrong request encoding (Content-Type): application/jsonp"),
        (json, "{", "The request body is not valid JSON"),
        (json, "{\"seenAt\":\"2026-01-01T00:00:00Z\"} x", "The request body is not valid JSON"),
        (json, "[]", "Input must be an object"),
        (json, "null", "Input must be an object"),
        (json, "{}", "Input must have the property \"seenAt\""),
        (json, "{\"seenAt\":1}", "Input/seenAt must be a string"),
        (
            "content-type: Application/JSON; charset=utf-8\r\n",
            "{\"seenAt\":\"now\"}",
            "Input/seenAt must be an valid atproto datetime (both RFC-3339 and ISO-8601)",
        ),
    ] {
        assert_eq!(refused(&world, headers, body).await, (400, "InvalidRequest".to_owned(), message.to_owned()), "{headers}{body}");
    }
    let coded = refused(&world, "content-type: application/json\r\ncontent-encoding: br\r\n", "{}").await;
    assert_eq!(coded, (415, "UnsupportedMediaType".to_owned(), "unsupported content encoding \"br\"".to_owned()));
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read() {
    let world = World::start().await;
    let long = format!("{{\"seenAt\":\"{}\"}}", "x".repeat(100 * 1024));
    let answer = refused(&world, "content-type: application/json\r\n", &long).await;
    assert_eq!(answer, (413, "PayloadTooLarge".to_owned(), "request entity too large".to_owned()));
}

#[tokio::test]
async fn a_query_takes_no_body() {
    let world = World::start().await;
    let path = format!("/xrpc/app.bsky.actor.getProfile?actor={BOB}");
    let answer = world.ask("GET", &path, "content-length: 2\r\n\r\n{}").await;
    assert_eq!(answer.error().2, "A request body was provided when none was expected");
    assert_eq!(world.ask("GET", &path, "content-length: 0\r\n").await.error().2, "Profile not found");
}

#[tokio::test]
async fn who_calls_is_asked_before_the_body_is_judged_and_after_the_parameters() {
    let world = World::start().await;
    assert_eq!(world.post(PATH, "", &json!({})).await.error().1, "AuthMissing");
    let wrong = world.ask("GET", "/xrpc/app.bsky.actor.getProfile", "authorization: Bearer x\r\n").await;
    assert_eq!(wrong.error().2, "Error: Params must have the property \"actor\"");
    assert_eq!(world.ask("GET", PATH, "").await.error().2, "Incorrect HTTP method (GET) expected POST");
}
