//! What depends on the order between repos is listed; what does not is not.

use super::*;

/// Lets `tell` write the story once in one go, and once with everything applied between its two parts: what is loose in each.
fn loose_with_and_without_a_pause(first: impl Fn(&mut Story), then: impl Fn(&mut Story)) -> (Vec<String>, Vec<String>) {
    let [together, apart] = [false, true].map(|pause| {
        let mut story = Story::new();
        first(&mut story);
        if pause {
            story.oracle.settle();
        }
        then(&mut story);
        story.loose()
    });
    (together, apart)
}

#[test]
fn a_gate_that_came_with_its_post_is_certain_in_every_order() {
    let (together, apart) = loose_with_and_without_a_pause(
        |story| {
            story.commit("a", [post(1), gate("a", 1, &["mentionRule"], &[])]);
        },
        |story| {
            story.write("b", reply(2, &post_uri("a", 1), None));
        },
    );
    assert_eq!((together.len(), apart.len()), (0, 0));
}

#[test]
fn a_gate_that_came_later_may_have_been_early_enough() {
    let (together, apart) = loose_with_and_without_a_pause(
        |story| {
            story.write("a", post(1));
            story.write("a", gate("a", 1, &[], &[]));
        },
        |story| {
            story.write("b", reply(2, &post_uri("a", 1), None));
        },
    );
    let all = ["loose count a/1 replies", "loose flags b/2 violates", "loose notif * reply b/2", "loose pending b/2"];
    assert_eq!(together, all);
    assert!(apart.is_empty(), "{apart:?}");
}

#[test]
fn a_follow_of_the_replier_s_own_is_certain_unless_it_ends_while_the_root_may_be_missing() {
    let gated = |story: &mut Story| {
        story.commit("a", [post(1), gate("a", 1, &["followerRule"], &[])]);
    };
    let before = loose_with_and_without_a_pause(gated, |story| {
        story.write("b", follow(1, "a"));
        story.write("b", reply(2, &post_uri("a", 1), None));
    });
    assert_eq!((before.0.len(), before.1.len()), (0, 0));
    let ends = loose_with_and_without_a_pause(gated, |story| {
        story.write("b", follow(1, "a"));
        story.write("b", reply(2, &post_uri("a", 1), None));
        story.write("b", delete(FOLLOW, 1));
    });
    assert_eq!((ends.0.contains(&"loose flags b/2 violates".to_owned()), ends.1.len()), (true, 0));
}

#[test]
fn who_the_root_s_author_follows_or_lists_may_change_places_with_the_reply() {
    for (rule, write) in [("followingRule".to_owned(), follow(1, "b")), (list_uri("a", 9), list_item(1, &list_uri("a", 9), "b"))] {
        let (together, apart) = loose_with_and_without_a_pause(
            |story| {
                story.commit("a", [post(1), gate("a", 1, &[&rule], &[])]);
                story.write("a", write.clone());
            },
            |story| {
                story.write("b", reply(2, &post_uri("a", 1), None));
            },
        );
        assert_eq!((together.contains(&"loose flags b/2 violates".to_owned()), apart.len()), (true, 0), "{rule}");
    }
}

#[test]
fn whether_a_post_could_be_quoted_is_known_after_a_pause_alone() {
    let (together, apart) = loose_with_and_without_a_pause(
        |story| {
            story.commit("a", [post(1), no_quotes("a", 1)]);
        },
        |story| {
            story.write("b", quote(2, &post_uri("a", 1)));
        },
    );
    assert_eq!(together, ["loose flags b/2 detached", "loose notif a * b/2"]);
    assert!(apart.is_empty());
}

#[test]
fn a_reply_to_what_was_deleted_may_have_found_it() {
    let told = |story: &mut Story| {
        story.write("a", post(1));
        story.write("a", delete(POST, 1));
    };
    let (together, apart) = loose_with_and_without_a_pause(told, |story| {
        story.write("b", reply(2, &post_uri("a", 1), None));
    });
    assert_eq!(together, ["loose notif * reply b/2", "loose pending b/2"]);
    assert!(apart.is_empty());
}

#[test]
fn who_waits_for_an_ancestor_that_was_deleted_may_never_be_judged() {
    let (together, apart) = loose_with_and_without_a_pause(
        |story| {
            story.commit("a", [post(1), gate("a", 1, &["mentionRule"], &[])]);
        },
        |story| {
            story.write("c", reply(2, &post_uri("a", 1), None));
            story.write("b", reply(3, &post_uri("c", 2), Some(&post_uri("a", 1))));
            story.write("c", delete(POST, 2));
        },
    );
    assert!(together.contains(&"loose flags b/3 violates".to_owned()), "{together:?}");
    assert!(!together.contains(&"loose flags c/2 violates".to_owned()), "{together:?}");
    assert!(!apart.contains(&"loose flags b/3 violates".to_owned()), "the root was there: {apart:?}");
}

