//! Folded text cut into what is found by itself: words by the rules of Unicode (UAX #29, by `unicode-segmentation`, which counts the lexicons'
//! graphemes already), single characters of scripts without spaces, pictures. Punctuation and spaces only part them.

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

use super::fold::fold;
use super::script::{is_dense, is_han, is_picture};

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

impl Unit {
    /// Whether a dense unit may be a word by itself, wherever it stands: a Chinese character, and a letter with marks, as many of the commonest
    /// words of Thai are.
    pub(super) fn is_syllable(&self) -> bool {
        self.dense && (self.text.chars().any(is_han) || self.text.chars().nth(1).is_some())
    }
}

/// The units of a text, in its order.
#[must_use]
pub fn units(text: &str) -> Vec<Unit> {
    let folded = fold(text);
    let mut cut = Cut { units: Vec::new(), joins: false };
    for segment in segments(&folded) {
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

/// The words of a text, and what stands between them. Where Unicode parts words inside a grapheme (as in stacked letters of Khmer), both are one.
fn segments(text: &str) -> impl Iterator<Item = &str> {
    let mut clusters = text.grapheme_indices(true).map(|(at, _)| at).peekable();
    let mut is_inside = move |at: usize| {
        while clusters.next_if(|cluster| *cluster < at).is_some() {}
        clusters.peek() != Some(&at)
    };
    let mut bounds = text.split_word_bound_indices().map(|(at, word)| (at, at + word.len())).peekable();
    std::iter::from_fn(move || {
        let (start, mut end) = bounds.next()?;
        while let Some((_, next)) = bounds.next_if(|(at, _)| is_inside(*at)) {
            end = next;
        }
        text.get(start..end)
    })
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
    ///
    /// A character of a script without spaces is taken with all its marks, vowels and tones (a grapheme): Thai would else be found by halves of
    /// its syllables.
    fn word(&mut self, segment: &str) {
        let mut word = String::new();
        for cluster in segment.graphemes(true) {
            if cluster.chars().next().is_some_and(|c| is_dense(c) && c.is_alphanumeric() && !is_combining_mark(c)) {
                self.end(&mut word);
                self.push(cluster.to_owned(), true);
                continue;
            }
            for c in cluster.chars() {
                // A mark of nothing is none: what Unicode joins it to differs with what stands around it.
                let is_letter = c.is_alphanumeric() && !(word.is_empty() && is_combining_mark(c));
                if is_letter || (!is_separator(c) && !word.is_empty()) {
                    word.push(c);
                } else if is_separator(c) {
                    self.end(&mut word);
                    self.joins = false;
                } else if let Some(last) = self.units.last_mut().filter(|last| last.dense && self.joins) {
                    // Some vowels of Myanmar are clusters by themselves, and no letters all the same.
                    last.text.push(c);
                }
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
