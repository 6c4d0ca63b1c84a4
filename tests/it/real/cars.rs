//! Real repositories, each as the one #commit that would have made it: all creates, no since, from the empty tree.

use appviewd::atproto::car::Car;
use appviewd::atproto::commit::SignedCommit;
use appviewd::atproto::frame::{CommitFrame, Frame, OpFrame};
use appviewd::atproto::mst::{EMPTY_ROOT, Tree};
use appviewd::atproto::{Cid, datetime};

use super::{by_collection, daemon, raw_without_via, records_left, run};
use crate::support::stack::Stack;
use crate::support::{data, eventually};

/// Repositories of version 3, and the records in each.
const V3: [(&str, usize); 3] =
    [("frames/repo.car", 23), ("cars/bnewbold.robocracy.org.20250310005405.car", 38), ("cars/greenground.repo.car", 2)];

/// Repositories from before version 3, of which nothing may be applied.
const V2: [&str; 3] =
    ["cars/paul_staging.repo.car", "cars/divy.repo", "cars/bafyreieovfuizojpw3zresz7sx3nk4trm2by23pt5rxbey3jme4uo5ogiu.car"];

/// When the frames say that they were sent.
const TIME: &str = "2026-07-04T14:39:14.000Z";

/// The #commit of a whole repository of version 3.
fn commit(seq: i64, car: &[u8]) -> Vec<u8> {
    let blocks = Car::parse(car).unwrap();
    let commit = SignedCommit::decode(blocks.get(&blocks.root()).unwrap()).unwrap();
    let entries = Tree::load(&blocks, &commit.data).unwrap().entries();
    let ops = entries.iter().map(|(path, cid)| OpFrame { action: "create", path, cid: Some(*cid), prev: None }).collect();
    let rev = commit.rev.to_string();
    frame(seq, commit.did, &rev, blocks.root(), car, ops)
}

fn frame(seq: i64, repo: &str, rev: &str, commit: Cid, blocks: &[u8], ops: Vec<OpFrame<'_>>) -> Vec<u8> {
    let prev_data = Some(*EMPTY_ROOT);
    Frame::Commit(CommitFrame { seq, repo, rev, since: None, commit, prev_data, blocks, ops, too_big: false, rebase: false, time: TIME })
        .encode()
}

#[tokio::test(flavor = "multi_thread")]
async fn real_repositories_become_one_commit_each_and_read_back_whole() {
    let mut frames = Vec::new();
    for ((name, _), seq) in V3.iter().zip(1..) {
        let Some(car) = data::read(name) else { return };
        frames.push(commit(seq, &car));
    }
    assert!(datetime::is_valid(TIME));
    let stack = Stack::start(2).await;
    let lines = run(&stack, &mut daemon(&stack), &frames).await;

    let records: Vec<_> = lines.iter().filter(|line| line.starts_with("record ")).cloned().collect();
    assert_eq!(records, records_left(&frames));
    assert_eq!(records.len(), V3.iter().map(|(_, records)| records).sum::<usize>());
    let counts = by_collection(&lines);
    let bluesky: usize = counts.iter().filter(|(name, _)| name.starts_with("app.bsky.")).map(|(_, n)| n).sum();
    assert_eq!(bluesky, 23 + 30 + 2, "8 records of one repository are of other collections");
    assert_eq!(lines.iter().filter(|line| line.starts_with("repo ") && line.contains(" synced active ")).count(), V3.len());
    assert_eq!(lines.iter().filter(|line| line.starts_with("letter ")).count(), 0);
    eprintln!("raw without via: {}", raw_without_via(&stack.postgres.connect().await).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_of_version_2_are_refused_and_the_stream_goes_on() {
    let mut frames = Vec::new();
    for (name, seq) in V2.iter().zip(1..) {
        let Some(car) = data::read(name) else { return };
        let root = Car::parse(&car).map_or_else(|_| Cid::dag_cbor(&[]), |blocks| blocks.root());
        let op = OpFrame { action: "create", path: "app.bsky.feed.post/3jzfcijpj2z2a", cid: Some(root), prev: None };
        frames.push(frame(seq, &format!("did:plc:{seq:0>24}"), "3jzfcijpj2z2a", root, &car, vec![op]));
    }
    let Some(car) = data::read(V3[0].0) else { return };
    frames.push(commit(10, &car));
    let stack = Stack::start(3).await;
    let mut daemon = daemon(&stack);
    let lines = run(&stack, &mut daemon, &frames).await;
    assert_eq!(by_collection(&lines).values().sum::<usize>(), V3[0].1, "what came after them is applied, and nothing of theirs");
    let client = stack.postgres.connect().await;
    eventually("three rejects are kept", 10, async || {
        client.query_one("SELECT count(*) FROM reject WHERE account IS NOT NULL", &[]).await.unwrap().get::<_, i64>(0) == 3
    })
    .await;
}
