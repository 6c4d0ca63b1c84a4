//! By what a labeler is known whose numbers began anew.

use appviewd::ingest::labels::judge::{Law, judge};
use appviewd::sandbox::labeler::{message, signed};
use bytes::Bytes;

use super::rig::{ALICE, LABELER, key, said as says};

fn said(seq: i64, vals: &[&str], secret: u8) -> Bytes {
    message(seq, vals.iter().map(|val| signed(LABELER, &says(ALICE, val), &key(secret))).collect()).into()
}

fn law(held: Option<(i64, [u8; 32])>) -> Law {
    Law { src: LABELER.to_owned(), keys: vec![key(1).public_key(), key(2).public_key()], allow_unsigned: false, held }
}

#[test]
fn another_word_under_the_number_that_is_held_contradicts_and_nothing_else_does() {
    let before = judge(&[said(4, &["x"], 1), said(5, &["a", "b"], 1)], 3, &law(None));
    let held = law(before.word);
    assert!(!before.contradicts && before.word.is_some_and(|(seq, _)| seq == 5));
    let again = |messages: &[Bytes]| judge(messages, 5, &held);
    // The same; signed anew; told in two messages; missing; nothing but what cannot be read.
    for same in [said(5, &["a", "b"], 1), said(5, &["a", "b"], 2), said(5, &["b"], 1), said(6, &["c"], 1), said(5, &[], 1)] {
        assert!(!again(&[same]).contradicts);
    }
    let other = again(&[said(5, &["c"], 1), said(6, &["d"], 1)]);
    assert_eq!((other.contradicts, other.last, other.labels.len()), (true, 5, 0));
    // Also where it has not been reached again: a database that went back reads once more what lies before it.
    assert!(judge(&[said(4, &["x"], 1), said(5, &["c"], 1)], 3, &held).contradicts);
}
