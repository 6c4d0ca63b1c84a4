//! Every script, and that what is written and what is asked fit together.

use proptest::prelude::*;

use super::super::feed::post::PostFields;
use super::*;
use crate::atproto::cbor::Value;

fn post(text: &str) -> Vec<u8> {
    Value::map([("$type", Value::text("app.bsky.feed.post")), ("text", Value::text(text))]).encode()
}

fn document(text: &str) -> Document {
    let record = post(text);
    Document::of(&PostFields::of(&record).unwrap(), 7)
}

/// Whether a text is found by these words: by its tokens, and by what it says. Both must say the same, but that tokens may promise too much.
fn finds(text: &str, words: &str) -> bool {
    let (document, asked) = (document(text), Condition::words(words));
    let has = document.tokens();
    let tokens = all_tokens(std::iter::once(&asked));
    let holds = asked.holds(&document);
    assert!(!holds || tokens.iter().all(|token| has.contains(token)), "{words} in {text}");
    assert!(!tokens.is_empty() || asked.is_void(), "{words}");
    holds
}

#[test]
fn case_accents_and_compatible_forms_do_not_matter() {
    for (text, words) in [
        ("Crème brûlée à l'été", "creme BRULEE"),
        ("Crème brûlée à l'été", "ete"),
        ("Straße", "STRASSE"),
        ("GROẞ", "groß"),
        ("ＦＵＬＬ width", "full"),
        ("ﬁne", "fine"),
        ("İstanbul", "istanbul"),
        ("ΟΔΥΣΣΕΎΣ", "οδυσσευς"),
        ("Ёлка и ЧАЙ", "елка"),
        ("Việt Nam", "viet nam"),
        ("don’t stop", "don't"),
        ("so\u{ad}ft", "soft"),
    ] {
        assert!(finds(text, words), "{words} in {text}");
    }
    assert!(!finds("cats and dogs", "cat") && !finds("cats and dogs", "cats dogs"));
}

#[test]
fn every_script_is_found() {
    for (name, text, words, not) in [
        ("Cyrillic", "Доброе утро, мир", "УТРО", "утр"),
        ("Greek", "Καλημέρα κόσμε", "ΚΑΛΗΜΕΡΑ", "καλη"),
        ("Arabic", "السَّلَامُ عَلَيْكُمْ يا أصدقاء", "السلام", "سلا"),
        ("Hebrew", "שָׁלוֹם עולם", "שלום", "שלו"),
        ("Hindi", "नमस्ते दुनिया", "दुनिया", "दनिया"),
        ("Tamil", "வணக்கம் உலகம்", "உலகம்", "உலக"),
        ("Thai", "สวัสดีชาวโลก", "ชาวโลก", "ชาวเล"),
        ("Chinese", "我爱北京天安门", "天安门", "安天"),
        ("Japanese", "東京タワーへ行きました", "タワー", "ワタ"),
        ("Korean", "오늘 학교에서 공부했다", "학교", "교학"),
        ("emoji", "good morning 🌅👍🏽", "👍", "👎"),
        ("flags", "go 🇩🇪🇫🇷", "🇫🇷", "🇪🇫"),
    ] {
        assert!(finds(text, words), "{name}: {words} in {text}");
        assert!(!finds(text, not), "{name}: {not} not in {text}");
    }
    assert!(finds("我养了一只猫", "猫") && finds("ｶﾞﾝﾀﾞﾑ", "ガンダム") && !finds("カンタム", "ガンダム"));
    assert!(finds("iPhoneを買った", "iphone") && finds("iPhoneを買った", "iPhoneを") && finds("물 을 집", "을"));
}

/// Vowels and tones of Thai, Lao, Khmer and Myanmar belong to the letter that they are written on.
#[test]
fn a_letter_is_not_parted_from_its_marks() {
    let clusters = |text: &str| units(text).into_iter().map(|unit| unit.text).collect::<Vec<_>>();
    assert_eq!(clusters("นี่คือ"), ["นี่", "คื", "อ"]);
    assert_eq!(clusters("ກິນເຂົ້າ"), ["ກິ", "ນ", "ເ", "ຂົ້", "າ"]);
    assert_eq!(clusters("မြန်မာ"), ["မြ", "န်", "မာ"]);
    for text in ["นี่คือภาษาไทย", "ກິນເຂົ້າ", "ភាសាខ្មែរ", "한글과 漢字、かな"]
    {
        use unicode_segmentation::UnicodeSegmentation as _;
        let folded = fold(text);
        let all: Vec<&str> = folded.graphemes(true).filter(|g| g.chars().any(char::is_alphanumeric)).collect();
        assert_eq!(clusters(text), all, "{text}");
    }
    // ปี is no part of ปี่, and กน not of กิน.
    assert!(finds("ปี่พาทย์", "ปี่") && !finds("ปี่พาทย์", "ปี") && !finds("กินข้าว", "กน") && finds("กินข้าว", "ข้าว"));
}

fn with(embed: Value) -> Document {
    let record = Value::map([("$type", Value::text("app.bsky.feed.post")), ("text", Value::text("one two")), ("embed", embed)]).encode();
    Document::of(&PostFields::of(&record).unwrap(), 7)
}

