//! Gates, notifications and waiting, where everything comes in one order.

use super::*;

#[test]
fn each_rule_allows_those_whom_it_names() {
    let cases: [(&[&str], &[&str]); 6] = [
        (&[], &[]),
        (&["mentionRule"], &["m"]),
        (&["followerRule"], &["f"]),
        (&["followingRule"], &["g"]),
        (&["LIST"], &["l"]),
        (&["mentionRule", "followerRule", "followingRule", "LIST"], &["f", "g", "l", "m"]),
    ];
    for (rules, allowed) in cases {
        let mut story = Story::new();
        let list = list_uri("a", 9);
        let rules: Vec<_> = rules.iter().map(|rule| if *rule == "LIST" { list.as_str() } else { rule }).collect();
        story.commit("a", [follow(1, "g"), list_item(1, &list, "l")]);
        story.write("f", follow(1, "a"));
        // Another's list of the same members says nothing.
        story.write("x", list_item(1, &list_uri("x", 9), "x"));
        story.commit("a", [mentioning(post(1), &["m"]), gate("a", 1, &rules, &[])]);
        for who in ["a", "f", "g", "l", "m", "x"] {
            story.write(who, reply(2, &post_uri("a", 1), None));
        }
        let violate: Vec<_> =
            ["f", "g", "l", "m", "x"].iter().filter(|who| !allowed.contains(who)).map(|who| format!("flags {who}/2 violates")).collect();
        assert_eq!(story.lines("flags "), violate, "{rules:?}");
        let told: Vec<_> = allowed.iter().map(|who| format!("a reply {who}/2")).collect();
        assert_eq!(story.told().into_iter().filter(|told| told.starts_with("a ")).collect::<Vec<_>>(), told, "{rules:?}");
        assert!(story.lines("count a/1").contains(&format!("count a/1 replies={}", allowed.len() + 1)), "{rules:?}");
    }
}

#[test]
fn a_gate_without_rules_of_admission_only_hides() {
    let mut story = Story::new();
    let mut gate = gate("a", 1, &[], &[]);
    let Some(Value::Map(fields)) = &mut gate.1 else { panic!() };
    fields.retain(|(field, _)| field != "allow");
    story.commit("a", [post(1), gate]);
    story.write("b", reply(2, &post_uri("a", 1), None));
    assert!(story.lines("flags ").is_empty());
    assert_eq!(story.told(), ["a reply b/2"]);
}

#[test]
fn a_verdict_stands_until_the_reply_is_updated() {
    let mut story = Story::new();
    story.write("a", post(1));
    story.write("b", reply(2, &post_uri("a", 1), None));
    story.write("a", gate("a", 1, &[], &[]));
    assert!(story.lines("flags ").is_empty(), "a later gate changes nothing");
    story.write("b", mentioning(reply(2, &post_uri("a", 1), None), &["c"]));
    assert_eq!(story.lines("flags "), ["flags b/2 violates"]);
    assert_eq!(story.told(), ["c mention b/2"], "the reply that violates tells its parent no more");
    story.write("a", delete(THREADGATE, 1));
    story.write("b", reply(2, &post_uri("a", 1), None));
    assert_eq!((story.lines("flags ").len(), story.told()), (0, vec!["a reply b/2".to_owned()]));
}

#[test]
fn a_reply_waits_for_its_root_and_is_judged_when_that_comes() {
    for rules in [&[][..], &["followingRule"][..]] {
        let mut story = Story::new();
        story.write("c", post(3));
        story.write("b", reply(4, &post_uri("c", 3), Some(&post_uri("a", 1))));
        assert_eq!(story.lines("pending "), ["pending b/4 waits for a/1"]);
        assert_eq!(story.told(), ["c reply b/4"], "what can be known is done at once");
        story.commit("a", [follow(1, "b"), post(1), gate("a", 1, rules, &[])]);
        assert!(story.lines("pending ").is_empty());
        let violates = rules.is_empty();
        assert_eq!(story.lines("flags ").len(), usize::from(violates));
        assert_eq!(story.told().is_empty(), violates);
        assert_eq!(story.lines("count c/3").len(), usize::from(!violates));
    }
}

