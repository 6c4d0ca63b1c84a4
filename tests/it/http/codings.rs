//! Answers in the coding that a client takes.

use std::io::Read as _;

use crate::reads::world::{ALICE, World, key, post};

async fn world() -> (World, String) {
    let mut world = World::start().await;
    for n in 1..=20 {
        world.put(ALICE, "app.bsky.feed.post", &key(n), &post(&format!("post {n}"), n, vec![])).await;
    }
    (world, format!("/xrpc/app.bsky.feed.getAuthorFeed?actor={ALICE}"))
}

#[tokio::test]
async fn a_page_is_the_same_in_every_coding() {
    let (world, path) = world().await;
    let plain = world.get(&path).await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")));
    let gzip = world.ask("GET", &path, "accept-encoding: gzip, deflate, br\r\n").await;
    let zstd = world.ask("GET", &path, "accept-encoding: gzip, deflate, br, zstd\r\n").await;
    assert_eq!((gzip.header("content-encoding"), zstd.header("content-encoding")), (Some("gzip"), Some("zstd")));
    let mut back = Vec::new();
    flate2::read::GzDecoder::new(&gzip.body[..]).read_to_end(&mut back).unwrap();
    assert_eq!(back, plain.body);
    assert_eq!(zstd::decode_all(&zstd.body[..]).unwrap(), plain.body);
    assert!(gzip.body.len() * 3 < plain.body.len() && zstd.body.len() * 3 < plain.body.len());
    let none = world.ask("GET", &path, "accept-encoding: gzip;q=0, zstd;q=0\r\n").await;
    assert_eq!(none.body, plain.body);
}

#[tokio::test]
async fn head_tells_the_length_of_what_get_sends() {
    let (world, path) = world().await;
    for accepted in ["", "accept-encoding: gzip\r\n", "accept-encoding: zstd\r\n"] {
        let (get, head) = (world.ask("GET", &path, accepted).await, world.ask("HEAD", &path, accepted).await);
        assert_eq!((head.status, head.body.len()), (200, 0));
        for name in ["content-length", "content-encoding", "content-type", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{name} {accepted}");
        }
        assert_eq!(get.header("content-length"), Some(get.body.len().to_string().as_str()));
    }
}

#[tokio::test]
async fn short_answers_are_sent_as_they_are() {
    let (world, _) = world().await;
    let answer = world.ask("GET", "/xrpc/_health", "accept-encoding: zstd, gzip\r\n").await;
    assert_eq!((answer.header("content-encoding"), answer.header("vary")), (None, None));
}
