//! 150 contiguous frames of a production relay.

use std::collections::{BTreeMap, HashSet};

use appviewd::sandbox::Oracle;

use super::{by_collection, daemon, raw_without_via, records_left, run};
use crate::support::stack::Stack;
use crate::support::{data, judge};

/// Records that the window leaves, by collection (creates and updates less what was deleted again).
const LEFT: &[(&str, usize)] = &[
    ("app.bsky.actor.status", 1),
    ("app.bsky.feed.like", 105),
    ("app.bsky.feed.post", 17),
    ("app.bsky.feed.repost", 15),
    ("app.bsky.graph.block", 1),
    ("app.bsky.graph.follow", 6),
    ("fm.teal.alpha.actor.status", 1),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_150_production_frames_go_through_the_whole_path() {
    let Some(frames) = data::frames() else { return };
    assert_eq!(frames.len(), 150);
    let stack = Stack::start(1).await;
    let lines = run(&stack, &mut daemon(&stack), &frames).await;

    let records: Vec<_> = lines.iter().filter(|line| line.starts_with("record ")).cloned().collect();
    assert_eq!(records, records_left(&frames), "each record reads back to the CID that its frame named");
    let counts = by_collection(&lines);
    assert_eq!(counts, LEFT.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<BTreeMap<_, _>>());
    assert_eq!(counts.values().sum::<usize>(), records.len());

    let derived = |line: &&String| !line.starts_with("record ") || line.contains("/app.bsky.") || line.contains("/chat.bsky.");
    let held: Vec<_> = lines.iter().filter(derived).cloned().collect();
    judge::compare(&held, &Oracle::of(&frames, &HashSet::new())).assert_equal("150 frames");

    let client = stack.postgres.connect().await;
    let edges: i64 = client
        .query_one("SELECT (SELECT count(*) FROM \"like\") + (SELECT count(*) FROM repost) + (SELECT count(*) FROM follow) + (SELECT count(*) FROM block)", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(edges, 127);
    assert!(raw_without_via(&client).await <= 2, "edges without via are rebuilt from their columns");
}
