//! The state of a feed generator, and which posts embed one.

use std::collections::{HashMap, HashSet};

use super::post::Post;
use crate::atproto::Cid;
use crate::collection::feed::post::PostFields;
use crate::collection::{Coll, EdgeKind, Pair, Ref, SubjectKind, unpack};
use crate::db::record::Path;
use crate::db::stat::{self, Subject};
use crate::db::{Client, edge, read};
use crate::query::{QueryError, names};

/// A feed generator as it stands.
#[derive(Debug, Clone)]
pub struct Generator {
    /// The record's bytes.
    pub record: Vec<u8>,
    /// Their hash.
    pub cid: Cid,
    pub likes: i32,
    /// Key of the like of the one who reads.
    pub like: Option<i64>,
    /// Operators of this service took it down.
    pub taken_down: bool,
}

pub(super) async fn load(client: &Client, viewer: Option<i32>, places: &[Ref]) -> Result<HashMap<Ref, Generator>, QueryError> {
    if places.is_empty() {
        return Ok(HashMap::new());
    }
    let paths: Vec<Path> = places.iter().map(|at| Path { coll: Coll::GENERATOR, at: *at }).collect();
    let kind = SubjectKind::Generator.number();
    let subjects: Vec<Subject> = places.iter().map(|at| Subject { sr: at.rkey, sa: at.author, kind }).collect();
    let pair = |author| places.iter().map(move |at| Pair { author, sr: at.rkey, sa: at.author, kind: 0 });
    let mut pairs: Vec<Pair> = viewer.into_iter().flat_map(pair).collect();
    pairs.sort_unstable();
    let likes = async { if pairs.is_empty() { Ok(Vec::new()) } else { edge::of(client, EdgeKind::Like, &pairs).await } };
    let (records, stats, likes, hidden) =
        tokio::try_join!(read::record::kept(client, &paths), stat::of(client, &subjects), likes, read::takedown::of(client, &paths))?;
    let stats: HashMap<Ref, i32> = stats.into_iter().map(|(of, stat)| (Ref { rkey: of.sr, author: of.sa }, stat.likes)).collect();
    let likes = likes.into_iter().filter(|like| !like.is_duplicate() && like.subject_kind() == Some(SubjectKind::Generator));
    let likes: HashMap<Ref, i64> = likes.map(|like| (Ref { rkey: like.sr, author: like.sa }, like.rkey)).collect();
    let generators = records.into_iter().map(|(path, packed)| {
        let record = unpack(&packed)?;
        let generator = Generator {
            cid: Cid::dag_cbor(&record),
            record,
            likes: stats.get(&path.at).copied().unwrap_or(0),
            like: likes.get(&path.at).copied(),
            taken_down: hidden.contains(&path),
        };
        Ok((path.at, generator))
    });
    generators.collect()
}

/// Which of these posts embed a feed generator, held or not: as a rule none does.
pub(super) async fn embedded(client: &Client, posts: &HashMap<Ref, Post>) -> Result<HashMap<Ref, Ref>, QueryError> {
    let uris: Vec<(Ref, &str)> = posts.iter().filter_map(|(place, post)| Some((*place, embedded_uri(post)?))).collect();
    if uris.is_empty() {
        return Ok(HashMap::new());
    }
    let distinct: HashSet<&str> = uris.iter().map(|(_, uri)| *uri).collect();
    let places = names::records(client, Coll::GENERATOR, distinct.into_iter()).await?;
    Ok(uris.into_iter().filter_map(|(post, uri)| Some((post, *places.get(uri)?))).collect())
}

fn embedded_uri(post: &Post) -> Option<&str> {
    if post.row.quote.is_some() {
        return None;
    }
    let uri = PostFields::of(&post.record)?.embed?.record?.uri;
    uri.contains("/app.bsky.feed.generator/").then_some(uri)
}
