//! Who liked or reposted a record, newest first.

use super::{Skeleton, Slice, before, cut, one_more};
use crate::collection::{Edge, Ref, SubjectKind};
use crate::db::Client;
use crate::db::read::list;
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
        Ok(cut(edges, limit, |edge| Cursor { at: edge.rkey, tie: edge.author.into() }))
    }

    fn wants(&self, items: &[Edge]) -> Wanted {
        let actors = items.iter().map(|edge| edge.author).collect();
        Wanted { actors, apart_from: Some(self.subject.author), ..Wanted::default() }
    }

    fn keep(&self, items: Vec<Edge>, state: &Hydration) -> Vec<Edge> {
        items.into_iter().filter(|edge| state.lists(edge.author, self.subject.author)).collect()
    }
}
