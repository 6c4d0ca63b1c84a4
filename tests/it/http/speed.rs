//! What a token and a coding cost: printed, and held to a bound that only another algorithm would miss.

use std::io::Write as _;
use std::time::{Duration, Instant};

use appviewd::atproto::jwt::{self, Claims};
use appviewd::atproto::{Jwt, PublicKey};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::reads::world::{ALICE, World, key, post};
use crate::support::sign_in;

/// A key of P-256 (from the protocol's own vectors). Whether a signature fits costs the same either way.
const P256: &str = "did:key:zDnaembgSGUhZULN2Caob4HLJPaxBh92N7rtH21TErzqf8HQo";

/// The time of one `work`: the fastest round of ten, since others run beside this test.
fn each(rounds_of: u32, mut work: impl FnMut()) -> Duration {
    let round = |_| {
        let begin = Instant::now();
        (0..rounds_of).for_each(|_| work());
        begin.elapsed() / rounds_of
    };
    (0..10).map(round).min().unwrap()
}

#[test]
fn a_token_is_checked_in_a_fraction_of_a_millisecond() {
    let token = jwt::issue(&sign_in::claims(ALICE, "/xrpc/app.bsky.feed.getTimeline"), &sign_in::key(ALICE));
    for (name, key) in [("ES256K", sign_in::key(ALICE).public_key()), ("ES256", PublicKey::from_did_key(P256).unwrap())] {
        let took = each(100, || {
            let jwt = Jwt::parse(&token).unwrap();
            jwt.claims::<Claims>().unwrap();
            std::hint::black_box(key.verify_malleable(jwt.signed.as_bytes(), &jwt.signature));
        });
        eprintln!("a token of {name}: {took:?}");
        assert!(took < Duration::from_millis(2), "{name}: {took:?}");
    }
    let parsed = each(100, || drop(std::hint::black_box(Jwt::parse(&token).unwrap().claims::<Claims>())));
    eprintln!("taking one apart: {parsed:?}");
}

#[tokio::test]
async fn a_page_is_coded_in_a_fraction_of_a_millisecond() {
    let mut world = World::start().await;
    for n in 1..=30 {
        let text: String = std::iter::repeat_with(|| fastrand::char('a'..='z')).take(120).collect();
        world.put(ALICE, "app.bsky.feed.post", &key(n), &post(&text, n, vec![])).await;
    }
    let page = world.get(&format!("/xrpc/app.bsky.feed.getAuthorFeed?actor={ALICE}")).await.body;
    let mut compressor = zstd::bulk::Compressor::new(1).unwrap();
    let mut sizes = [0; 2];
    let zstd = each(20, || sizes[0] = compressor.compress(&page).unwrap().len());
    let gzip = each(20, || {
        let mut encoder = GzEncoder::new(Vec::with_capacity(page.len() / 4), Compression::new(1));
        encoder.write_all(&page).unwrap();
        sizes[1] = encoder.finish().unwrap().len();
    });
    eprintln!("a page of {} bytes: zstd {} bytes in {zstd:?}, gzip {} bytes in {gzip:?}", page.len(), sizes[0], sizes[1]);
    assert!(zstd < Duration::from_millis(5) && gzip < Duration::from_millis(10), "{zstd:?} {gzip:?}");
}
