//! Statuses, deletions, and what repos say of themselves.

use super::*;

#[test]
fn every_status_but_active_hides_and_the_newest_holds() {
    let mut story = Story::new();
    let status = |story: &Story| story.lines("repo ")[0].split(' ').nth(5).unwrap().to_owned();
    for (said, held) in
        [(Some("takendown"), "takendown"), (Some("a new word"), "other"), (None, "active"), (Some("throttled"), "throttled")]
    {
        story.status("a", said);
        assert_eq!(status(&story), held);
    }
    let earlier = story.clock - MINUTE;
    story.oracle.account(&did("a"), true, None, earlier);
    assert_eq!(status(&story), "throttled", "an old word, repeated");
}

#[test]
fn a_deleted_account_takes_everything_of_it_along_on_both_sides() {
    let mut story = Story::new();
    story.commit("a", [post(1), gate("a", 1, &["followerRule"], &[]), follow(1, "b"), list_item(1, &list_uri("a", 1), "b")]);
    story.commit("b", [follow(1, "a"), mentioning(reply(2, &post_uri("a", 1), None), &["a", "c"])]);
    story.commit("a", [reply(3, &post_uri("b", 2), Some(&post_uri("a", 1))), mentioning(post(4), &["c"])]);
    story.status("a", Some("deleted"));
    assert_eq!(story.lines("record ").iter().filter(|line| line.starts_with("record a")).count(), 0);
    assert_eq!(story.told(), ["c mention b/2"]);
    assert_eq!(story.lines("count "), ["count a followers=1", "count a/1 replies=1", "count b follows=1 posts=1"]);
    assert!(story.lines("gate ").is_empty());
    let ignored = story.write("a", post(5));
    assert!(story.lines("record a").is_empty(), "what it commits is not applied");
    story.status("a", None);
    story.write("b", reply(6, &post_uri("a", 7), None));
    story.write("a", post(7));
    assert!(story.clock > ignored && story.lines("record a").len() == 1, "its new life");
    assert_eq!(story.told(), ["a reply b/6", "c mention b/2"]);
}

#[test]
fn a_broken_chain_another_root_and_messages_without_their_blocks_desynchronize() {
    let commit = |since: Option<Tid>, prev: Option<&[u8]>, rev: i64| Commit {
        repo: "did:plc:a",
        rev: Tid::from_micros(rev, 0),
        since,
        prev_data: prev.map(Cid::dag_cbor),
        data: Cid::dag_cbor(&rev.to_be_bytes()),
        time: BEGIN,
        ops: Vec::new(),
    };
    let first = Tid::from_micros(1, 0);
    let root = 1_i64.to_be_bytes();
    for (next, synced) in [
        (commit(Some(first), Some(&root), 2), true),
        (commit(Some(first), None, 2), true),
        (commit(None, Some(&root), 2), false),
        (commit(Some(first), Some(b"other"), 2), false),
        (commit(None, Some(b"other"), 1), true),
    ] {
        let mut oracle = Oracle::default();
        oracle.commit(&commit(None, Some(b"none"), 1));
        oracle.commit(&next);
        assert_eq!(!oracle.repos["did:plc:a"].desynchronized, synced, "{next:?}");
        oracle.sync("did:plc:a", Tid::from_micros(3, 0), next.data);
        assert_eq!(!oracle.repos["did:plc:a"].desynchronized, synced, "the same root");
        oracle.sync("did:plc:a", Tid::from_micros(4, 0), Cid::dag_cbor(b"another"));
        assert!(oracle.repos["did:plc:a"].desynchronized);
    }
}

#[test]
fn a_rev_ahead_of_its_time_is_buried() {
    let mut oracle = Oracle::default();
    let block = Value::map([("text", Value::text("x"))]).encode();
    let path = format!("{POST}/{}", key(1));
    let ops = vec![Op { path: &path, record: Some((Cid::dag_cbor(&block), &block)) }];
    let rev = Tid::from_micros(BEGIN + 5 * MINUTE + 1, 0);
    oracle.commit(&Commit { repo: "did:plc:a", rev, since: None, prev_data: None, data: Cid::dag_cbor(b""), time: BEGIN, ops });
    assert_eq!((oracle.records.len(), oracle.dead_letters.len(), oracle.repos["did:plc:a"].rev), (0, 1, None));
}
