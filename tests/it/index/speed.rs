//! How fast applying is: printed, and held to a bound that only a per-row statement would miss.

use std::time::{Duration, Instant};

use appviewd::queue::Event;

use super::kit::*;

/// Events of the network's mix, by many accounts.
fn mix(count: i64) -> Vec<Event> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut repos: Vec<_> = (0..5000).map(|n| Repo::new(&format!("u{n}"))).collect();
    let uris: Vec<_> = (0..5000).map(|n| repos[random.usize(..5000)].uri(POST, &key(n))).collect();
    let event = |n: i64| {
        let (subject, author) = (uris[random.usize(..uris.len())].clone(), random.usize(..repos.len()));
        let followed = repos[random.usize(..repos.len())].did.clone();
        let op = match random.u8(..100) {
            0..68 => create(LIKE, n, &edge(LIKE, &subject, n)),
            68..75 => create(POST, n, &post("a post of some words, as they are written", n)),
            75..79 => create(POST, n, &reply(&subject, n)),
            79..89 => create(REPOST, n, &edge(REPOST, &subject, n)),
            89..95 => create(FOLLOW, n, &tie(FOLLOW, &followed, n)),
            _ => delete(LIKE, n - random.i64(1..1000)),
        };
        repos[author].clock = n;
        repos[author].commit([op])
    };
    (10_000..10_000 + count).map(event).collect()
}

#[tokio::test]
async fn a_batch_is_a_few_statements_whatever_its_size() {
    let count: i64 = std::env::var("APPVIEW_SPEED_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(6000);
    let mut desk = Desk::open().await;
    let (mut preparing, mut applying) = (Duration::ZERO, Duration::ZERO);
    for events in mix(count).chunks(2000) {
        let batch = desk.batch(events.to_vec());
        let begin = Instant::now();
        let prepared = desk.prepare(batch).await;
        preparing += begin.elapsed();
        let begin = Instant::now();
        desk.index.apply(&mut desk.client, std::slice::from_ref(&prepared)).await.unwrap();
        applying += begin.elapsed();
        desk.at = prepared.reached();
    }
    let per_second = |took: Duration| f64::from(u32::try_from(count).unwrap()) / took.as_secs_f64();
    eprintln!("{count} events: prepared {:.0}/s, applied {:.0}/s", per_second(preparing), per_second(applying));
    let statements = "SELECT count(*) FROM pg_prepared_statements";
    assert!(desk.number(statements).await < 60);
    assert_eq!(desk.number("SELECT seq FROM stream_offset WHERE part = 0").await, count);
}
