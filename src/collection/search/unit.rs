//! Folded text cut into what is found by itself: words by the rules of Unicode (UAX #29, by `unicode-segmentation`, which counts the lexicons'
//! graphemes already), single characters of scripts without spaces, pictures. Punctuation and spaces only part them.

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use super::fold::fold;
use super::script::{is_dense, is_picture};

/// Units of one text at most; a post of 300 graphemes has fewer, but for what compatible forms expand to.
const MOST: usize = 320;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    pub text: String,
    /// A character (with its marks) of a script without spaces.
    pub dense: bool,
    /// Dense, and right behind another one.
    pub glued: bool,
}

/// The units of a text, in its order.
#[must_use]
pub fn units(text: &str) -> Vec<Unit> {
    let folded = fold(text);
    let mut cut = Cut { units: Vec::new(), joins: false };
    for segment in folded.split_word_bounds() {
        if cut.units.len() >= MOST {
            break;
        }
        if segment.chars().any(char::is_alphanumeric) {
            cut.word(segment);
        } else if segment.chars().any(is_picture) {
            cut.push(segment.to_owned(), false);
        } else {
            cut.joins = false;
        }
    }
    cut.units.truncate(MOST);
    cut.units
}

/// Whether `part` stands in `text` as it is: unit by unit, and glued where it is glued.
#[must_use]
pub fn contains(text: &[Unit], part: &[Unit]) -> bool {
    let same = |(i, (a, b)): (usize, (&Unit, &Unit))| a.text == b.text && (i == 0 || a.glued || !b.glued);
    !part.is_empty() && text.windows(part.len()).any(|window| window.iter().zip(part).enumerate().all(same))
}

struct Cut {
    units: Vec<Unit>,
    /// A dense unit that comes now is glued to the last one.
    joins: bool,
}

impl Cut {
    /// A segment with letters or digits. What Unicode leaves inside words (apostrophes, dots between letters, low lines) parts them here: who
    /// looks for `bsky` wants `bsky.app` too, and `été` also in `l'été`; a query in one piece is a phrase, so that `l'été` finds just that.
    fn word(&mut self, segment: &str) {
        let mut word = String::new();
        for c in segment.chars() {
            // A mark of nothing is none: what Unicode joins it to differs with what stands around it.
            let is_letter = c.is_alphanumeric() && !(word.is_empty() && !is_dense(c) && is_combining_mark(c));
            if is_dense(c) && is_letter {
                self.end(&mut word);
                self.push(c.to_string(), true);
            } else if is_letter || (!is_separator(c) && !word.is_empty()) {
                word.push(c);
            } else if !is_separator(c) {
                // A mark of the character before.
                if let Some(last) = self.units.last_mut().filter(|last| last.dense && self.joins) {
                    last.text.push(c);
                }
            } else {
                self.end(&mut word);
                self.joins = false;
            }
        }
        self.end(&mut word);
    }

    fn end(&mut self, word: &mut String) {
        if !word.is_empty() {
            self.push(std::mem::take(word), false);
        }
    }

    fn push(&mut self, text: String, dense: bool) {
        self.units.push(Unit { text, dense, glued: dense && self.joins });
        self.joins = dense;
    }
}

/// What stands between letters and belongs to none.
fn is_separator(c: char) -> bool {
    c.is_ascii_punctuation() || c.is_whitespace() || matches!(u32::from(c), 0x00B7 | 0x0387 | 0x05F3..=0x05F4 | 0x2018..=0x203F)
}
