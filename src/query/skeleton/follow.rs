//! Whom an account follows and who follows it, newest first.

use super::{Skeleton, Slice, before, cut, one_more};
use crate::collection::Edge;
use crate::db::Client;
use crate::db::read::list;
use crate::query::hydrate::{Hydration, Wanted};
use crate::query::{Cursor, QueryError};

/// One side of the follows of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// Those who follow it.
    Of(i32),
    /// Those whom it follows.
    By(i32),
}

impl Follows {
    /// The account that is listed for a follow.
    #[must_use]
    pub fn other(self, follow: &Edge) -> i32 {
        match self {
            Self::Of(_) => follow.author,
            Self::By(_) => follow.sa,
        }
    }

    fn account(self) -> i32 {
        let (Self::Of(account) | Self::By(account)) = self;
        account
    }
}

impl Skeleton for Follows {
    type Item = Edge;
    type Cursor = Cursor;

    async fn read(&self, client: &Client, after: Cursor, limit: usize) -> Result<Slice<Edge, Cursor>, QueryError> {
        let (before, most) = (before(after), one_more(limit));
        let edges = match *self {
            Self::Of(account) => list::followers(client, account, before, most).await?,
            Self::By(account) => list::follows(client, account, before, most).await?,
        };
        Ok(cut(edges, limit, |edge| Cursor { at: edge.rkey, tie: edge.author.into() }))
    }

    fn wants(&self, items: &[Edge]) -> Wanted {
        Wanted { actors: items.iter().map(|edge| self.other(edge)).collect(), apart_from: Some(self.account()), ..Wanted::default() }
    }

    fn keep(&self, items: Vec<Edge>, state: &Hydration) -> Vec<Edge> {
        items.into_iter().filter(|edge| state.lists(self.other(edge), self.account())).collect()
    }
}
