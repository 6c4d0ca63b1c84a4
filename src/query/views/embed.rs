//! What posts embed: `app.bsky.embed.*#view`.

use serde::Serialize;
use serde_json::value::RawValue;

use super::actor::Basic;
use super::generator::GeneratorView;
use super::labeler::LabelerView;
use super::list::ListView;
use super::pack::StarterPackViewBasic;
use super::post::{Blocked, NotFound, Parts};
use super::urls::Preset;
use super::{Label, Views};
use crate::atproto::Cid;
use crate::collection::feed::post::{Media, MediaKind};
use crate::collection::{Coll, Fields, Ref};
use crate::db::record::Path;

/// An embedded post shows what it embeds itself; one inside that does not.
const DEPTH: usize = 2;

/// Any embed.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "$type")]
pub enum Embed<'a> {
    #[serde(rename = "app.bsky.embed.images#view")]
    Images { images: Vec<Image<'a>> },
    #[serde(rename = "app.bsky.embed.gallery#view")]
    Gallery { items: Vec<GalleryItem<'a>> },
    #[serde(rename = "app.bsky.embed.external#view")]
    External { external: External<'a> },
    #[serde(rename = "app.bsky.embed.video#view")]
    Video(Video<'a>),
    #[serde(rename = "app.bsky.embed.record#view")]
    Record { record: Box<Record<'a>> },
    #[serde(rename = "app.bsky.embed.recordWithMedia#view")]
    RecordWithMedia { record: RecordView<'a>, media: &'a RawValue },
    /// One of the first four, as it was written before.
    #[serde(untagged)]
    Written(&'a RawValue),
}

/// `app.bsky.embed.images#viewImage`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Image<'a> {
    pub thumb: String,
    pub fullsize: String,
    pub alt: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<AspectRatio>,
}

/// An item of a gallery: only pictures so far.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "$type")]
pub enum GalleryItem<'a> {
    #[serde(rename = "app.bsky.embed.gallery#viewImage", rename_all = "camelCase")]
    Image { thumbnail: String, fullsize: String, alt: &'a str, aspect_ratio: AspectRatio },
}

/// `app.bsky.embed.defs#aspectRatio`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AspectRatio {
    pub width: i64,
    pub height: i64,
}

/// `app.bsky.embed.external#viewExternal`.
#[derive(Debug, Clone, Serialize)]
pub struct External<'a> {
    pub uri: &'a str,
    pub title: &'a str,
    pub description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumb: Option<String>,
}

/// `app.bsky.embed.video#view`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Video<'a> {
    pub cid: String,
    pub playlist: String,
    pub thumbnail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alt: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<AspectRatio>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presentation: Option<&'a str>,
}

/// `app.bsky.embed.record#view` as a part of another embed.
#[derive(Debug, Clone, Serialize)]
pub struct RecordView<'a> {
    pub record: Box<Record<'a>>,
}

