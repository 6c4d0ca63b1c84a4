//! The house rules that a machine can check: floors, file heads, sizes.

use std::fs;
use std::path::{Path, PathBuf};

const FLOORS: &[(u8, &[&str])] = &[
    (6, &["main", "cli", "daemon"]),
    (5, &["ingest", "worker", "api", "sandbox", "bench"]),
    (4, &["index", "query"]),
    (3, &["identity", "http"]),
    (2, &["db", "queue", "net"]),
    (1, &["collection", "lexicon", "config", "telemetry"]),
    (0, &["atproto"]),
];

/// The one exception on a floor: the three files of the top floor assemble each other.
const TOP: u8 = 6;

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 20, "the search for sources found only {}", found.len());
    found
}

fn room(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

fn floor(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, rooms)| rooms.contains(&room)).map(|(floor, _)| *floor)
}

#[test]
fn imports_point_down_only() {
    let mut wrong = Vec::new();
    for path in sources() {
        let from = room(&path);
        let Some(own) = floor(&from) else { continue };
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
            for (at, _) in line.match_indices("crate::") {
                let to: String = line[at + 7..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                let Some(other) = floor(&to) else { continue };
                if to != from && (other > own || (other == own && own != TOP)) {
                    wrong.push(format!("{}:{}: {from} (floor {own}) imports {to} (floor {other})", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_sandbox_shares_no_code_with_what_it_judges() {
    for path in sources().into_iter().filter(|p| room(p) == "sandbox") {
        let text = fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("crate::") {
            let to: String = text[at + 7..].chars().take_while(char::is_ascii_alphanumeric).collect();
            assert!(["atproto", "net", "sandbox"].contains(&to.as_str()), "{} imports {to}", path.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_under_500_lines() {
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} has no //! line", path.display());
        assert!(text.lines().count() <= 500, "{} is too long", path.display());
    }
}

#[test]
fn pure_modules_do_no_io() {
    for path in sources().into_iter().filter(|p| ["atproto", "lexicon", "collection"].contains(&room(p).as_str())) {
        let text = fs::read_to_string(&path).unwrap();
        for word in ["tokio", "tracing::", "std::fs", "std::net", "SystemTime"] {
            let used = text.lines().any(|l| !l.trim_start().starts_with("//") && l.contains(word));
            assert!(!used, "{} uses {word}", path.display());
        }
    }
}
