//! Generic URIs (lexicon format `uri`): only whether a text has the form of one, never what it leads to.

/// Longest URI, in bytes.
const MAX_URI: usize = 8192;
/// Longest scheme, in bytes.
const MAX_SCHEME: usize = 80;

/// Whether `text` is a scheme, a colon and something without white space; characters beyond ASCII are taken, as people write them.
///
/// Source: <https://atproto.com/specs/lexicon#uri>.
#[must_use]
pub fn is_valid(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    text.len() <= MAX_URI
        && scheme.len() <= MAX_SCHEME
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
        && !rest.strip_prefix("//").unwrap_or(rest).is_empty()
        && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
}
