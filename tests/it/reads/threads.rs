//! `app.bsky.feed.getPostThread`: a post inside those that it answers, with the replies below it.

use serde_json::json;

use super::tree::{DAVE, EVE, POST, Tree, talk};
use super::world::{ALICE, BOB, CAROL, key, uri};

#[tokio::test]
async fn a_thread_is_nested_newest_replies_first() {
    let tree = talk().await;
    assert_eq!(tree.short("", "root", "").await, "root(carol(alice-c), bob(dave(bob-d(carol-b))))");
    assert_eq!(tree.short("", "dave", "").await, "root > bob > dave(bob-d(carol-b))");
    assert_eq!(tree.short("", "carol-b", "").await, "root > bob > dave > bob-d > carol-b");
}

#[tokio::test]
async fn depth_and_parent_height_are_kept() {
    let tree = talk().await;
    assert_eq!(tree.short("", "root", "&depth=2").await, "root(carol(alice-c), bob(dave))");
    assert_eq!(tree.short("", "root", "&depth=0").await, "root");
    assert_eq!(tree.nested("", "root", "&depth=0").await["thread"]["replies"], json!(null), "not asked for");
    let leaves = tree.nested("", "root", "&depth=2").await["thread"]["replies"].clone();
    assert_eq!(leaves[1]["replies"][0].get("replies"), None, "what is below was not asked for");
    assert_eq!(tree.nested("", "carol-b", "").await["thread"]["replies"], json!([]), "there is none");
    for (height, shown) in
        [(0, "carol-b"), (1, "bob-d > carol-b"), (3, "bob > dave > bob-d > carol-b"), (9, "root > bob > dave > bob-d > carol-b")]
    {
        assert_eq!(tree.short("", "carol-b", &format!("&parentHeight={height}")).await, shown);
    }
}

#[tokio::test]
async fn an_anchor_that_is_not_there_is_refused_with_the_rev_of_who_asks() {
    let mut tree = talk().await;
    let refused = |uri: &str| (400, "NotFound".to_owned(), format!("Post not found: {uri}"));
    let missing = [
        uri(ALICE, POST, &key(99)),
        uri("did:plc:nobodyaaaaaaaaaaaaaaaaaa", POST, &key(1)),
        uri(ALICE, POST, "no-tid"),
        uri(ALICE, "app.bsky.feed.like", &key(1)),
        format!("at://{ALICE}"),
    ];
    for uri in &missing {
        let answer = tree.world.get_as(BOB, &format!("/xrpc/app.bsky.feed.getPostThread?uri={uri}")).await;
        assert_eq!(answer.error(), refused(uri));
        assert!(answer.header("atproto-repo-rev").is_some(), "{}", answer.head);
    }
    let path = format!("/xrpc/app.bsky.feed.getPostThread?uri={}", tree.uri("bob"));
    assert!(tree.world.get_as(BOB, &path).await.header("atproto-repo-rev").is_some());
    let bobs = tree.uri("bob").to_owned();
    tree.world.account(BOB, false, Some("deactivated")).await;
    assert_eq!(tree.world.get(&path).await.error(), refused(&bobs), "its author is hidden");
}

#[tokio::test]
async fn what_is_gone_is_not_found_above_and_left_out_below() {
    let mut tree = talk().await;
    tree.delete("dave").await;
    assert_eq!(tree.short("", "carol-b", "").await, "?dave > bob-d > carol-b");
    assert_eq!(tree.short("", "root", "").await, "root(carol(alice-c), bob)");
    tree.world.account(CAROL, false, Some("takendown")).await;
    assert_eq!(tree.short("", "root", "").await, "root(bob)");
    assert_eq!(tree.short("", "alice-c", "").await, "?carol > alice-c");
}

