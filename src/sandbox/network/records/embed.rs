//! What posts carry: pictures, films, cards, and other records.

use fastrand::Rng;

use super::super::target::Target;
use super::super::words::Language;
use super::{blob, typed};
use crate::atproto::cbor::Value;

/// Another record: a post is quoted, everything else shown as a card.
pub(in super::super) fn quote(target: &Target) -> Value {
    typed("app.bsky.embed.record", [("record", target.strong_ref())])
}

/// Another record beside pictures or the like.
pub(in super::super) fn quote_with_media(target: &Target, rng: &mut Rng) -> Value {
    let media = match rng.u32(0..4) {
        0 => video(rng),
        1 => external(rng),
        2 => gallery(rng),
        _ => images(rng),
    };
    typed("app.bsky.embed.recordWithMedia", [("record", quote(target)), ("media", media)])
}

pub(in super::super) fn images(rng: &mut Rng) -> Value {
    let images = (0..rng.usize(1..=4)).map(|_| {
        let image = [("alt", alt(rng)), ("image", blob(rng, "image/jpeg"))];
        let ratio = (rng.u32(0..10) > 0).then(|| ("aspectRatio", ratio(rng)));
        Value::map(image.into_iter().chain(ratio))
    });
    typed("app.bsky.embed.images", [("images", Value::Array(images.collect()))])
}

pub(in super::super) fn gallery(rng: &mut Rng) -> Value {
    let items = (0..rng.usize(1..=10)).map(|_| {
        let image = [("alt", alt(rng)), ("image", blob(rng, "image/webp")), ("aspectRatio", ratio(rng))];
        typed("app.bsky.embed.gallery#image", image)
    });
    typed("app.bsky.embed.gallery", [("items", Value::Array(items.collect()))])
}

pub(in super::super) fn video(rng: &mut Rng) -> Value {
    let video = typed("app.bsky.embed.video", [("video", blob(rng, "video/mp4")), ("aspectRatio", ratio(rng))]);
    let Value::Map(mut entries) = video else { return video };
    match rng.u32(0..4) {
        0 => {
            let caption = Value::map([("lang", Value::text("en")), ("file", caption(rng))]);
            entries.push(("captions".to_owned(), Value::Array(vec![caption])));
        }
        1 => entries.push(("presentation".to_owned(), Value::text("gif"))),
        _ => {}
    }
    Value::Map(entries)
}

pub(in super::super) fn external(rng: &mut Rng) -> Value {
    let uri = format!("https://news.example.com/{:08x}", rng.u32(..));
    let language = Language::choose(rng);
    let card = [
        ("uri", Value::text(uri)),
        ("title", Value::text(language.text(rng, 8, 60))),
        ("description", Value::text(language.text(rng, 25, 150))),
    ];
    let thumb = (rng.u32(0..4) > 0).then(|| ("thumb", blob(rng, "image/jpeg")));
    typed("app.bsky.embed.external", [("external", Value::map(card.into_iter().chain(thumb)))])
}

fn alt(rng: &mut Rng) -> Value {
    Value::text(if rng.bool() { String::new() } else { Language::choose(rng).text(rng, 10, 100) })
}

fn ratio(rng: &mut Rng) -> Value {
    Value::map([("width", Value::Int(i64::from(rng.u32(1..4000)))), ("height", Value::Int(i64::from(rng.u32(1..4000))))])
}

fn caption(rng: &mut Rng) -> Value {
    let Value::Map(mut entries) = blob(rng, "text/vtt") else { return Value::Null };
    for (_, size) in entries.iter_mut().filter(|(key, _)| key == "size") {
        *size = Value::Int(i64::from(rng.u32(100..20_000)));
    }
    Value::Map(entries)
}
