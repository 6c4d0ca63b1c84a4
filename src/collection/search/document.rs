//! What can be asked of a post, read from its record: its words, those of its pictures and of its card, tags, languages, whom it mentions, where
//! it links to, who wrote it.

use std::fmt::Write as _;

use super::super::feed::post::{Media, MediaKind, PostFields};
use super::super::fields::Fields;
use super::fold::fold;
use super::token::{AUTHOR, HOST, LANG, LINK, MENTION, PAIR, TAG, WORD, token};
use super::unit::{Unit, units};

/// Tags, languages and links of a post that it is found by; the lexicon allows 8 tags and 3 languages beside facets.
const MOST: usize = 32;
/// Texts of what is embedded that it is found by: a gallery has 20 pictures at most.
const TEXTS: usize = 20;
/// Units of all of these together, as many as of a text: descriptions have no bound of their own, and every unit is tokens in the row.
const EMBEDDED: usize = 320;

/// A post, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    pub(super) author: i32,
    /// Its own text, and those of what it embeds: nothing that is looked for reaches from one into the next.
    pub(super) texts: Vec<Vec<Unit>>,
    /// Folded.
    pub(super) tags: Vec<String>,
    /// In lower case.
    pub(super) langs: Vec<String>,
    /// DIDs.
    pub(super) mentions: Vec<String>,
    pub(super) hosts: Vec<String>,
    pub(super) links: Vec<String>,
}

impl Document {
    #[must_use]
    pub fn of(fields: &PostFields<'_>, author: i32) -> Self {
        let mut links: Vec<&str> = Vec::new();
        let mut tags: Vec<&str> = fields.all().items("tags").filter_map(|mut tag| tag.text().ok()).take(MOST).collect();
        let facets = fields.all().items("facets").filter_map(Fields::at);
        for feature in facets.flat_map(|facet| facet.items("features")).filter_map(Fields::at) {
            match feature.text("$type") {
                Some("app.bsky.richtext.facet#link") => links.extend(feature.text("uri")),
                Some("app.bsky.richtext.facet#tag") => tags.extend(feature.text("tag")),
                _ => {}
            }
            if links.len() >= MOST || tags.len() >= 2 * MOST {
                break;
            }
        }
        let media = fields.embed.as_ref().and_then(|embed| embed.media.as_ref());
        let mut texts = vec![units(fields.text)];
        texts.extend(media.map(embedded).unwrap_or_default());
        let external = media.filter(|media| media.kind == MediaKind::External).and_then(|media| media.fields.map("external"));
        links.extend(external.and_then(|external| external.text("uri")));
        Self {
            author,
            texts,
            tags: each_once(tags.into_iter().map(tag)),
            langs: each_once(fields.langs().take(MOST).map(str::to_ascii_lowercase)),
            mentions: fields.mentions().into_iter().map(str::to_owned).collect(),
            hosts: each_once(links.iter().filter_map(|uri| host(uri))),
            links: each_once(links.iter().filter_map(|uri| link(uri))),
        }
    }

    /// Everything that the post is found by but its time; not sorted.
    #[must_use]
    pub fn tokens(&self) -> Vec<i32> {
        let mut tokens = vec![author(self.author)];
        tokens.extend(self.tags.iter().map(|tag| token(TAG, &[tag.as_bytes()])));
        tokens.extend(self.langs.iter().map(|lang| self::lang(lang)));
        tokens.extend(self.mentions.iter().map(|did| token(MENTION, &[did.as_bytes()])));
        tokens.extend(self.hosts.iter().map(|host| token(HOST, &[host.as_bytes()])));
        tokens.extend(self.links.iter().map(|link| token(LINK, &[link.as_bytes()])));
        self.texts.iter().for_each(|units| of_units(units, &mut tokens));
        tokens
    }
}

/// The texts of what is embedded: what pictures and videos show, in the author's words; title and description of a card.
fn embedded(media: &Media<'_>) -> Vec<Vec<Unit>> {
    let fields = &media.fields;
    let alts = |list| fields.items(list).filter_map(Fields::at).filter_map(|item| item.text("alt")).take(TEXTS).collect();
    let texts: Vec<&str> = match media.kind {
        MediaKind::Images => alts("images"),
        MediaKind::Gallery => alts("items"),
        MediaKind::Video => fields.text("alt").into_iter().collect(),
        MediaKind::External => fields
            .map("external")
            .map_or_else(Vec::new, |card| [card.text("title"), card.text("description")].into_iter().flatten().collect()),
    };
    let (mut all, mut left) = (Vec::new(), EMBEDDED);
    for text in texts {
        let mut units = units(text);
        units.truncate(left);
        left -= units.len();
        if !units.is_empty() {
            all.push(units);
        }
    }
    all
}

/// The tokens of a text: its words; of scripts without spaces the pairs, and single characters that may be words: Chinese ones, those with marks,
/// and those that stand alone.
pub(super) fn of_units(units: &[Unit], into: &mut Vec<i32>) {
    for (at, unit) in units.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| units.get(before));
        if let Some(before) = before.filter(|_| unit.glued) {
            into.push(pair(before, unit));
        }
        if !unit.dense || unit.is_syllable() || is_alone(units, at) {
            into.push(word(&unit.text));
        }
    }
}

/// Whether nothing is glued to this dense unit.
pub(super) fn is_alone(units: &[Unit], at: usize) -> bool {
    let glued = |at: usize| units.get(at).is_some_and(|unit| unit.glued);
    !glued(at) && !glued(at + 1)
}

pub(super) fn word(text: &str) -> i32 {
    token(WORD, &[text.as_bytes()])
}

pub(super) fn pair(one: &Unit, two: &Unit) -> i32 {
    token(PAIR, &[one.text.as_bytes(), b" ", two.text.as_bytes()])
}

pub(super) fn author(id: i32) -> i32 {
    token(AUTHOR, &[&id.to_le_bytes()])
}

/// Of a language's first part: regions and scripts are looked at later.
pub(super) fn lang(tag: &str) -> i32 {
    token(LANG, &[tag.split('-').next().unwrap_or_default().as_bytes()])
}

/// A tag as it is compared.
pub(super) fn tag(text: &str) -> String {
    fold(text.trim_start_matches(['#', '＃']))
}

/// The host of an address as it is compared: lower case, without `www.`, user and port; `None` where there is none.
#[must_use]
pub fn host(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = authority.rsplit('@').next().unwrap_or_default().split(':').next().unwrap_or_default();
    let name = fold(name.trim_end_matches('.'));
    let name = name.strip_prefix("www.").unwrap_or(&name);
    (!name.is_empty()).then(|| name.to_owned())
}

/// An address as it is compared: without scheme, `www.`, fragment and a slash at its end.
#[must_use]
pub fn link(uri: &str) -> Option<String> {
    let mut link = host(uri)?;
    let (_, rest) = uri.split_once("://")?;
    let path = rest.find(['/', '?', '#']).map_or("", |at| rest.get(at..).unwrap_or_default());
    let path = path.split('#').next().unwrap_or_default().trim_end_matches('/');
    write!(link, "{path}").ok()?;
    Some(link)
}

fn each_once(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for text in all {
        if once.len() < MOST && !text.is_empty() && !once.contains(&text) {
            once.push(text);
        }
    }
    once
}
