//! The embedded schemas are what a fresh compile of the lexicons' folder gives.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use appviewd::lexicon::{self, Lexicons};

const EMBEDDED: &str = include_str!("../../../src/lexicon/schemas.json");

/// The lexicon files, which are no part of the repository: `APPVIEW_LEXICONS`, by default beside the test data.
fn files() -> Option<Vec<String>> {
    let folder =
        std::env::var_os("APPVIEW_LEXICONS").map(PathBuf::from).or_else(|| Some(crate::support::data::path("")?.join("../lexicons")))?;
    let mut texts = Vec::new();
    collect(&folder, &mut texts);
    Some(texts).filter(|texts| !texts.is_empty())
}

fn collect(folder: &Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|e| e == "json") {
            into.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// `APPVIEW_BLESS=1` writes the file anew.
#[test]
fn the_embedded_schemas_are_those_of_the_folder() {
    let Some(texts) = files() else { return };
    let compiled = lexicon::compile(texts.iter().map(String::as_str)).unwrap();
    if std::env::var_os("APPVIEW_BLESS").is_some() {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lexicon/schemas.json"), &compiled).unwrap();
        return;
    }
    assert!(compiled == EMBEDDED, "src/lexicon/schemas.json is out of date: run this test with APPVIEW_BLESS=1");
}

#[test]
fn they_are_parsed_quickly_and_have_what_the_program_serves() {
    let start = Instant::now();
    Lexicons::parse(EMBEDDED).unwrap();
    let took = start.elapsed();
    assert!(took < Duration::from_millis(200), "parsing took {took:?}");
    let lexicons = lexicon::embedded();
    for coll in appviewd::collection::Coll::known() {
        assert!(lexicons.has_record(coll.nsid().unwrap()), "{coll:?}");
    }
    assert_eq!(lexicons.method_kind("app.bsky.feed.getAuthorFeed"), Some(lexicon::MethodKind::Query));
    assert_eq!(lexicons.method_kind("app.bsky.feed.post"), None);
}
