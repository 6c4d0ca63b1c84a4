//! The state of a post.

use std::collections::HashMap;

use crate::atproto::{Cid, Tid};
use crate::collection::{Post as Row, Ref, SubjectKind, unpack};
use crate::db::stat::{self, PostStat, Subject};
use crate::db::{Client, read};
use crate::query::QueryError;

/// A post as it stands.
#[derive(Debug, Clone)]
pub struct Post {
    pub row: Row,
    /// The record's bytes.
    pub record: Vec<u8>,
    /// Their hash.
    pub cid: Cid,
    pub stat: PostStat,
    /// Operators of this service took it down.
    pub taken_down: bool,
}

impl Post {
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

pub(super) async fn load(client: &Client, places: &[Ref]) -> Result<HashMap<Ref, Post>, QueryError> {
    if places.is_empty() {
        return Ok(HashMap::new());
    }
    let (stored, taken_down) = tokio::try_join!(read::post::at(client, places), read::takedown::of_posts(client, places))?;
    let posts = stored.into_iter().map(|stored| {
        let record = unpack(&stored.record)?;
        let place = Ref { rkey: stored.post.rkey, author: stored.post.author };
        let (cid, taken_down) = (Cid::dag_cbor(&record), taken_down.contains(&place));
        Ok((place, Post { row: stored.post, cid, record, stat: PostStat::default(), taken_down }))
    });
    posts.collect()
}

pub(super) async fn stats(client: &Client, posts: &[Ref]) -> Result<Vec<(Ref, PostStat)>, QueryError> {
    if posts.is_empty() {
        return Ok(Vec::new());
    }
    let kind = SubjectKind::Post.number();
    let subjects: Vec<Subject> = posts.iter().map(|place| Subject { sr: place.rkey, sa: place.author, kind }).collect();
    let stats = stat::of(client, &subjects).await?;
    Ok(stats.into_iter().map(|(subject, stat)| (Ref { rkey: subject.sr, author: subject.sa }, stat)).collect())
}