#[tokio::test]
async fn who_blocks_or_is_blocked_is_a_blocked_post() {
    let mut tree = talk().await;
    tree.block(EVE, BOB).await;
    assert_eq!(tree.short(EVE, "root", "").await, "root(carol(alice-c), !bob)");
    assert_eq!(tree.short(EVE, "dave", "").await, "!bob > dave(!bob-d)");
    assert_eq!(tree.short(EVE, "bob", "").await, "!bob", "the anchor itself");
    let blocked = tree.nested(EVE, "bob", "").await["thread"].clone();
    let by = blocked["author"]["viewer"]["blocking"].as_str().unwrap().to_owned();
    assert!(by.starts_with(&format!("at://{EVE}/app.bsky.graph.block/")), "{by}");
    let expected = json!({"$type": "app.bsky.feed.defs#blockedPost", "uri": tree.uri("bob"), "blocked": true,
        "author": {"did": BOB, "viewer": {"blockedBy": false, "blocking": by}}});
    assert_eq!(blocked, expected);
    tree.block(DAVE, ALICE).await;
    assert_eq!(tree.short(ALICE, "root", "").await, "root(carol(alice-c), bob(!dave))", "blocked by dave");
}

#[tokio::test]
async fn a_blocked_list_blocks_in_threads() {
    let mut tree = talk().await;
    let list = tree.list(CAROL, BOB).await;
    let block = vec![("subject", appviewd::atproto::cbor::Value::text(&*list))];
    tree.record(EVE, "app.bsky.graph.listblock", &key(50), block).await;
    assert_eq!(tree.short(EVE, "root", "").await, "root(carol(alice-c), !bob)");
    assert_eq!(tree.list_of(EVE, "root", "").await.0, ["0 root", "1 carol", "2 alice-c"]);
}

#[tokio::test]
async fn two_others_who_block_each_other_are_kept_apart() {
    let mut tree = talk().await;
    // BOB answered DAVE, who answered BOB.
    tree.block(DAVE, BOB).await;
    assert_eq!(tree.short(EVE, "root", "").await, "root(carol(alice-c), bob)", "dave's reply is dropped, with what is below");
    assert_eq!(tree.short(EVE, "dave", "").await, "!bob > dave", "above it is a blocked post");
    assert_eq!(tree.short("", "carol-b", "").await, "!dave > bob-d > carol-b");
    assert_eq!(tree.short("", "bob", "").await, "root > bob");
}

/// As a list it is not found.
#[tokio::test]
async fn a_parent_that_is_gone_is_a_blocked_post_where_its_author_and_that_of_the_reply_block_each_other() {
    let mut tree = talk().await;
    tree.delete("bob").await;
    assert_eq!(tree.short("", "dave", "").await, "?bob > dave(bob-d(carol-b))");
    tree.block(DAVE, BOB).await;
    assert_eq!(tree.short("", "dave", "").await, "!bob > dave");
    let parent = tree.nested("", "dave", "").await["thread"]["parent"].clone();
    let expected = json!({"$type": "app.bsky.feed.defs#blockedPost", "uri": tree.uri("bob"), "blocked": true, "author": {"did": BOB}});
    assert_eq!(parent, expected);
    assert_eq!(tree.list_of("", "dave", "").await.0, ["-1 ?bob", "0 dave"]);
}

#[tokio::test]
async fn replies_that_name_another_root_are_outside_of_the_thread() {
    let mut tree = talk().await;
    tree.first(CAROL, "other").await;
    tree.reply_in(DAVE, "stray", "bob", "other").await;
    tree.reply(DAVE, "below", "stray").await;
    assert_eq!(tree.short("", "bob", "").await, "root > bob(dave(bob-d(carol-b)))");
    assert_eq!(tree.short("", "stray", "").await, "stray(below)", "no parent of another thread");
    assert_eq!(tree.short("", "other", "").await, "other");
}

#[tokio::test]
async fn replies_that_violate_the_gate_are_dropped_and_stand_alone() {
    let mut tree = Tree::start().await;
    tree.first(ALICE, "root").await;
    tree.reply(BOB, "before", "root").await;
    tree.gate("root", vec![("allow", appviewd::atproto::cbor::Value::Array(vec![]))]).await;
    tree.reply(BOB, "after", "root").await;
    tree.reply(ALICE, "own", "after").await;
    tree.reply(CAROL, "again", "own").await;
    assert_eq!(tree.short("", "root", "").await, "root(before)");
    assert_eq!(tree.short("", "after", "").await, "after", "neither what it answers nor its replies");
    assert_eq!(tree.short("", "own", "").await, "root > after > own");
    assert_eq!(tree.list_of("", "after", "").await, (vec!["0 after".to_owned()], false));
    assert_eq!(tree.others("", "after").await, [""; 0]);
}

