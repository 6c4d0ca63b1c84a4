//! `app.bsky.unspecced.getPostThreadV2` and `getPostThreadOtherV2`: a thread as one list.

use appviewd::atproto::cbor::Value;
use serde_json::json;

use super::tree::{DAVE, EVE, POST, Tree, talk};
use super::world::{ALICE, BOB, CAROL, key, uri};

#[tokio::test]
async fn a_thread_is_one_list_with_each_reply_behind_what_it_answers() {
    let tree = talk().await;
    let all = ["0 root", "1 bob", "2 dave", "3 bob-d", "4 carol-b", "1 carol", "2 alice-c"];
    assert_eq!(tree.list_of("", "root", "").await, (all.map(str::to_owned).to_vec(), false), "the oldest first");
    assert_eq!(tree.list_of("", "dave", "").await.0, ["-2 root", "-1 bob", "0 dave", "1 bob-d", "2 carol-b"]);
    assert_eq!(tree.list_of("", "dave", "&above=false").await.0, ["0 dave", "1 bob-d", "2 carol-b"]);
    assert_eq!(tree.list_of("", "root", "&below=1").await.0, ["0 root", "1 bob", "1 carol"]);
    assert_eq!(tree.list_of("", "dave", "&below=0").await.0, ["-2 root", "-1 bob", "0 dave"]);
}

#[tokio::test]
async fn an_anchor_that_is_not_there_is_an_item() {
    let mut tree = talk().await;
    let missing = uri(ALICE, POST, &key(99));
    let output = tree.world.query("app.bsky.unspecced.getPostThreadV2", &[("anchor", &missing)]).await;
    let item = json!({"uri": missing, "depth": 0, "value": {"$type": "app.bsky.unspecced.defs#threadItemNotFound"}});
    assert_eq!(output, json!({"thread": [item], "hasOtherReplies": false}));
    let others = tree.world.query("app.bsky.unspecced.getPostThreadOtherV2", &[("anchor", &missing)]).await;
    assert_eq!(others, json!({"thread": []}));
    tree.world.account(BOB, false, Some("deactivated")).await;
    assert_eq!(tree.list_of("", "bob", "").await, (vec!["0 ?bob".to_owned()], false), "it is hidden");
    assert_eq!(tree.list_of("", "dave", "").await.0, ["-1 ?bob", "0 dave"], "and below it what the hidden one said is left out");
}

/// Three replies: carol's has a like, bob's two.
async fn three() -> Tree {
    let mut tree = Tree::start().await;
    tree.first(ALICE, "root").await;
    for (did, name) in [(CAROL, "carol"), (BOB, "bob"), (DAVE, "dave")] {
        tree.reply(did, name, "root").await;
    }
    for (did, name) in [(DAVE, "carol"), (DAVE, "bob"), (CAROL, "bob")] {
        tree.like(did, name).await;
    }
    tree
}

#[tokio::test]
async fn replies_are_sorted_as_asked_for() {
    let mut tree = three().await;
    assert_eq!(tree.list_of("", "root", "").await.0[1..], ["1 carol", "1 bob", "1 dave"]);
    assert_eq!(tree.list_of("", "root", "&sort=oldest").await.0[1..], ["1 carol", "1 bob", "1 dave"]);
    assert_eq!(tree.list_of("", "root", "&sort=newest").await.0[1..], ["1 dave", "1 bob", "1 carol"]);
    assert_eq!(tree.list_of("", "root", "&sort=top").await.0[1..], ["1 bob", "1 carol", "1 dave"]);
    assert_eq!(tree.list_of("", "root", "&sort=something").await.0[1..], ["1 dave", "1 bob", "1 carol"]);
    tree.like(ALICE, "carol").await;
    tree.like(BOB, "bob").await;
    assert_eq!(tree.list_of("", "root", "&sort=top").await.0[1..], ["1 carol", "1 bob", "1 dave"], "two likes, but one is the author's");
}

#[tokio::test]
async fn whose_replies_they_are_comes_before_how_they_are_sorted() {
    let mut tree = three().await;
    tree.reply(ALICE, "alice", "root").await;
    tree.reply(ALICE, "alice 2", "root").await;
    tree.reply(EVE, "eve", "root").await;
    tree.follow(EVE, DAVE).await;
    // The author's thread, her other replies, the reader's, those whom the reader follows, the others.
    for (sort, all) in [
        ("newest", ["1 alice", "1 alice 2", "1 eve", "1 dave", "1 bob", "1 carol"]),
        ("oldest", ["1 alice", "1 alice 2", "1 eve", "1 dave", "1 carol", "1 bob"]),
        ("top", ["1 alice", "1 alice 2", "1 eve", "1 dave", "1 bob", "1 carol"]),
    ] {
        assert_eq!(tree.list_of(EVE, "root", &format!("&sort={sort}")).await.0[1..], all, "{sort}");
    }
    assert_eq!(tree.list_of("", "root", "").await.0[1..], ["1 alice", "1 alice 2", "1 carol", "1 bob", "1 dave", "1 eve"]);
}