/// The record that is embedded, or why it is not shown.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "$type")]
pub enum Record<'a> {
    #[serde(rename = "app.bsky.embed.record#viewRecord")]
    Post(Box<Quoted<'a>>),
    #[serde(rename = "app.bsky.embed.record#viewNotFound")]
    NotFound(NotFound<'a>),
    #[serde(rename = "app.bsky.embed.record#viewBlocked")]
    Blocked(Box<Blocked<'a>>),
    #[serde(rename = "app.bsky.embed.record#viewDetached")]
    Detached { uri: &'a str, detached: bool },
    #[serde(rename = "app.bsky.feed.defs#generatorView")]
    Generator(Box<GeneratorView<'a>>),
    #[serde(rename = "app.bsky.labeler.defs#labelerView")]
    Labeler(Box<LabelerView<'a>>),
    #[serde(rename = "app.bsky.graph.defs#listView")]
    List(Box<ListView<'a>>),
    #[serde(rename = "app.bsky.graph.defs#starterPackViewBasic")]
    StarterPack(Box<StarterPackViewBasic<'a>>),
}

/// `app.bsky.embed.record#viewRecord` of a post.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quoted<'a> {
    pub uri: &'a str,
    pub cid: &'a str,
    pub author: Basic<'a>,
    pub value: &'a RawValue,
    pub labels: Vec<Label<'a>>,
    pub like_count: i32,
    pub reply_count: i32,
    pub repost_count: i32,
    pub quote_count: i32,
    pub indexed_at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embeds: Option<Vec<Embed<'a>>>,
}

impl<'a> Views<'a> {
    /// What the post with these parts embeds, itself standing `depth` posts deep.
    pub(super) fn embed(&self, parts: &Parts<'a>, depth: usize) -> Option<Embed<'a>> {
        if depth >= DEPTH {
            return None;
        }
        let media = parts.written.media.as_deref();
        let record = parts.written.embedded.as_deref().map(|uri| Box::new(self.record(parts, uri, depth + 1)));
        match (record, media) {
            (Some(record), Some(media)) => Some(Embed::RecordWithMedia { record: RecordView { record }, media }),
            (Some(record), None) => Some(Embed::Record { record }),
            (None, media) => media.map(Embed::Written),
        }
    }

    /// The record that the post with these parts embeds, or why it is not shown there.
    fn record(&self, parts: &Parts<'a>, uri: &'a str, depth: usize) -> Record<'a> {
        let not_found = || Record::NotFound(NotFound::new(uri));
        let post = parts.state.row.place();
        let embedded = self.state.embedded(post);
        let Some(place) = embedded.map(|path| path.at).or(parts.state.row.quote) else { return not_found() };
        if self.state.is_blocked(place.author) || self.state.splits(post, Some(place)) {
            return self.blocked(place.author, uri).map_or_else(not_found, |blocked| Record::Blocked(Box::new(blocked)));
        }
        if let Some(path) = embedded {
            return self.embedded(path).unwrap_or_else(not_found);
        }
        if self.state.is_detached(post) {
            return Record::Detached { uri, detached: true };
        }
        match self.quoted(place, depth) {
            None => not_found(),
            Some(_) if self.state.detaches(place, &parts.written.uri) => Record::Detached { uri, detached: true },
            Some(quoted) => Record::Post(Box::new(quoted)),
        }
    }

    /// What stands in a post for a record that is no post.
    fn embedded(&self, path: Path) -> Option<Record<'a>> {
        match path.coll {
            Coll::GENERATOR => self.generator(path.at).map(|generator| Record::Generator(Box::new(generator))),
            Coll::LABELER => self.labeler(path.at).map(|labeler| Record::Labeler(Box::new(labeler))),
            Coll::LIST => self.list(path.at).map(|list| Record::List(Box::new(list))),
            Coll::STARTERPACK => self.pack_basic(path.at).map(|pack| Record::StarterPack(Box::new(pack))),
            _ => None,
        }
    }

    fn quoted(&self, place: Ref, depth: usize) -> Option<Quoted<'a>> {
        let parts = self.parts(place)?;
        let state = parts.state;
        let embeds = (depth < DEPTH).then(|| self.embed(&parts, depth).into_iter().collect());
        Some(Quoted {
            uri: &parts.written.uri,
            cid: &parts.written.cid,
            author: parts.author,
            value: &state.json,
            labels: parts.labels,
            like_count: state.stat.likes,
            reply_count: state.stat.replies,
            repost_count: state.stat.reposts,
            quote_count: state.stat.quotes,
            indexed_at: &parts.written.indexed_at,
            embeds,
        })
    }

    /// What a post of `did` embeds besides a record.
    pub(super) fn media<'m>(&self, did: &str, media: &Media<'m>) -> Option<Embed<'m>> {
        let fields = &media.fields;
        Some(match media.kind {
            MediaKind::Images => Embed::Images { images: maps(fields, "images").filter_map(|image| self.image(did, &image)).collect() },
            MediaKind::Gallery => {
                Embed::Gallery { items: maps(fields, "items").filter_map(|item| self.gallery_item(did, &item)).collect() }
            }
            MediaKind::External => Embed::External { external: self.external(did, &fields.map("external")?)? },
            MediaKind::Video => Embed::Video(self.video(did, fields)?),
        })
    }

    fn image<'m>(&self, did: &str, image: &Fields<'m>) -> Option<Image<'m>> {
        let (thumb, fullsize) = self.picture(did, &image.blob("image")?);
        Some(Image { thumb, fullsize, alt: image.text("alt").unwrap_or_default(), aspect_ratio: aspect_ratio(image) })
    }

    fn gallery_item<'m>(&self, did: &str, item: &Fields<'m>) -> Option<GalleryItem<'m>> {
        let (thumbnail, fullsize) = self.picture(did, &item.blob("image")?);
        let alt = item.text("alt").unwrap_or_default();
        Some(GalleryItem::Image { thumbnail, fullsize, alt, aspect_ratio: aspect_ratio(item)? })
    }

    fn picture(&self, did: &str, cid: &Cid) -> (String, String) {
        (self.urls.image(Preset::FeedThumbnail, did, cid), self.urls.image(Preset::FeedFullsize, did, cid))
    }

    pub(super) fn external<'m>(&self, did: &str, external: &Fields<'m>) -> Option<External<'m>> {
        Some(External {
            uri: external.text("uri")?,
            title: external.text("title").unwrap_or_default(),
            description: external.text("description").unwrap_or_default(),
            thumb: external.blob("thumb").map(|cid| self.urls.image(Preset::FeedThumbnail, did, &cid)),
        })
    }

    fn video<'m>(&self, did: &str, video: &Fields<'m>) -> Option<Video<'m>> {
        let cid = video.blob("video")?;
        Some(Video {
            playlist: self.urls.playlist(did, &cid),
            thumbnail: self.urls.video_thumbnail(did, &cid),
            cid: cid.to_string(),
            alt: video.text("alt"),
            aspect_ratio: aspect_ratio(video),
            presentation: video.text("presentation"),
        })
    }
}

fn maps<'a>(fields: &Fields<'a>, key: &str) -> impl Iterator<Item = Fields<'a>> + use<'a> {
    fields.items(key).filter_map(Fields::at)
}

fn aspect_ratio(fields: &Fields<'_>) -> Option<AspectRatio> {
    let ratio = fields.map("aspectRatio")?;
    Some(AspectRatio { width: ratio.int("width")?, height: ratio.int("height")? })
}
