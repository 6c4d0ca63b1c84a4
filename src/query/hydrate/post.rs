//! The state of a post.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde_json::value::{RawValue, to_raw_value};

use super::count;
use super::embedded::embeds_record;
use crate::atproto::json::RecordJson;
use crate::atproto::{Cid, Tid};
use crate::collection::feed::postgate::PostgateFields;
use crate::collection::{Post as Row, Ref, SubjectKind, unpack};
use crate::db::stat::{PostStat, Subject};
use crate::db::{Client, read};
use crate::query::maps::Map;
use crate::query::{QueryError, Source};

/// What a post says; the same for everyone who reads it, until its author changes it.
#[derive(Debug)]
pub struct Content {
    pub row: Row,
    /// The record's bytes.
    pub record: Vec<u8>,
    /// The record as JSON: the same on every page.
    pub json: Box<RawValue>,
    /// Hash of the bytes.
    pub cid: Cid,
    /// Operators of this service took it down.
    pub taken_down: bool,
    /// It embeds a record that is no post and can be shown.
    pub embeds_record: bool,
    /// What its author allows of quotes; `None`: all.
    pub gate: Option<Box<QuoteGate>>,
    /// What its views say for all to read, made by the first of them (`views::written`).
    pub written: OnceLock<Written>,
}

/// The parts of a post's views that are the same on every page: made once, and gone with the post when that is forgotten.
#[derive(Debug)]
pub struct Written {
    pub uri: String,
    pub cid: String,
    /// sortAt, as text.
    pub indexed_at: String,
    /// The view of the pictures, video or card that it embeds.
    pub media: Option<Box<RawValue>>,
    /// The address of the record that it embeds.
    pub embedded: Option<String>,
    /// What it answers.
    pub reply: Option<WrittenReply>,
    /// Whether its author labelled it.
    pub has_own_labels: bool,
}

/// Addresses of the posts that a post answers, as its record has them.
#[derive(Debug)]
pub struct WrittenReply {
    pub root: String,
    pub parent: String,
}

/// Who may quote a post, and which posts may show it no longer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct QuoteGate {
    /// Nobody but its author.
    pub closed: bool,
    /// Addresses of posts.
    pub detached: Box<[Box<str>]>,
}

/// A post as it stands.
#[derive(Debug, Clone)]
pub struct Post {
    content: Arc<Content>,
    pub stat: PostStat,
}

impl Deref for Post {
    type Target = Content;

    fn deref(&self) -> &Content {
        &self.content
    }
}

impl Content {
    /// Bytes of what is on the heap, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let detached = |gate: &QuoteGate| gate.detached.iter().map(|uri| uri.len() + size_of::<Box<str>>()).sum::<usize>();
        // The view of what it embeds is made later, and is about as long as the record.
        2 * self.record.len() + self.json.get().len() + self.gate.as_deref().map_or(0, |gate| size_of::<QuoteGate>() + detached(gate))
    }

    /// sortAt in microseconds since 1970: min(createdAt, indexedAt), within a minute where the key tells it.
    #[must_use]
    pub fn sort_micros(&self) -> i64 {
        micros(self.row.sort.unwrap_or(self.row.rkey))
    }
}

/// Microseconds since 1970 of a sort key.
pub fn micros(sort_key: i64) -> i64 {
    Tid::from_value(sort_key).map_or(0, Tid::micros)
}

pub(super) async fn load(source: &Source, places: &[Ref]) -> Result<Map<Ref, Post>, QueryError> {
    let (mut known, missed) = source.recall(|cache| &cache.posts, places);
    if !missed.is_empty() {
        let read = contents(source, &missed).await?;
        source.keep(|cache| &cache.posts, read.iter().map(|(place, content)| (place, content)));
        known.extend(read);
    }
    Ok(known.into_iter().map(|(place, content)| (place, Post { content, stat: PostStat::default() })).collect())
}

/// The posts at `places`, as the database has them.
async fn contents(client: &Client, places: &[Ref]) -> Result<Vec<(Ref, Arc<Content>)>, QueryError> {
    let posts = read::post::shown(client, places).await?.into_iter().map(|shown| {
        let (stored, taken_down) = (shown.stored, shown.taken_down);
        let record = unpack(&stored.record)?;
        let place = stored.post.place();
        let cid = Cid::dag_cbor(&record);
        let json = to_raw_value(&RecordJson(&record)).map_err(QueryError::Json)?;
        let embeds_record = stored.post.quote.is_none() && embeds_record(&record);
        let gate = shown.gate.map(|packed| gate(&packed, place)).transpose()?.flatten();
        let written = OnceLock::new();
        Ok((place, Arc::new(Content { row: stored.post, record, json, cid, taken_down, embeds_record, gate, written })))
    });
    posts.collect()
}

/// `None`: it allows everything.
fn gate(packed: &[u8], post: Ref) -> Result<Option<Box<QuoteGate>>, QueryError> {
    let record = unpack(packed)?;
    let gate = PostgateFields::of(&record, post.rkey);
    let gate = gate.map(|fields| QuoteGate { closed: fields.closed, detached: fields.detached().map(Into::into).collect() });
    Ok(gate.filter(|gate| *gate != QuoteGate::default()).map(Box::new))
}

pub(super) async fn stats(source: &Source, posts: &[Ref]) -> Result<Vec<(Ref, PostStat)>, QueryError> {
    let kind = SubjectKind::Post.number();
    let subjects: Vec<Subject> = posts.iter().map(|place| Subject { sr: place.rkey, sa: place.author, kind }).collect();
    let stats = count::of(source, &subjects).await?;
    Ok(stats.into_iter().map(|(subject, stat)| (Ref { rkey: subject.sr, author: subject.sa }, stat)).collect())
}