#[test]
fn who_waits_for_an_ancestor_that_never_comes_may_never_be_judged() {
    let (together, apart) = loose_with_and_without_a_pause(
        |story| {
            story.commit("a", [post(1), gate("a", 1, &["mentionRule"], &[])]);
        },
        |story| {
            story.write("b", reply(3, &post_uri("c", 2), Some(&post_uri("a", 1))));
        },
    );
    assert!(together.contains(&"loose flags b/3 violates".to_owned()), "{together:?}");
    assert!(apart.is_empty(), "the root was there: {apart:?}");
}

#[test]
fn who_waits_for_an_ancestor_that_comes_is_judged_in_every_order() {
    let (together, apart) = loose_with_and_without_a_pause(
        |story| {
            story.commit("a", [post(1), gate("a", 1, &["mentionRule"], &[])]);
        },
        |story| {
            story.write("b", reply(3, &post_uri("c", 2), Some(&post_uri("a", 1))));
            story.write("c", reply(2, &post_uri("a", 1), None));
        },
    );
    assert!(!together.contains(&"loose flags b/3 violates".to_owned()), "{together:?}");
    assert!(!apart.contains(&"loose flags b/3 violates".to_owned()), "{apart:?}");
}

#[test]
fn a_missing_ancestor_that_comes_is_certain_and_an_update_among_it_is_not() {
    let root = || post_uri("a", 1);
    let waits = |story: &mut Story| {
        story.write("b", reply(2, &root(), None));
    };
    let (together, apart) = loose_with_and_without_a_pause(waits, |story| {
        story.write("a", post(1));
    });
    assert_eq!((together.len(), apart.len()), (0, 0));
    let (together, apart) = loose_with_and_without_a_pause(
        |story| {
            waits(story);
            story.write("b", created(reply(2, &root(), None), BEGIN - 60 * MINUTE));
        },
        |story| {
            story.write("a", post(1));
        },
    );
    assert_eq!(together, ["loose notif * reply b/2", "loose pending b/2"], "whose time it has");
    assert!(apart.is_empty());
}

#[test]
fn a_reply_that_was_hidden_while_it_was_answered_may_have_ended_the_climb() {
    let (together, apart) = loose_with_and_without_a_pause(
        |story| {
            story.write("a", post(1));
            story.write("b", reply(2, &post_uri("a", 1), None));
            story.write("a", gate("a", 1, &["followerRule"], &[&post_uri("b", 2)]));
            story.write("c", follow(1, "a"));
        },
        |story| {
            story.write("c", reply(3, &post_uri("b", 2), Some(&post_uri("a", 1))));
        },
    );
    assert!(together.contains(&"loose notif * reply c/3".to_owned()), "{together:?}");
    assert!(!apart.iter().any(|line| line.contains("c/3")), "{apart:?}");
}

#[test]
fn who_was_deleted_meanwhile_may_or_may_not_have_been_told() {
    let (together, apart) = loose_with_and_without_a_pause(
        |story| {
            story.write("a", post(1));
            story.status("a", Some("deleted"));
        },
        |story| {
            story.write("b", mentioning(post(2), &["a"]));
        },
    );
    assert_eq!(together, ["loose notif a * b/2"]);
    assert!(apart.is_empty());
}

#[test]
fn of_a_line_what_is_certain_stays() {
    let mut story = Story::new();
    story.write("a", post(1));
    story.write("a", gate("a", 1, &[], &[]));
    story.write("b", reply(2, &post_uri("a", 1), None));
    let loose = story.oracle.loose();
    let exact = |line: String| loose.exact(&line).map(String::from);
    let (root, b) = (post_uri("a", 1), post_uri("b", 2));
    assert_eq!(exact(format!("count {root} likes=2 replies=1 quotes=1")), Some(format!("count {root} likes=2 quotes=1")));
    assert_eq!(exact(format!("count {root} replies=1")), None);
    assert_eq!(exact(format!("flags {b} violates")), None);
    assert_eq!(exact(format!("flags {b} detached")), Some(format!("flags {b} detached")));
    assert_eq!(exact(format!("notif {} reply {b} about={root} at=1", did("a"))), None);
    assert!(exact(format!("notif {} mention {b} about=- at=1", did("a"))).is_some());
    assert_eq!(exact(format!("pending {b} waits for {root}")), None);
    assert!(!loose.is_empty());
}
