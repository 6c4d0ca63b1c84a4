//! The posts that a query finds: newest first, or the liked ones first.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use super::ranked::{self, place, text};
use super::{Skeleton, Slice};
use crate::atproto::Tid;
use crate::collection::search::{LEVELS, level_token};
use crate::collection::{Ref, SubjectKind};
use crate::db::read::feed::Before;
use crate::db::read::search::{self, Window};
use crate::db::stat::{PostStat, Subject};
use crate::db::{Client, read, stat};
use crate::query::hydrate::{Hydration, Wanted, micros};
use crate::query::search::PostQuery;
use crate::query::search::walk::{Searched, hits};
use crate::query::{CursorError, QueryError};

/// Hits that are ranked together: the newest ones of a word that many posts have, all of a rare one.
const BLOCK: usize = 500;
/// What twice as many likes are worth, in seconds of age: a day, so that what was liked a thousand times stays up for a week and a half.
const DOUBLE: f64 = 86_400.0;
/// No post is newer than the clock by more (ingest lets events be 5 minutes ahead), in microseconds: the walk need not begin at the end of time.
const AHEAD: i64 = 3_600_000_000;

/// A query, newest first.
#[derive(Debug)]
pub struct Latest {
    query: PostQuery,
    tokens: Vec<i32>,
}

/// The same query, best first.
#[derive(Debug)]
pub struct Top(pub Latest);

/// A place in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(Before);

impl Cursor {
    /// Before the newest.
    pub const START: Self = Self(ranked::Cursor::START.block);
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(self.0))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        place(text).map(Self)
    }
}

impl Latest {
    #[must_use]
    pub fn new(query: PostQuery) -> Self {
        let tokens = query.tokens();
        Self { query, tokens }
    }

    async fn hits(&self, client: &Client, after: Before, wanted: usize) -> Result<(Vec<Before>, Option<Before>), QueryError> {
        let until = self.query.until.unwrap_or(i64::MAX).min(self.newest());
        let start = after.min(Before { at: until, rkey: i64::MIN, author: i32::MIN });
        hits(client, self, start, self.query.since.max(0), wanted).await
    }
}

impl Searched for Latest {
    fn shifts(&self) -> &'static [u32] {
        &LEVELS
    }

    fn tokens(&self) -> &[i32] {
        &self.tokens
    }

    fn newest(&self) -> i64 {
        Tid::from_micros(micros(read::now()).saturating_add(AHEAD), 0).value()
    }

    async fn carriers(
        &self,
        client: &Client,
        tokens: &[i32],
        (level, from): (usize, i64),
        most: i64,
    ) -> Result<Vec<(i32, i64)>, QueryError> {
        Ok(search::carriers(client, tokens, level_token(level, from), most).await?)
    }

    async fn probe(&self, client: &Client, level: Option<(usize, i64)>, window: &Window) -> Result<Vec<Before>, QueryError> {
        let mut tokens = self.tokens.clone();
        tokens.extend(level.map(|(level, from)| level_token(level, from)));
        Ok(search::posts(client, &tokens, window).await?)
    }
}

impl Skeleton for Latest {
    type Item = Ref;
    type Cursor = Cursor;

    async fn read(&self, client: &Client, after: Cursor, limit: usize) -> Result<Slice<Ref, Cursor>, QueryError> {
        let (hits, next) = self.hits(client, after.0, limit).await?;
        Ok((hits.into_iter().map(post).collect(), next.map(Cursor)))
    }

    fn wants(&self, items: &[Ref]) -> Wanted {
        Wanted { posts: items.to_vec(), ..Wanted::default() }
    }

    /// One's own posts are found whatever stands between their author and the audience.
    fn keep(&self, items: Vec<Ref>, state: &Hydration) -> Vec<Ref> {
        let own = |post: &Ref| state.audience.viewer == Some(post.author);
        let found = |post: &Ref| state.post(*post).is_some_and(|held| self.query.finds(post.author, &held.record));
        items.into_iter().filter(|post| found(post) && (own(post) || !state.is_blocked(post.author))).collect()
    }
}

impl Skeleton for Top {
    type Item = Ref;
    type Cursor = ranked::Cursor;

    async fn read(&self, client: &Client, after: ranked::Cursor, limit: usize) -> Result<Slice<Ref, ranked::Cursor>, QueryError> {
        let (hits, next) = self.0.hits(client, after.block, BLOCK).await?;
        let kind = SubjectKind::Post.number();
        let subjects: Vec<Subject> = hits.iter().map(|hit| Subject { sr: hit.rkey, sa: hit.author, kind }).collect();
        let stats: HashMap<Ref, PostStat> =
            stat::of(client, &subjects).await?.into_iter().map(|(of, stat)| (Ref { rkey: of.sr, author: of.sa }, stat)).collect();
        let hits = hits.into_iter().map(|hit| (rank(hit.at, &stats.get(&post(hit)).copied().unwrap_or_default()), hit)).collect();
        let (hits, next) = after.slice(hits, limit, next.map(|next| ranked::Cursor::block(0, next)));
        Ok((hits.into_iter().map(post).collect(), next))
    }

    fn wants(&self, items: &[Ref]) -> Wanted {
        self.0.wants(items)
    }

    fn keep(&self, items: Vec<Ref>, state: &Hydration) -> Vec<Ref> {
        self.0.keep(items, state)
    }
}

fn post(hit: Before) -> Ref {
    Ref { rkey: hit.rkey, author: hit.author }
}

/// The greater the better. Of time and counts alone, so that it does not change by itself between two pages.
fn rank(at: i64, stat: &PostStat) -> i64 {
    let count = |n: i32| f64::from(n.max(0));
    let liked = 1.0 + count(stat.likes) + 2.0 * (count(stat.reposts) + count(stat.quotes)) + count(stat.replies);
    #[expect(clippy::cast_possible_truncation, reason = "a few days in seconds")]
    let worth = (liked.log2() * DOUBLE) as i64;
    micros(at) / 1_000_000 + worth
}
