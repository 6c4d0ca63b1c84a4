//! Gates: verdicts are made when a reply or quote comes, by what holds then.

use appviewd::atproto::cbor::Value;
use appviewd::queue::{Event, Op};

use super::kit::*;

/// The thread of `root` (its post has key 1), and `guest`, who replies to it.
struct Thread {
    desk: Desk,
    root: Repo,
    guest: Repo,
    uri: String,
}

impl Thread {
    async fn open() -> Self {
        Self::on(Desk::open().await)
    }

    fn on(desk: Desk) -> Self {
        let root = Repo::new("root");
        let uri = root.uri(POST, &key(1));
        Self { desk, root, guest: Repo::new("guest"), uri }
    }

    fn gate(&self, allow: Option<Vec<Value>>) -> Op {
        create(THREADGATE, 1, &threadgate(&self.uri, allow, &[], 1))
    }

    /// The root's post, with its gate.
    fn begin(&mut self, text: &Value, allow: Option<Vec<Value>>) -> Event {
        let gate = self.gate(allow);
        self.root.commit([gate, create(POST, 1, text)])
    }

    fn reply(&mut self, n: i64) -> Event {
        let record = reply(&self.uri, n);
        self.guest.commit([create(POST, n, &record)])
    }

    async fn violates(&self, n: i64) -> bool {
        self.desk.marks().await.contains(&format!("guest/{n} violates"))
    }
}

#[tokio::test]
async fn each_rule_allows_whom_it_names_and_nobody_else() {
    let mut desk = Desk::open().await;
    for nobody_else in [false, true] {
        for rule_name in ["mention", "follower", "following", "list", "none", "absent"] {
            desk.forget().await;
            let mut thread = Thread::on(desk);
            let named = if nobody_else { "did:plc:someone" } else { "did:plc:guest" };
            let list = thread.root.uri(LIST, &key(7));
            let allow = match rule_name {
                "absent" => None,
                "none" => Some(vec![]),
                "list" => Some(vec![list_rule(&list)]),
                name => Some(vec![rule(name)]),
            };
            let begin = thread.begin(&mentioning(post("root", 1), &[named]), allow);
            let mut someone = Repo::new("someone");
            let follower = if nobody_else { &mut someone } else { &mut thread.guest };
            let follow = follower.commit([create(FOLLOW, 2, &tie(FOLLOW, "did:plc:root", 2))]);
            let ties = thread.root.commit([create(FOLLOW, 2, &tie(FOLLOW, named, 2)), create(LISTITEM, 3, &list_item(&list, named, 3))]);
            thread.desk.apply([begin, follow, ties]).await;
            let reply = thread.reply(5);
            thread.desk.apply([reply]).await;
            let expected = match rule_name {
                "absent" => false,
                "none" => true,
                _ => nobody_else,
            };
            assert_eq!(thread.violates(5).await, expected, "{rule_name}, nobody else: {nobody_else}");
            assert_eq!(thread.desk.replies(&thread.uri).await, i64::from(!expected), "{rule_name}");
            assert_eq!(thread.desk.notifs_of("root").await.len(), usize::from(!expected), "{rule_name}");
            desk = thread.desk;
        }
    }
}

#[tokio::test]
async fn what_stands_before_the_reply_in_its_own_batch_counts() {
    let mut thread = Thread::open().await;
    let list = thread.root.uri(LIST, &key(7));
    let begin = thread.begin(&post("root", 1), Some(vec![rule("follower"), list_rule(&list)]));
    let first = thread.reply(5);
    let follow = thread.guest.commit([create(FOLLOW, 2, &tie(FOLLOW, "did:plc:root", 2))]);
    let second = thread.reply(6);
    let unfollow = thread.guest.commit([delete(FOLLOW, 2)]);
    let third = thread.reply(7);
    let join = thread.root.commit([create(LISTITEM, 3, &list_item(&list, "did:plc:guest", 3))]);
    let fourth = thread.reply(8);
    let open = thread.root.commit([delete(LISTITEM, 3), delete(THREADGATE, 1)]);
    let fifth = thread.reply(9);
    thread.desk.apply([begin, first, follow, second, unfollow, third, join, fourth, open, fifth]).await;
    assert_eq!(thread.desk.marks().await, ["guest/5 violates", "guest/7 violates"]);
    assert_eq!(thread.desk.replies(&thread.uri).await, 3);
}

#[tokio::test]
async fn a_gate_comes_with_its_post_in_one_commit_whatever_its_order() {
    for gate_first in [true, false] {
        let mut thread = Thread::open().await;
        let (gate, root) = (thread.gate(Some(vec![])), create(POST, 1, &post("root", 1)));
        let own = create(POST, 2, &reply(&thread.uri, 2));
        let ops = if gate_first { [gate, root, own] } else { [own, root, gate] };
        let (begin, reply) = (thread.root.commit(ops), thread.reply(5));
        // The reply waits for the root, and is judged by the gate that comes with it.
        thread.desk.apply([reply]).await;
        assert_eq!(thread.desk.replies(&thread.uri).await, 1, "not judged: it counts");
        thread.desk.apply([begin]).await;
        assert_eq!(thread.desk.marks().await, ["guest/5 violates"], "and the author's own reply does not");
        assert_eq!(thread.desk.replies(&thread.uri).await, 1, "the author's own");
        assert_eq!((thread.desk.waits().await, thread.desk.notifs().await), (vec![], vec![]));
    }
}

