//! What the one who reads has made of the posts on a page, and what of them one other account likes.

use super::MOST_KNOWN;
use crate::collection::{Coll, Edge, EdgeKind, Pair, Ref, SubjectKind};
use crate::db::read::{self, reaction, relation};
use crate::db::record::Path;
use crate::db::stat::PostStat;
use crate::db::{Client, edge};
use crate::query::maps::{Map, Set};
use crate::query::{Audience, QueryError};

/// Likes, reposts and muted threads of one account.
#[derive(Debug, Default)]
pub struct Reactions {
    likes: Map<Ref, i64>,
    reposts: Map<Ref, i64>,
    muted_threads: Set<Ref>,
}

impl Reactions {
    /// `counted`: posts of which anything is counted; nobody is asked for reactions to others. `roots`: the first posts of the threads of all.
    pub(super) async fn load(client: &Client, audience: Audience, counted: &[(Ref, PostStat)], roots: &[Ref]) -> Result<Self, QueryError> {
        let Some(author) = audience.viewer.filter(|_| !roots.is_empty()) else { return Ok(Self::default()) };
        let those = |has: fn(&PostStat) -> bool| {
            let mut posts: Vec<Ref> = counted.iter().filter(|(_, stat)| has(stat)).map(|(post, _)| *post).collect();
            posts.sort_unstable_by_key(|post| (post.author, post.rkey));
            posts
        };
        let (liked, reposted) = (those(|stat| stat.likes > 0), those(|stat| stat.reposts > 0));
        let found = async {
            if liked.is_empty() && reposted.is_empty() { Ok(Vec::new()) } else { reaction::of(client, author, &liked, &reposted).await }
        };
        let muted = async { if audience.mutes.no_thread { Ok(Vec::new()) } else { relation::muted_threads(client, author, roots).await } };
        let (found, muted) = tokio::try_join!(found, muted)?;
        let mut reactions = Self { muted_threads: muted.into_iter().collect(), ..Self::default() };
        for (post, rkey, is_repost) in found {
            if is_repost { &mut reactions.reposts } else { &mut reactions.likes }.insert(post, rkey);
        }
        Ok(reactions)
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.likes.extend(other.likes);
        self.reposts.extend(other.reposts);
        self.muted_threads.extend(other.muted_threads);
    }

    /// Whether nothing is to be heard of the thread that began with this post.
    #[must_use]
    pub fn is_muted_thread(&self, root: Ref) -> bool {
        self.muted_threads.contains(&root)
    }

    /// The likes and reposts.
    pub(super) fn paths(&self, author: i32) -> impl Iterator<Item = Path> {
        let path = move |coll, rkey: &i64| Path { coll, at: Ref { rkey: *rkey, author } };
        let likes = self.likes.values().map(move |rkey| path(Coll::LIKE, rkey));
        likes.chain(self.reposts.values().map(move |rkey| path(Coll::REPOST, rkey)))
    }

    /// The key of the like of a post.
    #[must_use]
    pub fn like(&self, post: Ref) -> Option<i64> {
        self.likes.get(&post).copied()
    }

    /// The key of the repost of a post.
    #[must_use]
    pub fn repost(&self, post: Ref) -> Option<i64> {
        self.reposts.get(&post).copied()
    }
}

/// Likes of posts by one account.
#[derive(Debug, Default)]
pub struct Likes {
    by_post: Map<Ref, Ref>,
}

impl Likes {
    pub(super) async fn load(client: &Client, by: Option<i32>, posts: &[Ref]) -> Result<Self, QueryError> {
        let Some(author) = by.filter(|_| !posts.is_empty()) else { return Ok(Self::default()) };
        let mut pairs: Vec<Pair> = posts.iter().map(|post| Pair { author, sr: post.rkey, sa: post.author, kind: 0 }).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let likes = by_post(&edge::of(client, EdgeKind::Like, &pairs).await?);
        Ok(Self { by_post: likes.into_iter().map(|(post, rkey)| (post, Ref { rkey, author })).collect() })
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.by_post.extend(other.by_post);
    }

    /// The like of a post.
    #[must_use]
    pub fn of(&self, post: Ref) -> Option<Ref> {
        self.by_post.get(&post).copied()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = Path> {
        self.by_post.values().map(|at| Path { coll: Coll::LIKE, at: *at })
    }
}

/// The keys of those edges that count.
fn by_post(edges: &[Edge]) -> Map<Ref, i64> {
    let counts = edges.iter().filter(|edge| !edge.is_duplicate() && edge.subject_kind() == Some(SubjectKind::Post));
    counts.map(|edge| (Ref { rkey: edge.sr, author: edge.sa }, edge.rkey)).collect()
}

/// Likes of a post among which those whom somebody follows are looked for: of a post with 100,000 nobody looks through all.
const RECENT: i64 = 500;

/// Those who like a post and whom somebody follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLikers {
    /// Among its newest likes.
    pub count: i64,
    /// Who liked it last.
    pub some: Vec<i32>,
}

/// Those of `of` whom `viewer` follows; `None` where there is none.
pub(super) async fn known_likers(client: &Client, viewer: Option<i32>, of: Option<Ref>) -> Result<Option<(Ref, KnownLikers)>, QueryError> {
    let Some((viewer, post)) = viewer.zip(of) else { return Ok(None) };
    let (count, some) = read::list::known_likers(client, viewer, post, RECENT, MOST_KNOWN).await?;
    Ok(Some((post, KnownLikers { count, some })).filter(|(_, known)| known.count > 0))
}