fn embed<const N: usize>(kind: &str, fields: [(&'static str, Value); N]) -> Value {
    Value::map(fields.into_iter().chain([("$type", Value::text(format!("app.bsky.embed.{kind}")))]))
}

fn pictures(list: &'static str, alts: &[&str]) -> [(&'static str, Value); 1] {
    [(list, Value::Array(alts.iter().map(|alt| Value::map([("alt", Value::text(*alt))])).collect()))]
}

#[test]
fn a_post_is_found_by_what_its_pictures_show_and_its_card_says() {
    let card = || {
        Value::map([("uri", Value::text("https://x.example/")), ("title", Value::text("three four")), ("description", Value::text("five"))])
    };
    let both = embed("recordWithMedia", [("media", embed("images", pictures("images", &["three four", "five"])))]);
    for embed in [
        embed("images", pictures("images", &["three four", "five"])),
        embed("gallery", pictures("items", &["three four", "five"])),
        embed("video", [("alt", Value::text("three four; five"))]),
        embed("external", [("external", card())]),
        both,
    ] {
        let document = with(embed);
        let tokens = document.tokens();
        let finds = |words: &str| {
            let asked = Condition::words(words);
            let has = all_tokens(std::iter::once(&asked)).iter().all(|token| tokens.contains(token));
            assert!(has || !asked.holds(&document), "{words}");
            asked.holds(&document)
        };
        assert!(["one two", "three four", "five"].iter().all(|words| finds(words)), "{document:?}");
        // A phrase does not go on in another text.
        assert!(!finds("two three") && !finds("four one"));
    }
}

#[test]
fn what_is_embedded_is_bounded_too() {
    let long = (0..1000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
    let document = with(embed("gallery", pictures("items", &[long.as_str(); 40])));
    assert!(document.tokens().len() <= 330 && document.texts.iter().map(Vec::len).sum::<usize>() <= 322);
}

#[test]
fn a_phrase_stands_as_it_is() {
    assert!(finds("the quick, brown fox", "quick brown") && !finds("the quick, brown fox", "brown quick"));
    assert!(finds("see bsky.app/profile", "bsky.app") && finds("see bsky.app/profile", "profile") && !finds("bsky and app", "app.bsky"));
    assert!(!finds("東 京", "東京") && finds("大東京都", "東京"));
    assert!(!finds("anything", "!?"));
}

#[test]
fn what_a_post_holds_is_bounded() {
    for text in
        ["a b c d e f g ".repeat(50_000), "漢字仮名".repeat(50_000), "\u{fdfa}".repeat(3000), "\u{301}".repeat(3000), "👨‍👩‍👧".repeat(5000)]
    {
        let tokens = document(&text).tokens();
        assert!(tokens.len() <= 700, "{} of {}", tokens.len(), &text[..12]);
    }
}

#[test]
fn tokens_never_change() {
    let found =
        [level_token(0, 1 << 40), all_tokens([Condition::words("cat"), Condition::words("東京")].iter())[0], document("x").tokens()[0]];
    assert_eq!(found, [-880_394_757, -230_392_885, -1_880_705_321], "rows hold them: another value finds nothing that was written before");
}

#[test]
fn addresses_are_compared_without_what_does_not_matter() {
    assert_eq!(host("https://user@WWW.Example.COM:443/Path?q#f").as_deref(), Some("example.com"));
    assert_eq!(link("https://www.example.com/Path/?q=1#f").as_deref(), Some("example.com/Path/?q=1"));
    assert_eq!(link("http://example.com/").as_deref(), Some("example.com"));
    for no in ["", "example.com", "ftp://x.example", "https://", "https:///x"] {
        assert_eq!(host(no), None, "{no}");
    }
}

#[test]
fn names_are_found_by_beginnings_and_inside_scripts_without_spaces() {
    let finds = |name: &str, asked: &str| {
        let (name, asked) = (Name::of(name), Name::of(asked));
        let (has, wants) = (name.tokens(), asked.asked());
        assert!(!asked.is_in(&name) || wants.iter().all(|token| has.contains(token)));
        asked.is_in(&name)
    };
    assert!(finds("Alice Müller-Lüdenscheidt", "mul") && finds("Alice Müller", "muller ali") && !finds("Alice", "lice"));
    assert!(finds("山田太郎", "田太") && finds("山田太郎", "郎") && !finds("山田太郎", "田郎"));
    assert!(finds("Donaudampfschifffahrtsgesellschaft", "donaudampfschifff") && !finds("Donaudampfschiff", "donaudampfschule"));
    assert!(!finds("Alice", "") && !finds("", "a") && finds("🦋 Bob", "🦋"));
}

#[test]
fn a_handle_is_found_by_three_letters_in_a_row() {
    let gram = |text: &str| text.bytes().fold(0, |n, b| (n << 8) | i32::from(b));
    assert_eq!(grams("al", true), Some(vec![gram("^al")]));
    assert_eq!(grams("a", true), Some(vec![gram("^a")]));
    assert_eq!(grams(".test", false), Some(vec![gram(".te"), gram("est"), gram("tes")]));
    assert_eq!((grams("al", false), grams("", true), grams("é", true), grams("A", true)), (None, None, None, None));
}

proptest! {
    #[test]
    fn folding_again_changes_nothing(text in "\\PC{0,60}") {
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded);
    }

    #[test]
    fn what_holds_is_found(text in "[a-c\u{301}éß 東京北さがガ한글กำ🌅'.,!-]{0,40}", from in 0_usize..40, many in 1_usize..12) {
        let part: String = text.chars().skip(from).take(many).collect();
        finds(&text, &part);
        finds(&text, &part.to_uppercase());
    }

    #[test]
    fn a_post_is_found_by_each_of_its_words(text in "\\PC{0,60}") {
        let document = document(&text);
        for unit in &document.texts[0] {
            if !unit.dense {
                prop_assert!(finds(&text, &unit.text), "{} in {text}", unit.text);
            }
        }
    }

    #[test]
    fn bytes_from_anywhere_are_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let post = Post { rkey: 1, author: 1, flags: 0, parent: None, root: None, quote: None, mentions: Vec::new(), sort: None };
        prop_assert!(of_post(&post, &bytes).len() < 1000);
        prop_assert!(of_profile(1, &bytes).len() < 1000);
    }
}