#[tokio::test]
async fn a_muted_account_and_a_hidden_reply_stay_where_the_client_decides() {
    let mut tree = talk().await;
    tree.mute(EVE, BOB).await;
    tree.hide("root", &["carol"]).await;
    assert_eq!(tree.short(EVE, "root", "").await, "root(carol(alice-c), bob(dave(bob-d(carol-b))))");
    let thread = tree.nested(EVE, "root", "").await;
    assert_eq!(thread["thread"]["replies"][1]["post"]["author"]["viewer"]["muted"], json!(true));
    assert_eq!(thread["threadgate"]["record"]["hiddenReplies"], json!([tree.uri("carol")]));
}

#[tokio::test]
async fn a_like_of_the_thread_s_author_is_told() {
    let mut tree = talk().await;
    let like = tree.like(ALICE, "dave").await;
    tree.like(BOB, "carol").await;
    let thread = tree.nested("", "root", "").await["thread"].clone();
    assert_eq!(thread["replies"][1]["replies"][0]["threadContext"], json!({"rootAuthorLike": like}));
    assert_eq!((&thread["replies"][0]["threadContext"], &thread["threadContext"]), (&json!({}), &json!({})));
    let from_below = tree.nested("", "carol-b", "").await["thread"].clone();
    assert_eq!(from_below["parent"]["parent"]["threadContext"]["rootAuthorLike"], json!(like));
}

#[tokio::test]
async fn a_chain_of_a_thousand_posts_is_written_without_a_deep_stack() {
    let mut tree = Tree::start().await;
    tree.first(ALICE, "root").await;
    tree.reply(BOB, "first", "root").await;
    let last = tree.chain("first", 1000).await;
    for (anchor, more) in [(tree.uri("root"), "&depth=1000"), (&*last, "&parentHeight=1000")] {
        // Coded answers are not parsed by the test: that would take a deep stack.
        let path = format!("/xrpc/app.bsky.feed.getPostThread?uri={anchor}{more}");
        let answer = tree.world.ask("GET", &path, "accept-encoding: gzip\r\n").await;
        let mut body = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&answer.body[..]), &mut body).unwrap();
        assert_eq!((answer.status, body.matches("#threadViewPost\"").count()), (200, 1001), "{anchor}");
        assert_eq!(body.matches('{').count(), body.matches('}').count());
    }
    let output = tree.ask("", &format!("app.bsky.unspecced.getPostThreadV2?anchor={last}")).await;
    let above = output["thread"].as_array().unwrap();
    assert_eq!((above.len(), &above[0]["depth"], &above[0]["value"]["moreParents"]), (51, &json!(-50), &json!(true)), "fifty above");
}

/// The most that is read of a thread, whatever it holds.
#[tokio::test]
async fn a_thread_of_any_size_is_read_within_bounds() {
    let mut tree = Tree::start().await;
    tree.first(ALICE, "root").await;
    tree.reply(BOB, "first", "root").await;
    tree.reply(CAROL, "second", "first").await;
    tree.crowd("first", 3000).await;
    tree.crowd("second", 300).await;
    let count =
        |output: &serde_json::Value, depth: i64| output["thread"].as_array().unwrap().iter().filter(|item| item["depth"] == depth).count();
    for sort in ["oldest", "newest", "top"] {
        let output = tree.flat("", "root", &format!("&sort={sort}&branchingFactor=100")).await;
        assert_eq!((count(&output, 1), count(&output, 2)), (1000, if sort == "newest" { 0 } else { 100 }), "{sort}");
    }
    assert_eq!(tree.nested("", "root", "").await["thread"]["replies"].as_array().unwrap().len(), 1000);
}
