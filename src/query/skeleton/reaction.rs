//! Who liked or reposted a record, newest first.

use std::collections::{HashMap, HashSet};

use super::{Skeleton, Slice, before, cut, one_more};
use crate::atproto::{Cid, datetime};
use crate::collection::{Coll, Edge, Fields, Ref, SubjectKind, unpack};
use crate::db::Client;
use crate::db::read::{self, list};
use crate::db::record::Path;
use crate::db::stat::{self, Subject};
use crate::query::hydrate::{Hydration, Wanted};
use crate::query::{Cursor, QueryError};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    Like(SubjectKind),
    /// Of a post.
    Repost,
}

/// Those who did it with one record.
#[derive(Debug, Clone, Copy)]
pub struct Reactors {
    pub reaction: Reaction,
    pub subject: Ref,
    /// Only with this version of it.
    pub cid: Option<Cid>,
}

impl Reactors {
    fn kind(&self) -> SubjectKind {
        match self.reaction {
            Reaction::Like(kind) => kind,
            Reaction::Repost => SubjectKind::Post,
        }
    }

    /// Those of these edges that name the version `cid`: by their own record where that is kept, else by the CID that they all have in common.
    async fn of_version(&self, client: &Client, edges: Vec<Edge>, cid: &Cid) -> Result<Vec<Edge>, QueryError> {
        let coll = if self.reaction == Reaction::Repost { Coll::REPOST } else { Coll::LIKE };
        let path = |edge: &Edge| Path { coll, at: edge.place() };
        let subjects = [Subject { sr: self.subject.rkey, sa: self.subject.author, kind: self.kind().number() }];
        let raw: Vec<Path> = edges.iter().filter(|edge| edge.is_raw()).map(path).collect();
        let raw = async { if raw.is_empty() { Ok(Vec::new()) } else { read::record::raw(client, &raw).await } };
        let (common, raw) = tokio::try_join!(stat::of(client, &subjects), raw)?;
        let common = common.first().and_then(|(_, stat)| stat.cid).is_some_and(|common| common == *cid);
        let mut named: HashSet<Path> = HashSet::new();
        for (path, packed) in raw {
            let record = unpack(&packed)?;
            let subject = Fields::of(&record).and_then(|fields| fields.strong_ref("subject")?.cid.parse::<Cid>().ok());
            named.extend((subject.as_ref() == Some(cid)).then_some(path));
        }
        Ok(edges.into_iter().filter(|edge| if edge.is_raw() { named.contains(&path(edge)) } else { common }).collect())
    }
}

impl Skeleton for Reactors {
    type Item = Edge;
    type Cursor = Cursor;

    async fn read(&self, client: &Client, after: Cursor, limit: usize) -> Result<Slice<Edge, Cursor>, QueryError> {
        let (before, most) = (before(after), one_more(limit));
        let edges = match self.reaction {
            Reaction::Like(kind) => list::likes(client, kind, self.subject, before, most).await?,
            Reaction::Repost => list::reposts(client, self.subject, before, most).await?,
        };
        let (edges, next) = cut(edges, limit, |edge| Cursor { at: edge.rkey, tie: edge.author.into() });
        match &self.cid {
            Some(cid) if !edges.is_empty() => Ok((self.of_version(client, edges, cid).await?, next)),
            _ => Ok((edges, next)),
        }
    }

    fn wants(&self, items: &[Edge]) -> Wanted {
        let actors = items.iter().map(|edge| edge.author).collect();
        let apart_from = (self.reaction != Reaction::Repost).then_some(self.subject.author);
        Wanted { actors, apart_from, ..Wanted::default() }
    }

    fn keep(&self, items: Vec<Edge>, state: &Hydration) -> Vec<Edge> {
        let shown = |edge: &Edge| match self.reaction {
            Reaction::Like(_) => state.lists(edge.author, self.subject.author),
            // As the reference does: who is kept apart from the post's author is shown among those who reposted it.
            Reaction::Repost => state.is_listed(edge.author),
        };
        items.into_iter().filter(shown).collect()
    }
}

/// What the likes among `edges` that columns do not hold say of when they were made, in microseconds since 1970.
///
/// # Errors
/// The database's; stored bytes that cannot be unpacked.
pub async fn created(client: &Client, edges: &[Edge]) -> Result<HashMap<Ref, i64>, QueryError> {
    let raw: Vec<Path> = edges.iter().filter(|edge| edge.is_raw()).map(|edge| Path { coll: Coll::LIKE, at: edge.place() }).collect();
    let mut created = HashMap::new();
    if raw.is_empty() {
        return Ok(created);
    }
    for (path, packed) in read::record::raw(client, &raw).await? {
        let record = unpack(&packed)?;
        let time = Fields::of(&record).and_then(|fields| fields.text("createdAt").and_then(datetime::parse_micros));
        created.extend(time.map(|time| (path.at, time)));
    }
    Ok(created)
}
