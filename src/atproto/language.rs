//! Language tags (lexicon format `language`): BCP 47 by form. Knows no registry of languages.

/// Whole tags of the time before today's grammar that do not follow it (RFC 5646, section 2.1, irregular).
const IRREGULAR: [&str; 17] = [
    "en-GB-oed",
    "i-ami",
    "i-bnn",
    "i-default",
    "i-enochian",
    "i-hak",
    "i-klingon",
    "i-lux",
    "i-mingo",
    "i-navajo",
    "i-pwn",
    "i-tao",
    "i-tay",
    "i-tsu",
    "sgn-BE-FR",
    "sgn-BE-NL",
    "sgn-CH-DE",
];
/// Longest tag that is read, in bytes; real ones are below 40.
const MAX_TAG: usize = 256;

/// Whether `text` is a tag: well-formed, the language in lower case, and no variant or extension twice.
///
/// Source: RFC 5646, sections 2.1 and 2.2.9; <https://atproto.com/specs/lexicon#language>.
#[must_use]
pub fn is_valid(text: &str) -> bool {
    is_well_formed(text) && !repeats(text)
}

/// Whether `text` has the form of a tag.
#[must_use]
pub fn is_well_formed(text: &str) -> bool {
    if text.len() > MAX_TAG {
        return false;
    }
    if IRREGULAR.iter().any(|tag| tag.eq_ignore_ascii_case(text)) {
        return true;
    }
    let parts: Vec<&str> = text.split('-').collect();
    match parts.split_first() {
        Some((first, rest)) if first.eq_ignore_ascii_case("x") => private(rest),
        Some((language, rest)) if (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_lowercase()) => {
            after_language(rest)
        }
        _ => false,
    }
}

fn alpha(part: &str, len: usize) -> bool {
    part.len() == len && part.bytes().all(|b| b.is_ascii_alphabetic())
}

fn alphanumeric(part: &str, len: std::ops::RangeInclusive<usize>) -> bool {
    len.contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_variant(part: &str) -> bool {
    alphanumeric(part, 5..=8) || (alphanumeric(part, 4..=4) && part.starts_with(|c: char| c.is_ascii_digit()))
}

/// Takes off the first parts, at most `most`, for which `holds`.
fn pass<'t, 'p>(parts: &'p [&'t str], most: usize, holds: impl Fn(&str) -> bool) -> &'p [&'t str] {
    let count = parts.iter().take(most).take_while(|part| holds(part)).count();
    parts.get(count..).unwrap_or_default()
}

/// Extended languages, script, region, variants, extensions, private use, each optional.
fn after_language(parts: &[&str]) -> bool {
    let parts = pass(parts, 3, |p| alpha(p, 3));
    let parts = pass(parts, 1, |p| alpha(p, 4));
    let parts = pass(parts, 1, |p| alpha(p, 2) || (p.len() == 3 && p.bytes().all(|b| b.is_ascii_digit())));
    let mut parts = pass(parts, usize::MAX, is_variant);
    while let Some((singleton, rest)) = parts.split_first() {
        if singleton.eq_ignore_ascii_case("x") {
            return private(rest);
        }
        let after = pass(rest, usize::MAX, |p| alphanumeric(p, 2..=8));
        if !alphanumeric(singleton, 1..=1) || after.len() == rest.len() {
            return false;
        }
        parts = after;
    }
    true
}

fn private(parts: &[&str]) -> bool {
    !parts.is_empty() && parts.iter().all(|p| alphanumeric(p, 1..=8))
}

/// Whether a variant or an extension's letter comes twice before private use.
fn repeats(text: &str) -> bool {
    let mut seen: Vec<&str> = Vec::new();
    let mut in_extension = false;
    for part in text.split('-').skip(1) {
        if part.eq_ignore_ascii_case("x") {
            return false;
        }
        let is_singleton = part.len() == 1;
        in_extension |= is_singleton;
        if is_singleton || (!in_extension && is_variant(part)) {
            if seen.iter().any(|s| s.eq_ignore_ascii_case(part)) {
                return true;
            }
            seen.push(part);
        }
    }
    false
}