#[tokio::test]
async fn a_verdict_stands_until_the_reply_is_updated() {
    let mut thread = Thread::open().await;
    let begin = thread.begin(&post("root", 1), Some(vec![rule("follower")]));
    let reply_to = reply(&thread.uri, 5);
    let first = thread.reply(5);
    thread.desk.apply([begin, first]).await;
    assert!(thread.violates(5).await);
    let follow = thread.guest.commit([create(FOLLOW, 2, &tie(FOLLOW, "did:plc:root", 2))]);
    thread.desk.apply([follow]).await;
    assert!(thread.violates(5).await, "a follow changes no verdict");
    let again = thread.guest.commit([update(POST, 5, &reply_to)]);
    thread.desk.apply([again]).await;
    assert!(!thread.violates(5).await, "an update is judged anew");
    assert_eq!((thread.desk.replies(&thread.uri).await, thread.desk.notifs_of("root").await.len()), (1, 1));
    let closed = thread.root.commit([update(THREADGATE, 1, &threadgate(&thread.uri, Some(vec![]), &[], 1))]);
    thread.desk.apply([closed]).await;
    assert!(!thread.violates(5).await, "a gate changes no verdict");
    let again = thread.guest.commit([update(POST, 5, &reply_to)]);
    thread.desk.apply([again]).await;
    assert!(thread.violates(5).await);
    assert_eq!((thread.desk.replies(&thread.uri).await, thread.desk.notifs_of("root").await.len()), (0, 0));
    let gone = thread.guest.commit([delete(POST, 5)]);
    thread.desk.apply([gone]).await;
    assert_eq!(thread.desk.replies(&thread.uri).await, 0);
}

#[tokio::test]
async fn a_reply_that_violates_still_mentions_and_quotes_but_never_waits() {
    let mut thread = Thread::open().await;
    let begin = thread.begin(&post("root", 1), Some(vec![]));
    let missing = Repo::new("missing").uri(POST, &key(1));
    let record = quoting(mentioning(reply_in(&thread.uri, &missing, 5), &["did:plc:root"]), &Repo::new("other").uri(POST, &key(3)));
    let reply = thread.guest.commit([create(POST, 5, &record)]);
    thread.desk.apply([begin, reply]).await;
    assert_eq!(thread.desk.notifs().await, ["other quote guest/5 about 3", "root mention guest/5"]);
    assert_eq!(thread.desk.waits().await, [""; 0]);
    assert_eq!(thread.desk.replies(&missing).await, 0);
}

#[tokio::test]
async fn a_root_that_comes_late_takes_back_what_its_gate_forbids() {
    let mut thread = Thread::open().await;
    let mut middle = Repo::new("middle");
    let between = middle.uri(POST, &key(2));
    let second = middle.commit([create(POST, 2, &reply(&thread.uri, 2))]);
    let third = thread.guest.commit([create(POST, 5, &mentioning(reply_in(&thread.uri, &between, 5), &["did:plc:x"]))]);
    thread.desk.apply([second, third]).await;
    assert_eq!(thread.desk.notifs().await, ["middle reply guest/5 about 2", "x mention guest/5"]);
    assert_eq!(thread.desk.replies(&between).await, 1);
    let begin = thread.begin(&mentioning(post("root", 1), &["did:plc:middle"]), Some(vec![rule("mention")]));
    thread.desk.apply([begin]).await;
    assert_eq!(thread.desk.marks().await, ["guest/5 violates"]);
    assert_eq!(thread.desk.notifs().await, ["middle mention root/1", "root reply middle/2 about 1", "x mention guest/5"]);
    assert_eq!(thread.desk.replies(&between).await, 0);
    assert_eq!(thread.desk.waits().await, [""; 0]);
}

#[tokio::test]
async fn a_judged_reply_that_waits_is_not_judged_again() {
    let mut thread = Thread::open().await;
    let begin = thread.begin(&post("root", 1), None);
    let mut middle = Repo::new("middle");
    let between = middle.uri(POST, &key(2));
    let reply = thread.guest.commit([create(POST, 5, &reply_in(&thread.uri, &between, 5))]);
    thread.desk.apply([begin, reply]).await;
    assert_eq!(thread.desk.waits().await, ["guest/5 waits for middle/2 judged"]);
    let closed = thread.root.commit([update(THREADGATE, 1, &threadgate(&thread.uri, Some(vec![]), &[], 1))]);
    let second = middle.commit([create(POST, 2, &super::kit::reply(&thread.uri, 2))]);
    thread.desk.apply([closed, second]).await;
    assert_eq!(thread.desk.marks().await, ["middle/2 violates"]);
    assert_eq!(thread.desk.notifs().await, ["middle reply guest/5 about 2", "root reply guest/5 about 1"]);
}

