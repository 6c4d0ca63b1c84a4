//! Text as it is compared: compatible forms (NFKC), case and accents do not matter. Unicode's own rules by `unicode-normalization`, which is
//! in the tree already and has the tables of a current Unicode.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use super::script::{is_accent, is_ignored};

/// Characters of folded text at most: a post has 300 graphemes, a few of which may be of many.
const MOST: usize = 4096;

/// The text without what does not matter. Folding again changes nothing.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.chars().take(MOST).map(|c| c.to_ascii_lowercase()).collect();
    }
    let matters = |c: &char| !is_accent(canonical_combining_class(*c)) && !is_ignored(*c);
    // All cases, one after the other, is Unicode's full case folding but for some letters of which nobody has both: ß and SS, ς and Σ. The small
    // one comes first, since ẞ is a capital of its own.
    let case = |c: char| c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    text.chars().take(MOST).nfkd().filter(matters).flat_map(case).nfkd().filter(matters).nfc().take(MOST).collect()
}
