//! Gates of threads and posts as they are shown: `threadgate`, `viewer.replyDisabled`, `viewer.embeddingDisabled`.

use appviewd::atproto::cbor::Value;
use serde_json::{Value as Json, json};

use super::tree::{DAVE, EVE, THREADGATE, Tree, talk};
use super::world::{ALICE, BOB, key, uri};

/// Can sign in, as CAROL cannot.
const FRANK: &str = "did:plc:frankaaaaaaaaaaaaaaaaaaa";

fn rule(name: &str) -> Value {
    Value::map([("$type", Value::text(format!("app.bsky.feed.threadgate#{name}")))])
}

fn allow(rules: Vec<Value>) -> Vec<(&'static str, Value)> {
    vec![("allow", Value::Array(rules))]
}

/// `viewer.replyDisabled` of a post for each of these readers.
async fn disabled(tree: &Tree, post: &str, readers: &[&str]) -> Vec<Json> {
    let mut all = Vec::new();
    for reader in readers {
        let posts = tree.ask(reader, &format!("app.bsky.feed.getPosts?uris={}", tree.uri(post))).await;
        all.push(posts["posts"][0]["viewer"]["replyDisabled"].clone());
    }
    all
}

#[tokio::test]
async fn a_thread_s_gate_is_shown_with_its_lists_on_top_and_on_its_first_post() {
    let mut tree = talk().await;
    let list = tree.list(ALICE, DAVE).await;
    let mut by_list = vec![("$type", Value::text("app.bsky.feed.threadgate#listRule"))];
    by_list.push(("list", Value::text(&*list)));
    tree.gate("root", allow(vec![Value::map(by_list)])).await;
    let anchor = tree.nested("", "carol-b", "&parentHeight=1").await;
    let gate = anchor["threadgate"].clone();
    let own = uri(ALICE, THREADGATE, &key(1));
    assert_eq!((&gate["uri"], &gate["record"]["post"]), (&json!(own), &json!(tree.uri("root"))), "{gate}");
    assert_eq!((&gate["lists"][0]["uri"], &gate["lists"][0]["name"]), (&json!(list), &json!("Those")));
    assert!(gate["cid"].as_str().unwrap().starts_with("bafy"), "{gate}");
    assert_eq!(anchor["thread"]["post"].get("threadgate"), None, "a reply has none of its own");
    let flat = tree.flat("", "carol-b", "").await;
    assert_eq!((&flat["threadgate"], &flat["thread"][0]["value"]["post"]["threadgate"]), (&gate, &gate));
    assert_eq!(tree.nested("", "root", "").await["thread"]["post"]["threadgate"], gate);
    tree.world.delete(ALICE, THREADGATE, &key(1)).await;
    assert_eq!(tree.nested("", "root", "").await.get("threadgate"), None);
}

#[tokio::test]
async fn without_a_gate_or_a_reader_replies_are_neither_disabled_nor_not() {
    let mut tree = talk().await;
    assert_eq!(disabled(&tree, "root", &["", EVE]).await, [json!(null), json!(null)]);
    tree.gate("root", allow(vec![])).await;
    assert_eq!(disabled(&tree, "root", &["", EVE, ALICE]).await, [json!(null), json!(true), json!(false)]);
    assert_eq!(disabled(&tree, "carol-b", &["", EVE, ALICE]).await, [json!(null), json!(true), json!(false)], "the root's gate counts");
}

#[tokio::test]
async fn a_gate_without_rules_lets_everybody_reply() {
    let mut tree = talk().await;
    tree.hide("root", &["carol"]).await;
    assert_eq!(disabled(&tree, "root", &[EVE, ALICE]).await, [json!(false), json!(false)]);
}

#[tokio::test]
async fn reply_disabled_follows_each_rule_as_things_are_now() {
    let mut tree = Tree::start().await;
    let mention = Value::map([("$type", Value::text("app.bsky.richtext.facet#mention")), ("did", Value::text(FRANK))]);
    let span = Value::map([("byteStart", Value::Int(0)), ("byteEnd", Value::Int(1))]);
    let facet = Value::map([("index", span), ("features", Value::Array(vec![mention]))]);
    tree.put(ALICE, "root", "root", vec![("facets", Value::Array(vec![facet]))]).await;
    for did in [BOB, FRANK, DAVE, EVE] {
        tree.reply(did, did, "root").await;
    }
    let list = tree.list(ALICE, EVE).await;
    let others = tree.list(BOB, DAVE).await;
    let by_list = |list: &str| Value::map([("$type", Value::text("app.bsky.feed.threadgate#listRule")), ("list", Value::text(list))]);
    let readers = [BOB, FRANK, DAVE, EVE, ALICE];
    let but = |allowed: &str| readers.map(|reader| json!(reader != allowed && reader != ALICE));
    tree.gate("root", allow(vec![rule("mentionRule")])).await;
    assert_eq!(disabled(&tree, "root", &readers).await, but(FRANK), "whom the post mentions");
    tree.gate("root", allow(vec![rule("followerRule")])).await;
    assert_eq!(disabled(&tree, "root", &readers).await, but(""), "nobody follows yet");
    tree.follow(BOB, ALICE).await;
    assert_eq!(disabled(&tree, "root", &readers).await, but(BOB), "who follows");
    tree.gate("root", allow(vec![rule("followingRule")])).await;
    tree.follow(ALICE, DAVE).await;
    assert_eq!(disabled(&tree, "root", &readers).await, but(DAVE), "who is followed");
    tree.gate("root", allow(vec![by_list(&list)])).await;
    assert_eq!(disabled(&tree, "root", &readers).await, but(EVE), "who is on the list");
    tree.gate("root", allow(vec![by_list(&others)])).await;
    assert_eq!(disabled(&tree, "root", &readers).await, but(""), "lists of others do not count");
}

#[tokio::test]
async fn a_reply_that_violates_the_gate_cannot_be_answered() {
    let mut tree = talk().await;
    tree.gate("root", allow(vec![])).await;
    tree.reply(BOB, "after", "root").await;
    assert_eq!(disabled(&tree, "after", &[EVE, ALICE]).await, [json!(true), json!(true)]);
}

#[tokio::test]
async fn a_postgate_disables_quotes_for_all_but_the_author() {
    let mut tree = talk().await;
    let root = tree.uri("root").to_owned();
    let rules = Value::Array(vec![Value::map([("$type", Value::text("app.bsky.feed.postgate#disableRule"))])]);
    tree.record(ALICE, "app.bsky.feed.postgate", &key(1), vec![("post", Value::text(&*root)), ("embeddingRules", rules)]).await;
    let thread = tree.nested(EVE, "root", "").await["thread"].clone();
    assert_eq!(thread["post"]["viewer"]["embeddingDisabled"], json!(true));
    assert_eq!(thread["replies"][0]["post"]["viewer"]["embeddingDisabled"], json!(false));
    assert_eq!(tree.nested(ALICE, "root", "").await["thread"]["post"]["viewer"]["embeddingDisabled"], json!(false));
    assert_eq!(tree.nested("", "root", "").await["thread"]["post"]["viewer"], json!(null));
}