#[test]
fn five_posts_of_a_thread_are_told_the_nearest_first_and_missing_ones_are_waited_for() {
    let mut story = Story::new();
    let names = ["a", "b", "c", "d", "e", "f"];
    let (root, mut parent) = (post_uri("a", 0), post_uri("a", 0));
    for (n, who) in (0..).zip(names) {
        let made = if n == 0 { post(0) } else { reply(n, &parent, Some(&root)) };
        parent = post_uri(who, n);
        if n != 2 {
            story.write(who, made);
        }
    }
    let of_f = |story: &Story| story.told().into_iter().filter(|told| told.ends_with("f/5")).collect::<Vec<_>>();
    assert_eq!(of_f(&story), ["d reply f/5", "e reply f/5"]);
    assert_eq!(story.lines("pending "), ["pending d/3 waits for c/2", "pending e/4 waits for c/2", "pending f/5 waits for c/2"]);
    story.write("c", reply(2, &post_uri("b", 1), Some(&root)));
    assert_eq!(of_f(&story), ["b reply f/5", "c reply f/5", "d reply f/5", "e reply f/5"], "and not the fifth above it");
    assert!(story.lines("pending ").is_empty());
}

#[test]
fn a_hidden_reply_is_told_and_nobody_above_it() {
    let mut story = Story::new();
    let (root, hidden) = (post_uri("a", 1), post_uri("b", 2));
    story.commit("a", [post(1), gate("a", 1, &["followerRule"], &[&hidden])]);
    for who in ["b", "c"] {
        story.write(who, follow(1, "a"));
    }
    story.write("b", reply(2, &root, None));
    story.write("c", reply(3, &hidden, Some(&root)));
    assert_eq!(story.told(), ["a reply b/2", "b reply c/3"]);
    assert!(story.lines("pending ").is_empty());
}

#[test]
fn one_recipient_gets_one_notification_and_never_of_their_own() {
    let mut story = Story::new();
    story.commit("a", [post(1)]);
    story.commit("b", [reply(2, &post_uri("a", 1), None)]);
    let both = quote(3, &post_uri("a", 1));
    let answer = reply(3, &post_uri("b", 2), Some(&post_uri("a", 1)));
    let (_, Some(Value::Map(fields))) = answer else { panic!() };
    let reply_field = fields.into_iter().find(|(field, _)| field == "reply").unwrap().1;
    story.write("c", mentioning(with(both, "reply", reply_field), &["b", "c"]));
    let about = story.lines("notif ").into_iter().filter(|line| line.contains(" c/3 ")).collect::<Vec<_>>();
    assert!(
        about.len() == 2 && about[0].starts_with("notif a quote c/3 about=a/1") && about[1].starts_with("notif b mention c/3 about=- "),
        "{about:?}"
    );
}

#[test]
fn what_nobody_may_quote_tells_nobody_that_it_was() {
    let mut story = Story::new();
    story.commit("a", [post(1), no_quotes("a", 1), quote(2, &post_uri("a", 1))]);
    story.write("b", quote(3, &post_uri("a", 1)));
    assert_eq!((story.lines("flags "), story.told().len()), (vec!["flags b/3 detached".to_owned()], 0));
    assert_eq!(story.lines("count a/1"), ["count a/1 quotes=2"]);
    story.write("a", delete(POSTGATE, 1));
    story.write("b", quote(3, &post_uri("a", 1)));
    assert_eq!((story.lines("flags ").len(), story.told()), (0, vec!["a quote b/3".to_owned()]));
}

#[test]
fn times_are_the_earlier_of_two_and_of_an_update_its_own() {
    let mut story = Story::new();
    let early = BEGIN - 10 * MINUTE;
    story.write("a", post(1));
    story.write("b", created(mentioning(reply(2, &post_uri("a", 1), None), &["c"]), early));
    let at = |who: &str, what: &str, at: i64| format!("notif {who} {what} b/2 about={} at={at}", if what == "reply" { "a/1" } else { "-" });
    assert_eq!(story.lines("notif "), [at("a", "reply", early), at("c", "mention", early)]);
    let later = story.write("b", created(mentioning(reply(2, &post_uri("a", 1), None), &["d"]), early));
    assert_eq!(story.lines("notif "), [at("a", "reply", early), at("d", "mention", later)]);
    // Within a minute of the key's time that is what is kept.
    story.write("b", created(mentioning(post(3), &["c"]), BEGIN - 30 * SECOND));
    assert_eq!(story.lines("notif c"), [format!("notif c mention b/3 about=- at={}", BEGIN + 3)]);
}

#[test]
fn what_is_deleted_takes_its_own_with_it_and_nothing_of_others() {
    let mut story = Story::new();
    story.write("a", post(1));
    story.write("b", reply(2, &post_uri("a", 1), None));
    story.write("a", delete(POST, 1));
    assert_eq!(story.told(), ["a reply b/2"]);
    story.write("c", reply(3, &post_uri("b", 2), Some(&post_uri("a", 1))));
    assert_eq!(story.lines("pending "), ["pending c/3 waits for a/1"]);
    story.write("c", delete(POST, 3));
    story.write("b", delete(POST, 2));
    assert_eq!((story.told().len(), story.lines("pending ").len(), story.lines("count ").len()), (0, 0, 0));
}
