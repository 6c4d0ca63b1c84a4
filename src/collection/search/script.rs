//! Which characters are written without spaces between words, which are pictures, and which marks are accents. Ranges of Unicode blocks; never
//! a dictionary.

/// Scripts whose words are not, or not always, set apart: pairs of neighbours are what is found. Hangul too: its particles stick to the words.
pub(super) fn is_dense(c: char) -> bool {
    is_han(c)
        || matches!(u32::from(c),
            0x0E00..=0x0EFF // Thai, Lao
            | 0x1000..=0x109F // Myanmar
            | 0x1100..=0x11FF | 0x3130..=0x318F | 0xA960..=0xA97F | 0xAC00..=0xD7FF // Hangul
            | 0x1780..=0x17FF // Khmer
            | 0x3040..=0x30FF | 0x31F0..=0x31FF // Kana
            | 0x3100..=0x312F | 0x31A0..=0x31BF // Bopomofo
        )
}

/// Chinese characters: one of them may be a word.
pub(super) fn is_han(c: char) -> bool {
    matches!(u32::from(c),
        0x2E80..=0x2FDF | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x323AF)
}

/// Emoji and other pictures, and the letters of flags.
pub(super) fn is_picture(c: char) -> bool {
    matches!(u32::from(c), 0x2190..=0x21FF | 0x2300..=0x23FF | 0x25A0..=0x27BF | 0x2900..=0x297F | 0x2B00..=0x2BFF | 0x1F000..=0x1FAFF)
}

/// What changes nothing about what is meant: joiners and marks of direction, soft hyphens, variants and skin tones of pictures. The joiner of
/// pictures is none of them.
pub(super) fn is_ignored(c: char) -> bool {
    matches!(u32::from(c),
        0x00AD | 0x0640 | 0x200C | 0x200E | 0x200F | 0x202A..=0x202E | 0x2060..=0x2064 | 0x2066..=0x2069 | 0xFE00..=0xFE0F | 0xFEFF
        | 0x1F3FB..=0x1F3FF)
}

/// Whether a mark with this combining class is an accent, a vowel point or the like, which does not matter. Not so viramas, nuktas and voicing
/// marks (7 to 9), nor the marks of scripts where they are vowels (84 to 132): there they make another word.
pub(super) fn is_accent(class: u8) -> bool {
    matches!(class, 1 | 10..=36 | 202..=240)
}