#[tokio::test]
async fn the_climb_ends_after_a_reply_that_the_root_s_author_hides() {
    let mut thread = Thread::open().await;
    let mut middle = Repo::new("middle");
    let between = middle.uri(POST, &key(2));
    let gate = create(THREADGATE, 1, &threadgate(&thread.uri, None, std::slice::from_ref(&between), 1));
    let begin = thread.root.commit([create(POST, 1, &post("root", 1)), gate]);
    let second = middle.commit([create(POST, 2, &reply(&thread.uri, 2))]);
    let third = thread.guest.commit([create(POST, 5, &reply_in(&thread.uri, &between, 5))]);
    thread.desk.apply([begin, second, third]).await;
    assert_eq!(thread.desk.notifs().await, ["middle reply guest/5 about 2", "root reply middle/2 about 1"]);
}

#[tokio::test]
async fn lists_of_others_and_gates_of_others_posts_mean_nothing() {
    let mut thread = Thread::open().await;
    let mut other = Repo::new("other");
    let list = other.uri(LIST, &key(7));
    let item = other.commit([
        create(LISTITEM, 3, &list_item(&list, "did:plc:guest", 3)),
        create(THREADGATE, 1, &threadgate(&thread.uri, None, &[], 1)),
        create(POSTGATE, 1, &postgate(&thread.uri, 1)),
    ]);
    let begin = thread.begin(&post("root", 1), Some(vec![list_rule(&list)]));
    let reply = thread.reply(5);
    thread.desk.apply([item, begin, reply]).await;
    assert!(thread.violates(5).await);
    assert_eq!(thread.desk.number("SELECT count(*) FROM threadgate").await, 1);
    assert_eq!(thread.desk.number("SELECT count(*) FROM postgate").await, 0);
}

#[tokio::test]
async fn the_rows_of_a_gate_hold_all_its_lists_and_hidden_replies_and_go_with_it() {
    let mut thread = Thread::open().await;
    let lists = [7, 8].map(|n| thread.root.uri(LIST, &key(n)));
    let hidden: Vec<_> = (0..300).map(|n| thread.guest.uri(POST, &key(n))).collect();
    let mut second = Repo::new("second");
    let gates = [
        create(THREADGATE, 1, &threadgate(&thread.uri, Some(lists.iter().map(|list| list_rule(list)).collect()), &hidden, 1)),
        create(THREADGATE, 2, &threadgate(&thread.root.uri(POST, &key(2)), Some(vec![]), &[], 1)),
    ];
    let third = second.commit([create(THREADGATE, 3, &threadgate(&second.uri(POST, &key(3)), None, &hidden[..2], 1))]);
    let both = thread.root.commit(gates);
    thread.desk.apply([both, third]).await;
    let sums = "SELECT coalesce(sum(cardinality(lists_r) + cardinality(lists_a)), 0)::int8 FROM threadgate";
    assert_eq!(thread.desk.number(sums).await, 4);
    assert_eq!(thread.desk.number("SELECT sum(cardinality(hidden_r))::int8 FROM threadgate").await, 302);
    assert_eq!(thread.desk.number("SELECT sum(rules)::int8 FROM threadgate").await, 17 + 1);
    assert_eq!(thread.desk.number("SELECT count(*) FROM threadgate WHERE lists_r IS NULL AND hidden_r IS NULL").await, 1);
    let gone = thread.root.commit([delete(THREADGATE, 1), delete(THREADGATE, 2)]);
    thread.desk.apply([gone]).await;
    assert_eq!(thread.desk.number("SELECT count(*) FROM threadgate").await, 1);
}

#[tokio::test]
async fn a_quote_of_a_post_that_nobody_may_quote_tells_nobody_also_where_it_is_not_held() {
    let mut thread = Thread::open().await;
    let closed = thread.root.commit([create(POSTGATE, 1, &postgate(&thread.uri, 1))]);
    let quotes = thread.guest.commit([create(POST, 5, &quote(&thread.uri, 5))]);
    let own = thread.root.commit([create(POST, 6, &quote(&thread.uri, 6))]);
    thread.desk.apply([closed, quotes, own]).await;
    assert_eq!((thread.desk.marks().await, thread.desk.notifs().await), (vec!["guest/5 detached".to_owned()], vec![]));
    assert!(thread.desk.lines_of("count").await.contains(&format!("count {} quotes=2", thread.uri)), "all quotes count");
    let open = thread.root.commit([delete(POSTGATE, 1)]);
    thread.desk.apply([open]).await;
    assert_eq!(thread.desk.marks().await, ["guest/5 detached"], "judged when it came");
    let again = thread.guest.commit([update(POST, 5, &quote(&thread.uri, 5)), create(POST, 7, &quote(&thread.uri, 7))]);
    thread.desk.apply([again]).await;
    assert_eq!(thread.desk.marks().await, [""; 0]);
    assert_eq!(thread.desk.notifs().await, ["root quote guest/5 about 1", "root quote guest/7 about 1"]);
}
