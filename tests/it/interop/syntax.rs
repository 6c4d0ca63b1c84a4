//! Text formats against every line of the interoperability vectors.

use appviewd::atproto::{Cid, Did, Nsid, RecordKey, Tid, aturi, datetime, handle, language, uri};

use crate::support::data;

/// Lines that are neither empty nor comments; white space counts.
fn lines(name: &str) -> Option<Vec<String>> {
    let text = String::from_utf8(data::read(&format!("interop/syntax/{name}.txt"))?).unwrap();
    Some(text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect())
}

/// Every valid line is taken, every invalid one refused, and there are as many as there were when this was written.
fn check(format: &str, is_valid: fn(&str) -> bool, (valid, invalid): (usize, usize)) {
    let (Some(good), Some(bad)) = (lines(&format!("{format}_syntax_valid")), lines(&format!("{format}_syntax_invalid"))) else { return };
    for line in &good {
        assert!(is_valid(line), "{format}: refused {line:?}");
    }
    for line in &bad {
        assert!(!is_valid(line), "{format}: took {line:?}");
    }
    assert_eq!((good.len(), bad.len()), (valid, invalid), "{format}");
}

#[test]
fn every_syntax_vector_is_judged_right() {
    check("did", Did::is_valid, (24, 18));
    check("handle", handle::is_valid, (71, 48));
    check("atidentifier", handle::is_at_identifier, (11, 22));
    check("nsid", Nsid::is_valid, (25, 27));
    check("recordkey", RecordKey::is_valid, (16, 11));
    check("tid", Tid::is_valid, (4, 9));
    check("aturi", aturi::is_valid, (23, 72));
    check("cid", Cid::is_valid_text, (8, 10));
    check("uri", uri::is_valid, (9, 12));
    check("datetime", datetime::is_valid, (35, 45));
    check("language", language::is_valid, (18, 7));
}

#[test]
fn well_formed_texts_without_meaning_are_refused() {
    for (name, is_valid, count) in [
        ("datetime_parse_invalid", datetime::is_valid as fn(&str) -> bool, 7),
        ("language_parse_invalid", language::is_valid as fn(&str) -> bool, 4),
    ] {
        let Some(lines) = lines(name) else { return };
        for line in &lines {
            assert!(!is_valid(line), "{name}: took {line:?}");
        }
        assert_eq!(lines.len(), count, "{name}");
    }
    assert!(language::is_well_formed("de-DE-1901-1901"));
}

#[test]
fn record_addresses_are_the_valid_ones_that_name_a_record_by_did() {
    let Some(lines) = lines("aturi_syntax_valid") else { return };
    let records: Vec<_> = lines.iter().filter(|l| appviewd::atproto::AtUri::parse(l).is_some()).collect();
    assert!(records.iter().all(|l| l.matches('/').count() == 4 && l.starts_with("at://did:")));
    assert_eq!(records.len(), 15);
}
