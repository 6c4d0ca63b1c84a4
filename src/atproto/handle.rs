//! Handles: the domain names by which people call accounts. Says what is one by form; whether it belongs to an account is another matter.

use super::Did;

/// Longest handle, in bytes, as DNS has it.
const MAX_HANDLE: usize = 253;
/// Longest label between dots, in bytes.
const MAX_LABEL: usize = 63;

/// Whether `text` is a handle, in any case.
///
/// Source: <https://atproto.com/specs/handle>.
#[must_use]
pub fn is_valid(text: &str) -> bool {
    let mut labels = 0;
    let mut last_starts_with_letter = false;
    let labels_hold = text.split('.').all(|label| {
        labels += 1;
        last_starts_with_letter = label.starts_with(|c: char| c.is_ascii_alphabetic());
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    text.len() <= MAX_HANDLE && labels_hold && labels >= 2 && last_starts_with_letter
}

/// Whether `text` names an account by DID or by handle (lexicon format `at-identifier`).
#[must_use]
pub fn is_at_identifier(text: &str) -> bool {
    if text.starts_with("did:") { Did::is_valid(text) } else { is_valid(text) }
}
