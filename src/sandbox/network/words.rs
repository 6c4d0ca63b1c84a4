//! What people write: texts in several languages and scripts, strung together by chance.

use fastrand::Rng;

/// A language and words of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Language {
    /// BCP 47 tag.
    pub tag: &'static str,
    words: &'static [&'static str],
    pub space: &'static str,
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
        tag: "tr", space: " ", words: &["günaydın", "bugün", "çok", "güzel", "İstanbul", "ışık", "şimdi", "değil", "yağmur"]
    },
    Language {
        tag: "de",
        space: " ",
        words: &["heute", "gibt", "es", "Kuchen", "der", "Zug", "hat", "Verspätung", "schönes", "Wetter", "für", "müde", "Grüße"],
    },
    Language {
        tag: "es", space: " ", words: &["buenos", "días", "mañana", "el", "niño", "¿qué", "tal?", "canción", "corazón", "lluvia"]
    },
    Language {
        tag: "ko", space: " ", words: &["오늘은", "날씨가", "정말", "좋아요", "고양이", "새로운", "노래", "감사합니다", "사랑해"]
    },
    Language {
        tag: "ru", space: " ", words: &["доброе", "утро", "сегодня", "кофе", "новая", "книга", "поезд", "снег", "спасибо", "кот"]
    },
    Language {
        tag: "ar", space: " ", words: &["صباح", "الخير", "اليوم", "قهوة", "جديد", "كتاب", "شكرا", "مُحَمَّد"]
    },
    Language {
        tag: "th", space: "", words: &["สวัสดี", "ตอนเช้า", "วันนี้", "อากาศ", "ดีมาก", "แมว", "นอนหลับ", "ขอบคุณ"]
    },
    Language {
        tag: "zh", space: "", words: &["今天", "天气", "很好", "我们", "去", "看", "海", "新的", "音乐", "谢谢", "𠮷野家"]
    },
    Language {
        tag: "hi", space: " ", words: &["नमस्ते", "आज", "मौसम", "अच्छा", "है", "किताब", "बिल्ली", "धन्यवाद"]
    },
    // Letters and their accents apart, as some keyboards write them; and emoji of several code points.
    Language {
        tag: "vi",
        space: " ",
        words: &["cha\u{300}o", "buo\u{302}\u{309}i", "sa\u{301}ng", "me\u{300}o", "ca\u{300}", "phe\u{302}"],
    },
    Language {
        tag: "en", space: "", words: &["😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇺🇦", "❤️", "🧑🏿‍🚀"]
    },
];

/// A plain language for where a text must be short and of one script.
pub(super) static ENGLISH: Language = Language { tag: "en", space: " ", words: &["hello", "people", "good", "things", "quiet", "birds"] };

impl Language {
    /// A language, the first ones more often.
    pub(super) fn choose(rng: &mut Rng) -> &'static Self {
        let index = rng.usize(0..LANGUAGES.len()).min(rng.usize(0..LANGUAGES.len()));
        LANGUAGES.get(index).unwrap_or(&ENGLISH)
    }

    /// A text of up to `len` words that is at most `most` characters long.
    pub(super) fn text(&self, rng: &mut Rng, len: usize, most: usize) -> String {
        let (mut text, mut chars) = (String::new(), 0);
        for _ in 0..len {
            let word = rng.choice(self.words).copied().unwrap_or_default();
            chars += word.chars().count() + self.space.len();
            if chars > most {
                break;
            }
            if !text.is_empty() {
                text.push_str(self.space);
            }
            text.push_str(word);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_enough_for_a_post() {
        let mut rng = Rng::with_seed(1);
        for _ in 0..1000 {
            let text = Language::choose(&mut rng).text(&mut rng, 80, 250);
            assert!(!text.is_empty() && text.len() <= 3000 && text.chars().count() <= 250);
        }
    }
}
