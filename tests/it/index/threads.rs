//! Threads: whom a reply tells, in any order of arrival.

use std::collections::HashMap;

use appviewd::config;
use appviewd::index::Index;
use appviewd::queue::Event;

use super::kit::*;

/// A chain of replies, `names[0]` at its root; the event of each post, whose key is its height from there.
fn chain(names: &[&str]) -> Vec<Event> {
    let mut repos: HashMap<&str, Repo> = names.iter().map(|name| (*name, Repo::new(name))).collect();
    let uris: Vec<String> = (0..).zip(names).map(|(n, name)| repos[name].uri(POST, &key(n))).collect();
    let record = |n: usize, at: i64| if n == 0 { post("root", at) } else { reply_in(&uris[0], &uris[n - 1], at) };
    let op = |n: usize| create(POST, i64::try_from(n).unwrap(), &record(n, i64::try_from(n).unwrap()));
    names.iter().enumerate().map(|(n, name)| repos.get_mut(name).unwrap().commit([op(n)])).collect()
}

const SEVEN: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

/// Each post of a chain tells the four above it.
fn told() -> Vec<String> {
    let pairs = (1..SEVEN.len()).flat_map(|n| (n.saturating_sub(4)..n).map(move |above| (n, above)));
    let mut lines: Vec<_> = pairs.map(|(n, above)| format!("{} reply {}/{n} about {above}", SEVEN[above], SEVEN[n])).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_reply_tells_the_authors_of_the_four_posts_above_it() {
    let mut desk = Desk::open().await;
    for event in chain(&SEVEN) {
        desk.apply([event]).await;
    }
    assert_eq!(desk.notifs().await, told());
    assert_eq!(desk.waits().await, [""; 0]);
    assert_eq!(desk.notifs_of("a").await.len(), 4, "the fifth and sixth reply tell the root nothing");
}

#[tokio::test]
async fn a_chain_in_any_order_and_split_comes_to_the_same() {
    let (mut desk, events) = (Desk::open().await, chain(&SEVEN));
    let orders: [[usize; 7]; 5] =
        [[6, 5, 4, 3, 2, 1, 0], [0, 6, 5, 4, 3, 2, 1], [6, 0, 3, 5, 1, 4, 2], [1, 3, 5, 0, 2, 4, 6], [5, 4, 6, 2, 3, 0, 1]];
    for order in orders {
        for size in [1, 2, 7] {
            desk.forget().await;
            for batch in order.chunks(size) {
                desk.apply(batch.iter().map(|n| events[*n].clone())).await;
            }
            assert_eq!(desk.notifs().await, told(), "{order:?} by {size}");
            assert_eq!(desk.waits().await, [""; 0], "{order:?} by {size}");
        }
    }
}

#[tokio::test]
async fn a_waiting_reply_tells_who_is_known_and_moves_on_to_the_next_missing_post() {
    let mut desk = Desk::open().await;
    let events = chain(&SEVEN[..6]);
    desk.apply([events[5].clone()]).await;
    assert_eq!((desk.waits().await, desk.notifs().await), (vec!["f/5 waits for e/4".to_owned()], vec![]));
    desk.apply([events[2].clone()]).await;
    assert_eq!(desk.waits().await, ["c/2 waits for b/1", "f/5 waits for e/4"]);
    // What is known lives in the database: another process goes on.
    desk.index = Index::new(config::index::Index::default());
    desk.apply([events[4].clone()]).await;
    assert_eq!(desk.waits().await, ["c/2 waits for b/1", "e/4 waits for d/3", "f/5 waits for d/3"]);
    assert_eq!(desk.notifs().await, ["e reply f/5 about 4"]);
    desk.apply([events[3].clone()]).await;
    assert_eq!(desk.waits().await, ["c/2 waits for b/1", "d/3 waits for b/1", "e/4 waits for b/1", "f/5 waits for b/1"]);
    let applied = desk.apply([events[1].clone()]).await;
    assert_eq!(applied.woken, 4);
    let waits = ["b/1 waits for a/0", "c/2 waits for a/0", "d/3 waits for a/0", "e/4 waits for a/0", "f/5 waits for a/0"];
    assert_eq!(desk.waits().await, waits, "the fifth reply tells the root nothing, but its gate is judged by it");
    desk.apply([events[0].clone()]).await;
    assert_eq!(desk.waits().await, [""; 0]);
    assert_eq!(desk.notifs_of("a").await.len(), 4);
}

#[tokio::test]
async fn nobody_is_told_of_their_own_and_everyone_once_a_post() {
    let mut desk = Desk::open().await;
    desk.apply(chain(&["a", "b", "c", "b"])).await;
    let (mut a, b) = (Repo::new("a"), Repo::new("b"));
    let record = reply_in(&a.uri(POST, &key(0)), &b.uri(POST, &key(3)), 9);
    a.clock = 10;
    desk.apply([a.commit([create(POST, 9, &record)])]).await;
    assert_eq!(
        desk.notifs_of("b").await,
        ["reply a/9 about 3", "reply c/2 about 1"],
        "b has two posts above a/9 and b/3 is below one of theirs"
    );
    assert_eq!(desk.notifs_of("a").await, ["reply b/1 about 0", "reply b/3 about 0", "reply c/2 about 0"]);
}

#[tokio::test]
async fn an_update_that_changes_the_parent_tells_others() {
    let mut desk = Desk::open().await;
    let mut repos = ["a", "b", "c", "d"].map(Repo::new);
    let uris: Vec<_> = repos.iter().map(|repo| repo.uri(POST, &key(1))).collect();
    let [a, b, c, d] = &mut repos;
    let roots = [create(POST, 1, &post("a", 1)), create(POST, 1, &reply(&uris[0], 1)), create(POST, 1, &post("c", 1))];
    let [first, second, third] = roots;
    desk.apply([a.commit([first]), b.commit([second]), c.commit([third])]).await;
    desk.apply([d.commit([create(POST, 5, &reply_in(&uris[0], &uris[1], 5))])]).await;
    assert_eq!(desk.notifs().await, ["a reply b/1 about 1", "a reply d/5 about 1", "b reply d/5 about 1"]);
    d.clock = 300_000;
    desk.apply([d.commit([update(POST, 5, &mentioning(reply(&uris[2], 5), &["did:plc:a"]))])]).await;
    assert_eq!(desk.notifs().await, ["a mention d/5 at 300", "a reply b/1 about 1", "c reply d/5 about 1 at 300"]);
    desk.apply([d.commit([update(POST, 5, &mentioning(reply(&uris[2], 5), &["did:plc:a", "did:plc:x"]))])]).await;
    let told = ["a mention d/5 at 300", "a reply b/1 about 1", "c reply d/5 about 1 at 300", "x mention d/5 at 300"];
    assert_eq!(desk.notifs().await, told, "what holds stays as it is");
    desk.apply([d.commit([delete(POST, 5)])]).await;
    assert_eq!(desk.notifs().await, ["a reply b/1 about 1"]);
}

#[tokio::test]
async fn the_delete_of_a_post_changes_nothing_for_others() {
    let mut desk = Desk::open().await;
    desk.apply(chain(&["a", "b", "c"])).await;
    let mut b = Repo::new("b");
    b.clock = 10;
    desk.apply([b.commit([delete(POST, 1)])]).await;
    assert_eq!(desk.notifs().await, ["a reply c/2 about 0", "b reply c/2 about 1"]);
    assert_eq!(desk.waits().await, [""; 0]);
}

#[tokio::test]
async fn a_reply_and_all_above_it_in_one_commit() {
    let (mut desk, mut a, b) = (Desk::open().await, Repo::new("a"), Repo::new("b"));
    let (root, own) = (b.uri(POST, &key(1)), a.uri(POST, &key(2)));
    let ops = [create(POST, 3, &reply_in(&root, &own, 3)), create(POST, 2, &reply(&root, 2))];
    desk.apply([a.commit(ops)]).await;
    assert_eq!(desk.waits().await, ["a/2 waits for b/1", "a/3 waits for b/1"]);
    let mut b = b;
    desk.apply([b.commit([create(POST, 1, &post("root", 1))])]).await;
    assert_eq!(desk.notifs().await, ["b reply a/2 about 1", "b reply a/3 about 1"]);
}

#[tokio::test]
async fn posts_that_reply_to_each_other_end_the_climb_by_its_height() {
    let mut desk = Desk::open().await;
    let mut repos = ["a", "b"].map(Repo::new);
    let uris: Vec<_> = repos.iter().map(|repo| repo.uri(POST, &key(1))).collect();
    let own = repos[0].uri(POST, &key(2));
    let [a, b] = &mut repos;
    desk.apply([a.commit([create(POST, 1, &reply(&uris[1], 1)), create(POST, 2, &reply(&own, 2))])]).await;
    desk.apply([b.commit([create(POST, 1, &reply(&uris[0], 1))])]).await;
    assert_eq!(desk.notifs().await, ["a reply b/1 about 1", "b reply a/1 about 1"]);
    assert_eq!(desk.waits().await, [""; 0]);
}
