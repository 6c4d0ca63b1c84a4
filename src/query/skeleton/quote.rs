//! The posts that quote a post, newest first.

use super::{Skeleton, Slice, before, cut, one_more};
use crate::collection::{Coll, Ref};
use crate::db::Client;
use crate::db::read::list;
use crate::query::hydrate::{Hydration, Subject, Wanted};
use crate::query::{Cursor, QueryError};

#[derive(Debug, Clone, Copy)]
pub struct Quotes<'a> {
    pub of: Ref,
    /// Only of this version of it.
    pub cid: Option<&'a str>,
}

impl Skeleton for Quotes<'_> {
    type Item = Ref;
    type Cursor = Cursor;

    async fn read(&self, client: &Client, after: Cursor, limit: usize) -> Result<Slice<Ref, Cursor>, QueryError> {
        let posts = list::quotes(client, self.of, before(after), one_more(limit)).await?;
        Ok(cut(posts, limit, |post| Cursor { at: post.rkey, tie: post.author.into() }))
    }

    fn wants(&self, items: &[Ref]) -> Wanted {
        Wanted { posts: items.to_vec(), ..Wanted::default() }
    }

    fn keep(&self, items: Vec<Ref>, state: &Hydration) -> Vec<Ref> {
        let shown = |post: &Ref| state.post(*post).is_some() && !state.is_blocked(post.author);
        let reviewed = |post: &Ref| state.shows_under_review(post.author, Some(Subject::record(Coll::POST, *post)));
        let of_version = |post: &Ref| self.cid.is_none_or(|cid| state.quoted_cid(*post) == Some(cid));
        items.into_iter().filter(|post| of_version(post) && shown(post) && reviewed(post) && !state.splits(*post, Some(self.of))).collect()
    }
}
