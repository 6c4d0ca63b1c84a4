//! The state of what others ask or listen to, and may like: feed generators and labelers.

use super::count;
use crate::atproto::Cid;
use crate::collection::{Coll, EdgeKind, Pair, Ref, SubjectKind, unpack};
use crate::db::record::Path;
use crate::db::stat::Subject;
use crate::db::{Client, edge, read};
use crate::query::maps::Map;
use crate::query::{QueryError, Source};

/// A feed generator or a labeler as it stands.
#[derive(Debug, Clone)]
pub struct Service {
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

/// Whether records of this collection are services.
pub(super) fn is_service(coll: Coll) -> bool {
    coll == Coll::GENERATOR || coll == Coll::LABELER
}

pub(super) async fn load(source: &Source, viewer: Option<i32>, paths: &[Path]) -> Result<Map<Path, Service>, QueryError> {
    if paths.is_empty() {
        return Ok(Map::default());
    }
    let client: &Client = source;
    let of = |path: &Path| Some(Subject { sr: path.at.rkey, sa: path.at.author, kind: SubjectKind::of(path.coll)?.number() });
    let subjects: Vec<Subject> = paths.iter().filter_map(of).collect();
    let pair = |author| paths.iter().map(move |path| Pair { author, sr: path.at.rkey, sa: path.at.author, kind: 0 });
    let mut pairs: Vec<Pair> = viewer.into_iter().flat_map(pair).collect();
    pairs.sort_unstable();
    let likes = async { if pairs.is_empty() { Ok(Vec::new()) } else { Ok(edge::of(client, EdgeKind::Like, &pairs).await?) } };
    let (records, stats, likes, hidden) =
        tokio::try_join!(async { Ok(read::record::kept(client, paths).await?) }, count::of(source, &subjects), likes, async {
            Ok(read::takedown::of(client, paths).await?)
        },)?;
    let path = |kind: SubjectKind, rkey, author| Path { coll: kind.coll(), at: Ref { rkey, author } };
    let stats = stats.into_iter().filter_map(|(of, stat)| Some((path(SubjectKind::from_number(of.kind)?, of.sr, of.sa), stat.likes)));
    let stats: Map<Path, i32> = stats.collect();
    let likes = likes.into_iter().filter(|like| !like.is_duplicate());
    let likes = likes.filter_map(|like| Some((path(like.subject_kind()?, like.sr, like.sa), like.rkey)));
    let likes: Map<Path, i64> = likes.collect();
    let services = records.into_iter().map(|(path, packed)| {
        let record = unpack(&packed)?;
        let service = Service {
            cid: Cid::dag_cbor(&record),
            record,
            likes: stats.get(&path).copied().unwrap_or(0),
            like: likes.get(&path).copied(),
            taken_down: hidden.contains(&path),
        };
        Ok((path, service))
    });
    services.collect()
}
