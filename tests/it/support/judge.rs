//! What PostgreSQL holds, against what the oracle expects: equal but for what depends on the order between repos.

use std::collections::BTreeMap;

use appviewd::sandbox::Oracle;

use super::difference;

/// Differing lines that a failing test shows.
const SHOWN: usize = 12;

/// Two states beside each other.
#[derive(Debug, Default)]
pub struct Compared {
    /// Expected and not there.
    pub missing: Vec<String>,
    /// There and not expected.
    pub extra: Vec<String>,
    /// Lines of each kind that were compared, by the first word, and by that of the reason or the flag.
    pub exact: BTreeMap<String, usize>,
    /// Expected lines that were left out, since they depend on the order between repos.
    pub loose: BTreeMap<String, usize>,
}

/// Leaves out what depends on the order between repos, on both sides.
pub fn compare(held: &[String], oracle: &Oracle) -> Compared {
    let (loose, lines) = (oracle.loose(), oracle.lines());
    let certain = |lines: &[String]| -> Vec<String> {
        let mut certain: Vec<_> = lines.iter().filter_map(|line| loose.exact(line)).map(String::from).collect();
        certain.sort();
        certain
    };
    let mut compared = differences(&certain(held), &certain(&lines));
    for line in &lines {
        let kinds = if loose.exact(line).is_some() { &mut compared.exact } else { &mut compared.loose };
        *kinds.entry(kind(line)).or_default() += 1;
    }
    compared
}

/// Everything is compared: what one pipeline applied in the order of the messages.
pub fn compare_in_order(held: &[String], oracle: &Oracle) -> Compared {
    differences(held, &oracle.lines())
}

fn differences(held: &[String], expected: &[String]) -> Compared {
    Compared { missing: difference(expected, held), extra: difference(held, expected), ..Compared::default() }
}

fn kind(line: &str) -> String {
    let words: Vec<_> = line.split(' ').collect();
    match words[0] {
        "notif" | "flags" => format!("{} {}", words[0], words[2]),
        kind => kind.to_owned(),
    }
}

impl Compared {
    /// Fails the test where something differs.
    pub fn assert_equal(&self, context: &str) {
        let few = |lines: &[String]| lines.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n  ");
        assert!(
            self.missing.is_empty() && self.extra.is_empty(),
            "{context}: PostgreSQL is not what the oracle expects: {} lines missing, {} too many\nmissing:\n  {}\ntoo many:\n  {}",
            self.missing.len(),
            self.extra.len(),
            few(&self.missing),
            few(&self.extra)
        );
    }
}
