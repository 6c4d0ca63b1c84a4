//! Display names: found by the beginnings of their words, and by any characters in scripts without spaces.

use super::document::pair;
use super::token::{PREFIX, token};
use super::unit::{Unit, contains, units};

/// Characters of a word that are found one by one; what is longer is found by these and held against the name.
const LONGEST: usize = 12;
/// Units of a name at most: it has 64 graphemes.
const MOST: usize = 64;

/// A name, or what is looked for in names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Name {
    units: Vec<Unit>,
}

impl Name {
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut units = units(text);
        units.truncate(MOST);
        Self { units }
    }

    /// Whether there is nothing in it to look for.
    #[must_use]
    pub fn is_void(&self) -> bool {
        self.units.is_empty()
    }

    /// What the name is found by.
    #[must_use]
    pub fn tokens(&self) -> Vec<i32> {
        let mut tokens = Vec::new();
        for (at, unit) in self.units.iter().enumerate() {
            if let Some(before) = at.checked_sub(1).and_then(|before| self.units.get(before)).filter(|_| unit.glued) {
                tokens.push(pair(before, unit));
            }
            let ends = unit.text.char_indices().skip(1).map(|(at, _)| at).chain([unit.text.len()]);
            tokens.extend(
                ends.take(if unit.dense { usize::MAX } else { LONGEST }).map(|end| prefix(unit.text.get(..end).unwrap_or_default())),
            );
        }
        tokens
    }

    /// Tokens that every name has which this is in.
    #[must_use]
    pub fn asked(&self) -> Vec<i32> {
        let mut tokens = Vec::new();
        for (at, unit) in self.units.iter().enumerate() {
            match at.checked_sub(1).and_then(|before| self.units.get(before)).filter(|_| unit.glued) {
                Some(before) => tokens.push(pair(before, unit)),
                None if unit.dense => tokens.push(prefix(&unit.text)),
                None => {
                    let end = unit.text.char_indices().nth(LONGEST).map_or(unit.text.len(), |(at, _)| at);
                    tokens.push(prefix(unit.text.get(..end).unwrap_or_default()));
                }
            }
        }
        super::sorted(tokens)
    }

    /// Whether `name` has all of this: words by their beginnings, in any order; glued characters as they are.
    #[must_use]
    pub fn is_in(&self, name: &Self) -> bool {
        let runs = self.units.chunk_by(|_, next| next.glued);
        !self.is_void()
            && runs.into_iter().all(|run| match run {
                [word] if !word.dense => name.units.iter().any(|unit| !unit.dense && unit.text.starts_with(&word.text)),
                run => contains(&name.units, run),
            })
    }
}

fn prefix(text: &str) -> i32 {
    token(PREFIX, &[text.as_bytes()])
}
