//! What people write: short texts in several languages, strung together by chance.

use fastrand::Rng;

/// A language and words of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Language {
    /// BCP 47 tag.
    pub tag: &'static str,
    words: &'static [&'static str],
    space: &'static str,
}

/// The languages of the network, the frequent ones first.
const LANGUAGES: &[Language] = &[
    Language {
        tag: "en",
        space: " ",
        words: &[
            "the", "morning", "coffee", "was", "good", "today", "I", "saw", "a", "heron", "by", "river", "who", "knows", "why", "new",
            "music", "out", "now", "please", "read", "this", "thread", "about", "trains", "and", "bread",
        ],
    },
    Language {
        tag: "ja",
        space: "",
        words: &["今日は", "とても", "いい", "天気", "です", "猫が", "寝て", "いる", "新しい", "絵を", "描きました", "ありがとう", "🐈"],
    },
    Language {
        tag: "pt",
        space: " ",
        words: &["bom", "dia", "gente", "hoje", "vai", "ter", "jogo", "que", "saudade", "do", "mar", "não", "é", "possível"],
    },
    Language {
        tag: "de",
        space: " ",
        words: &["heute", "gibt", "es", "Kuchen", "der", "Zug", "hat", "Verspätung", "schönes", "Wetter", "für", "müde", "Grüße"],
    },
    Language { tag: "ar", space: " ", words: &["صباح", "الخير", "اليوم", "قهوة", "جديد", "كتاب", "شكرا"] },
];

impl Language {
    /// A language, the first ones more often.
    pub(super) fn choose(rng: &mut Rng) -> &'static Self {
        let index = rng.usize(0..LANGUAGES.len()).min(rng.usize(0..LANGUAGES.len()));
        LANGUAGES.get(index).unwrap_or(&ENGLISH)
    }

    /// A text of `len` words.
    pub(super) fn text(&self, rng: &mut Rng, len: usize) -> String {
        let words: Vec<_> = (0..len).filter_map(|_| rng.choice(self.words).copied()).collect();
        words.join(self.space)
    }
}

static ENGLISH: Language = Language { tag: "en", space: " ", words: &["hello"] };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_enough_for_a_post() {
        let mut rng = Rng::with_seed(1);
        for _ in 0..1000 {
            let text = Language::choose(&mut rng).text(&mut rng, 30);
            assert!(!text.is_empty() && text.len() <= 3000 && text.chars().count() <= 300);
        }
    }
}