/// `root` has two replies with three each, and the last of them one.
async fn branches() -> Tree {
    let mut tree = Tree::start().await;
    tree.first(ALICE, "root").await;
    for did in [BOB, CAROL] {
        let name = if did == BOB { "b" } else { "c" };
        tree.reply(did, name, "root").await;
        for n in 1..=3 {
            tree.reply(DAVE, &format!("{name}{n}"), name).await;
        }
        tree.reply(EVE, &format!("{name}3e"), &format!("{name}3")).await;
    }
    tree
}

fn more(output: &serde_json::Value) -> Vec<i64> {
    output["thread"].as_array().unwrap().iter().map(|item| item["value"]["moreReplies"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn the_branching_factor_cuts_all_but_the_anchor_s_replies_and_the_rest_is_counted() {
    let tree = branches().await;
    let cut = tree.flat("", "root", "&branchingFactor=1&sort=newest").await;
    assert_eq!(tree.items(&cut), ["0 root", "1 c", "2 c3", "3 c3e", "1 b", "2 b3", "3 b3e"]);
    assert_eq!(more(&cut), [0, 2, 0, 0, 2, 0, 0]);
    let none = tree.flat("", "root", "&branchingFactor=0").await;
    assert_eq!((tree.items(&none), more(&none)), (["0 root", "1 b", "1 c"].map(str::to_owned).to_vec(), vec![0, 3, 3]));
    let levels = tree.flat("", "root", "&below=2").await;
    assert_eq!(tree.items(&levels), ["0 root", "1 b", "2 b1", "2 b2", "2 b3", "1 c", "2 c1", "2 c2", "2 c3"]);
    assert_eq!(more(&levels), [0, 0, 0, 0, 1, 0, 0, 0, 1], "what is below the last level is counted");
    assert_eq!(more(&tree.flat("", "root", "&below=0").await), [0], "the anchor's replies are not cut");
}

#[tokio::test]
async fn replies_that_are_not_shown_are_not_more_replies() {
    let tree = branches().await;
    tree.mute(EVE, DAVE).await;
    let shown = tree.flat(EVE, "root", "&branchingFactor=1").await;
    assert_eq!((tree.items(&shown), more(&shown)), (["0 root", "1 b", "1 c"].map(str::to_owned).to_vec(), vec![0, 0, 0]));
}

fn own(output: &serde_json::Value) -> Vec<(String, i64, i64)> {
    let items = output["thread"].as_array().unwrap().iter().map(|item| &item["value"]).filter(|value| value["opThread"] == true);
    let number = |value: &serde_json::Value| value.as_i64().unwrap_or_default();
    let name = |value: &serde_json::Value| value["post"]["record"]["text"].as_str().unwrap().to_owned();
    items.map(|value| (name(value), number(&value["opThreadPostIndex"]), number(&value["opThreadPostCount"]))).collect()
}

#[tokio::test]
async fn the_author_s_own_thread_is_numbered_and_stands_first() {
    let mut tree = Tree::start().await;
    tree.first(ALICE, "1").await;
    tree.reply(BOB, "bob", "1").await;
    tree.reply(ALICE, "2", "1").await;
    tree.reply(ALICE, "fork", "1").await;
    tree.reply(CAROL, "carol", "2").await;
    tree.reply(ALICE, "3", "2").await;
    tree.reply(ALICE, "answer", "bob").await;
    tree.reply(ALICE, "4", "3").await;
    let numbered = |names: &[(&str, i64)]| names.iter().map(|(name, n)| ((*name).to_owned(), *n, 4)).collect::<Vec<_>>();
    for sort in ["oldest", "newest", "top"] {
        let output = tree.flat("", "1", &format!("&sort={sort}")).await;
        let items = ["0 1", "1 2", "2 3", "3 4", "2 carol", "1 fork", "1 bob", "2 answer"];
        assert_eq!(
            (tree.items(&output), own(&output)),
            (items.map(str::to_owned).to_vec(), numbered(&[("1", 1), ("2", 2), ("3", 3), ("4", 4)]))
        );
    }
    assert_eq!(own(&tree.flat("", "1", "&below=1").await), numbered(&[("1", 1), ("2", 2)]), "all of it is counted");
    assert_eq!(own(&tree.flat("", "4", "&above=false").await), numbered(&[("4", 4)]));
    assert_eq!(own(&tree.flat("", "answer", "").await), numbered(&[("1", 1)]), "an answer to somebody else is not of it");
    tree.first(BOB, "alone").await;
    assert_eq!(own(&tree.flat("", "alone", "").await), [("alone".to_owned(), 0, 0)], "one post has no number");
}

#[tokio::test]
async fn more_parents_are_told_where_the_thread_is_not_whole() {
    let tree = talk().await;
    let above = |output: &serde_json::Value| output["thread"][0]["value"]["moreParents"].clone();
    assert_eq!(above(&tree.flat("", "dave", "").await), json!(false), "up to the first post");
    assert_eq!(above(&tree.flat("", "dave", "&above=false").await), json!(false), "none was asked for");
}

#[tokio::test]
async fn who_is_blocked_is_an_item_above_and_nothing_below() {
    let mut tree = talk().await;
    tree.block(BOB, EVE).await;
    assert_eq!(tree.list_of(EVE, "root", "").await, (["0 root", "1 carol", "2 alice-c"].map(str::to_owned).to_vec(), false));
    assert_eq!(tree.list_of(EVE, "dave", "").await.0, ["-1 !bob", "0 dave"]);
    let output = tree.flat(EVE, "bob", "").await;
    let author = json!({"did": BOB, "viewer": {"blockedBy": true}});
    let item = json!({"$type": "app.bsky.unspecced.defs#threadItemBlocked", "author": author});
    assert_eq!(output["thread"], json!([{"uri": tree.uri("bob"), "depth": 0, "value": item}]));
    assert_eq!(tree.others(EVE, "bob").await, [""; 0]);
}

#[tokio::test]
async fn two_others_who_block_each_other_are_kept_apart_in_lists() {
    let mut tree = talk().await;
    tree.block(DAVE, BOB).await;
    assert_eq!(tree.list_of("", "root", "").await.0, ["0 root", "1 bob", "1 carol", "2 alice-c"]);
    assert_eq!(tree.list_of("", "dave", "").await.0, ["-1 !bob", "0 dave"]);
}

#[tokio::test]
async fn muted_hidden_and_wordless_replies_are_other_replies() {
    let mut tree = three().await;
    tree.reply(EVE, "eve", "root").await;
    tree.reply(CAROL, " \u{1F4CC} ", "root").await;
    tree.reply(CAROL, "under", "bob").await;
    let visible = ["0 root", "1 carol", "1 bob", "2 under", "1 dave", "1 eve"];
    assert_eq!(tree.list_of("", "root", "").await, (visible.map(str::to_owned).to_vec(), true), "a pin alone");
    tree.hide("root", &["dave", "bob", "under"]).await;
    tree.mute(EVE, BOB).await;
    let shown = tree.list_of(EVE, "root", "").await;
    assert_eq!(shown, (["0 root", "1 eve", "1 carol"].map(str::to_owned).to_vec(), true));
    // First what only its author marks, then what is hidden for all, then who is muted.
    let others = tree.ask(EVE, &format!("app.bsky.unspecced.getPostThreadOtherV2?anchor={}", tree.uri("root"))).await;
    assert_eq!(tree.items(&others), ["1  \u{1F4CC} ", "1 dave", "1 bob"]);
    let marks =
        |n: usize| (others["thread"][n]["value"]["hiddenByThreadgate"] == true, others["thread"][n]["value"]["mutedByViewer"] == true);
    assert_eq!([marks(0), marks(1), marks(2)], [(false, false), (true, false), (true, true)]);
    assert_eq!(tree.list_of(DAVE, "root", "").await.0, ["0 root", "1 dave", "1 carol", "1 eve"], "who is hidden sees it");
    assert_eq!(tree.list_of(ALICE, "root", "").await.0, ["0 root", "1 carol", "1 eve"], "who hides does not");
    assert_eq!(tree.others(ALICE, "root").await, ["1  \u{1F4CC} ", "1 dave", "1 bob"]);
}

#[tokio::test]
async fn who_wants_only_readers_who_are_signed_in_is_not_shown_to_others() {
    let mut tree = talk().await;
    let label = Value::map([("val", Value::text("!no-unauthenticated"))]);
    let labels = Value::map([("$type", Value::text("com.atproto.label.defs#selfLabels")), ("values", Value::Array(vec![label]))]);
    tree.record(BOB, "app.bsky.actor.profile", "self", vec![("labels", labels)]).await;
    assert_eq!(tree.list_of("", "root", "").await, (["0 root", "1 carol", "2 alice-c"].map(str::to_owned).to_vec(), false));
    assert_eq!(tree.list_of("", "dave", "").await.0, ["-2 root", "-1 -bob", "0 dave"], "the chain goes on above");
    assert_eq!(tree.list_of("", "bob", "").await.0, ["-1 root", "0 -bob"], "the anchor stands without replies");
    assert_eq!(tree.list_of(EVE, "bob", "").await.0, ["-1 root", "0 bob", "1 dave", "2 bob-d", "3 carol-b"], "who is signed in sees it");
    assert_eq!(tree.short("", "bob", "").await, "root > bob(dave(bob-d(carol-b)))", "the older method shows it");
}

#[tokio::test]
async fn replies_that_name_another_root_are_outside_of_the_list() {
    let mut tree = talk().await;
    tree.first(CAROL, "other").await;
    tree.reply_in(DAVE, "stray", "bob", "other").await;
    tree.reply(DAVE, "below", "stray").await;
    assert_eq!(tree.list_of("", "bob", "").await.0, ["-1 root", "0 bob", "1 dave", "2 bob-d", "3 carol-b"]);
    assert_eq!(tree.list_of("", "below", "").await.0, ["-1 stray", "0 below"]);
}
