//! Edges, and what is kept without being one.

use super::*;
use crate::sandbox::oracle::record::{BLOCK, LIKE, LISTBLOCK, REPOST, VERIFICATION};

#[test]
fn of_edges_that_say_the_same_the_first_to_come_counts_and_then_the_smallest_key() {
    let mut story = Story::new();
    let like = |n| record(LIKE, n, [("subject", strong_ref(&post_uri("b", 1)))]);
    for n in [5, 3, 4] {
        story.write("a", like(n));
    }
    assert_eq!(
        story.lines("edge "),
        [
            "edge a/app.bsky.feed.like/3 -> b/1 duplicate",
            "edge a/app.bsky.feed.like/4 -> b/1 duplicate",
            "edge a/app.bsky.feed.like/5 -> b/1 counted"
        ]
    );
    story.write("a", delete(LIKE, 5));
    assert_eq!(story.lines("edge "), ["edge a/app.bsky.feed.like/3 -> b/1 counted", "edge a/app.bsky.feed.like/4 -> b/1 duplicate"]);
    story.write("a", record(LIKE, 3, [("subject", strong_ref(&post_uri("b", 2)))]));
    assert_eq!(story.lines("edge "), ["edge a/app.bsky.feed.like/3 -> b/2 counted", "edge a/app.bsky.feed.like/4 -> b/1 counted"]);
    assert_eq!(story.lines("count "), ["count b/1 likes=1", "count b/2 likes=1"]);
}

#[test]
fn all_seven_kinds_are_edges() {
    let mut story = Story::new();
    let text = |value: &str| Value::text(value);
    story.commit(
        "a",
        [
            record(LIKE, 1, [("subject", strong_ref(&post_uri("b", 1)))]),
            record(REPOST, 1, [("subject", strong_ref(&post_uri("b", 1)))]),
            follow(1, "b"),
            record(BLOCK, 1, [("subject", text(&did("b")))]),
            record(LISTBLOCK, 1, [("subject", text(&list_uri("b", 1)))]),
            list_item(1, &list_uri("a", 1), "b"),
            record(VERIFICATION, 1, [("subject", text(&did("b")))]),
        ],
    );
    let edges = [
        "edge a/app.bsky.feed.like/1 -> b/1 counted",
        "edge a/app.bsky.feed.repost/1 -> b/1 counted",
        "edge a/app.bsky.graph.block/1 -> b counted",
        "edge a/app.bsky.graph.follow/1 -> b counted",
        "edge a/app.bsky.graph.listblock/1 -> b/app.bsky.graph.list/1 counted",
        "edge a/app.bsky.graph.listitem/1 -> b on a/app.bsky.graph.list/1 counted",
        "edge a/app.bsky.graph.verification/1 -> b counted",
    ];
    assert_eq!(story.lines("edge "), edges);
    assert_eq!(story.lines("count "), ["count a follows=1", "count b followers=1", "count b/1 likes=1 reposts=1"]);
}

#[test]
fn what_cannot_be_followed_is_kept_and_derives_nothing() {
    let mut story = Story::new();
    story.commit(
        "a",
        [
            record(LIKE, 1, [("subject", strong_ref("at://a.example/app.bsky.feed.post/1"))]),
            record(LIKE, 2, [("subject", strong_ref(&uri("b", FOLLOW, 1)))]),
            record(FOLLOW, 1, [("subject", Value::text("nobody"))]),
            list_item(1, &list_uri("b", 1), "c"),
            gate("b", 2, &[], &[]),
            gate("a", 3, &[], &[]),
            ("com.example.note/1".to_owned(), Some(Value::map([]))),
        ],
    );
    assert_eq!(story.lines("record ").len(), 6, "all but the record of an unknown collection");
    assert_eq!(story.lines("edge ").len(), 0);
    assert_eq!(story.lines("gate "), ["gate a/3 replies rules=some lists= hidden="]);
}

#[test]
fn a_record_that_its_lexicon_does_not_allow_is_a_dead_letter_until_the_next_op_on_its_path() {
    let mut story = Story::new();
    story.write("a", post(1));
    let (_, Some(bad)) = quote(1, &post_uri("b", 1)) else { panic!() };
    story.oracle.forbid(&[Cid::dag_cbor(&bad.encode())].into());
    story.write("a", quote(1, &post_uri("b", 1)));
    assert_eq!((story.lines("letter "), story.lines("record ").len()), (vec!["letter a/1".to_owned()], 0));
    story.write("a", delete(POST, 1));
    assert!(story.lines("letter ").is_empty());
}

#[test]
fn verifications_and_starter_packs_tell_whom_they_are_of() {
    let mut story = Story::new();
    let verify = |who: &str| record(VERIFICATION, 1, [("subject", Value::text(did(who)))]);
    let first = story.write("a", verify("b"));
    let (second, third) = (story.write("a", verify("c")), story.write("a", delete(VERIFICATION, 1)));
    let line = |who: &str, what: &str, at: i64| format!("notif {who} {what} a/app.bsky.graph.verification/1 about=- at={at}");
    let expected =
        [line("b", "unverified", second), line("b", "verified", first), line("c", "unverified", third), line("c", "verified", second)];
    assert_eq!(story.lines("notif "), expected);

    let mut story = Story::new();
    let profile = |pack: &str| ("app.bsky.actor.profile/self".to_owned(), Some(Value::map([("joinedViaStarterPack", strong_ref(pack))])));
    let pack = uri("b", "app.bsky.graph.starterpack", 1);
    let first = story.write("a", profile(&pack));
    story.write("a", profile(&pack));
    let told = format!("notif b starterpack-joined a/app.bsky.actor.profile/self about=b/app.bsky.graph.starterpack/1 at={first}");
    assert_eq!(story.lines("notif "), std::slice::from_ref(&told));
    assert_eq!(story.lines("join "), [format!("join a b/app.bsky.graph.starterpack/1 at={first}")]);
    story.write("a", ("app.bsky.actor.profile/self".to_owned(), None));
    assert_eq!((story.lines("notif "), story.lines("join ").len()), (vec![told], 0), "the notification stays, the join goes");
    story.write("a", profile(&uri("a", "app.bsky.graph.starterpack", 1)));
    assert_eq!(story.lines("notif ").len(), 1, "nobody is told of what they did themselves");
}
