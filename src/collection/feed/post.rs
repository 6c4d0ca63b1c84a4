//! `app.bsky.feed.post`: its row, and the fields that views read. The record itself is kept whole.

use super::super::fields::{Fields, StrongRef};
use super::super::refs::{Ref, Target};
use super::super::sort::sort_key;
use super::super::types::{Shape, Type};
use super::super::{Coll, Derived, Ids, Names, Place, RecordError, Row};
use crate::atproto::Did;

pub(in super::super) const TYPE: Type = Type { coll: Coll::POST, shape: Shape::Own { names, row } };

/// Has a `reply`, whatever it names.
pub const FLAG_REPLY: i16 = 1;
/// Embeds a post: `quote` is set.
pub const FLAG_QUOTE: i16 = 2;
/// Embeds pictures or a video.
pub const FLAG_MEDIA: i16 = 4;
/// Embeds a video.
pub const FLAG_VIDEO: i16 = 8;
/// Violates the gate of its thread, as judged when it came. No record says so: only `index/` sets it.
pub const FLAG_VIOLATES: i16 = 16;
/// Quotes a post whose author allows no quotes, as judged when it came. No record says so: only `index/` sets it.
pub const FLAG_DETACHED: i16 = 32;

/// Accounts that a post mentions, as far as anything follows from it: more than 300 graphemes hold of real handles, and no record of a
/// megabyte notifies thousands.
pub const MAX_MENTIONS: usize = 50;

/// A row of the table `post`, without the record's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    pub rkey: i64,
    pub author: i32,
    pub flags: i16,
    /// The post that it replies to; `None` also where that is no `at://did/app.bsky.feed.post/rkey`.
    pub parent: Option<Ref>,
    /// The post that its thread began with, where that is not the parent.
    pub root: Option<Ref>,
    /// The post that it embeds.
    pub quote: Option<Ref>,
    /// The accounts that its facets mention, each once. Only the record tells them: empty where a row was read from the database.
    pub mentions: Vec<i32>,
    /// sortAt as the value of a TID, where it is over a minute from the key's time.
    pub sort: Option<i64>,
}

impl Post {
    #[must_use]
    pub fn place(&self) -> Ref {
        Ref { rkey: self.rkey, author: self.author }
    }

    /// The post that its thread began with; `None` where it is no reply to a post.
    #[must_use]
    pub fn thread(&self) -> Option<Ref> {
        self.root.or(self.parent)
    }
}

/// What views read of a post.
#[derive(Debug, Clone)]
pub struct PostFields<'a> {
    pub text: &'a str,
    pub created_at: &'a str,
    pub reply: Option<Reply<'a>>,
    pub embed: Option<Embed<'a>>,
    all: Fields<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    pub root: StrongRef<'a>,
    pub parent: StrongRef<'a>,
}

/// An embed, taken apart: `recordWithMedia` has both.
#[derive(Debug, Clone)]
pub struct Embed<'a> {
    pub record: Option<StrongRef<'a>>,
    pub media: Option<Media<'a>>,
}

/// What is embedded besides a record.
#[derive(Debug, Clone)]
pub struct Media<'a> {
    pub kind: MediaKind,
    /// Its fields, as the lexicon of its kind has them.
    pub fields: Fields<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    Images,
    Gallery,
    Video,
    External,
}

impl<'a> PostFields<'a> {
    /// The fields of a post; `None` where the record is no map.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        let all = Fields::of(record)?;
        let reply = all.map("reply").and_then(|reply| Some(Reply { root: reply.strong_ref("root")?, parent: reply.strong_ref("parent")? }));
        Some(Self {
            text: all.text("text").unwrap_or_default(),
            created_at: all.text("createdAt").unwrap_or_default(),
            reply,
            embed: all.map("embed").and_then(|embed| Embed::of(&embed)),
            all,
        })
    }

    /// The languages that the author gave.
    pub fn langs(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.all.items("langs").filter_map(|mut item| item.text().ok())
    }

    /// The DIDs that its facets mention, each once, at most [`MAX_MENTIONS`].
    #[must_use]
    pub fn mentions(&self) -> Vec<&'a str> {
        let facets = self.all.items("facets").filter_map(Fields::at);
        let features = facets.flat_map(|facet| facet.items("features")).filter_map(Fields::at);
        let mentions = features.filter(|feature| feature.text("$type") == Some("app.bsky.richtext.facet#mention"));
        let mut dids: Vec<&str> = Vec::new();
        for did in mentions.filter_map(|mention| mention.text("did")).filter(|did| Did::is_valid(did)) {
            if dids.len() == MAX_MENTIONS {
                break;
            }
            if !dids.contains(&did) {
                dids.push(did);
            }
        }
        dids
    }

    /// Every other field.
    #[must_use]
    pub fn all(&self) -> &Fields<'a> {
        &self.all
    }

    fn refs(&self) -> Refs<'a> {
        let parent = self.reply.and_then(|reply| post(reply.parent));
        let root = self.reply.and_then(|reply| post(reply.root)).filter(|root| Some(*root) != parent);
        let quote = self.embed.as_ref().and_then(|embed| post(embed.record?));
        Refs { parent, root, quote }
    }

    fn flags(&self) -> i16 {
        let media = self.embed.as_ref().and_then(|embed| embed.media.as_ref()).map_or(0, |media| match media.kind {
            MediaKind::Images | MediaKind::Gallery => FLAG_MEDIA,
            MediaKind::Video => FLAG_MEDIA | FLAG_VIDEO,
            MediaKind::External => 0,
        });
        let reply = if self.all.get("reply").is_some() { FLAG_REPLY } else { 0 };
        let quote = if self.refs().quote.is_some() { FLAG_QUOTE } else { 0 };
        reply | quote | media
    }
}

impl<'a> Embed<'a> {
    fn of(embed: &Fields<'a>) -> Option<Self> {
        Some(match embed.text("$type")? {
            "app.bsky.embed.record" => Self { record: embed.strong_ref("record"), media: None },
            "app.bsky.embed.recordWithMedia" => Self {
                record: embed.map("record").and_then(|record| record.strong_ref("record")),
                media: embed.map("media").and_then(Media::of),
            },
            _ => Self { record: None, media: Some(Media::of(embed.clone())?) },
        })
    }
}

impl<'a> Media<'a> {
    fn of(fields: Fields<'a>) -> Option<Self> {
        let kind = match fields.text("$type")? {
            "app.bsky.embed.images" => MediaKind::Images,
            "app.bsky.embed.gallery" => MediaKind::Gallery,
            "app.bsky.embed.video" => MediaKind::Video,
            "app.bsky.embed.external" => MediaKind::External,
            _ => return None,
        };
        Some(Self { kind, fields })
    }
}

/// The posts that a post names.
struct Refs<'a> {
    parent: Option<Target<'a>>,
    root: Option<Target<'a>>,
    quote: Option<Target<'a>>,
}

fn post(reference: StrongRef<'_>) -> Option<Target<'_>> {
    Target::parse(reference.uri).filter(|target| target.coll == Coll::POST)
}

fn names<'a>(record: &'a [u8], into: &mut Names<'a>) {
    let Some(fields) = PostFields::of(record) else { return };
    let refs = fields.refs();
    for target in [refs.parent, refs.root, refs.quote].into_iter().flatten() {
        target.name(into);
    }
    into.dids.extend(fields.mentions());
}

fn row(place: Place, record: &[u8], ids: &dyn Ids) -> Result<Row, RecordError> {
    let Some(fields) = PostFields::of(record) else { return Ok(Row::Whole(Derived::Nothing)) };
    let refs = fields.refs();
    let resolve = |target: Option<Target<'_>>| target.map(|target| target.resolve(ids)).transpose();
    Ok(Row::Post(Box::new(Post {
        rkey: place.rkey,
        author: place.author,
        flags: fields.flags(),
        parent: resolve(refs.parent)?,
        root: resolve(refs.root)?,
        quote: resolve(refs.quote)?,
        mentions: fields.mentions().into_iter().map(|did| ids.account(did).ok_or(RecordError::Unnamed)).collect::<Result<_, _>>()?,
        sort: sort_key(place.rkey, Some(fields.created_at), place.indexed_at),
    })))
}
