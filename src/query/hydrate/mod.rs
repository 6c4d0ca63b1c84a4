//! What is known of the things on a page, gathered in a fixed number of rounds, one statement a kind. Holds states, decides nothing about
//! how they are shown but for one rule: a hidden account is not there.

mod actor;
mod post;

use std::collections::{HashMap, HashSet};

pub use actor::Actor;
pub use post::{Post, micros};

use super::{QueryError, names};
use crate::collection::{Coll, Ref};
use crate::db::{Client, read};

/// Posts inside posts that are looked up: a quote, and the quote in it. The views nest no deeper.
const QUOTE_DEPTH: usize = 2;

/// The state of a page.
#[derive(Debug, Default)]
pub struct Hydration {
    actors: HashMap<i32, Actor>,
    posts: HashMap<Ref, Post>,
    aliases: names::Aliases,
}

impl Hydration {
    /// Accounts alone.
    ///
    /// # Errors
    /// The database's; stored bytes that cannot be unpacked.
    pub async fn of_actors(client: &Client, ids: &[i32]) -> Result<Self, QueryError> {
        Ok(Self { actors: actor::load(client, ids).await?, ..Self::default() })
    }

    /// Posts with all that they show: authors, counts, quotes, and where `replies` is set, what they answer.
    ///
    /// # Errors
    /// The database's; stored bytes that cannot be unpacked.
    pub async fn of_posts(client: &Client, places: &[Ref], others: &[i32], replies: bool) -> Result<Self, QueryError> {
        let mut posts = post::load(client, places).await?;
        if replies {
            let answered = posts.values().flat_map(|post| [post.row.parent, post.root()]).flatten().collect();
            add(client, &mut posts, answered).await?;
        }
        for _ in 0..QUOTE_DEPTH {
            let quoted = posts.values().filter_map(|post| post.row.quote).collect();
            if !add(client, &mut posts, quoted).await? {
                break;
            }
        }
        let mut ids: HashSet<i32> = posts.keys().map(|place| place.author).chain(others.iter().copied()).collect();
        ids.extend(posts.values().filter_map(|post| post.row.parent).map(|parent| parent.author));
        let ids: Vec<i32> = ids.into_iter().collect();
        let aliased = names::aliased(Coll::POST, posts.keys().copied());
        let texts = async { if aliased.is_empty() { Ok(Vec::new()) } else { Ok(read::key::texts(client, &aliased).await?) } };
        let (actors, stats, texts) = tokio::try_join!(actor::load(client, &ids), post::stats(client, &posts), texts)?;
        for (place, stat) in stats {
            if let Some(post) = posts.get_mut(&place) {
                post.stat = stat;
            }
        }
        Ok(Self { actors, posts, aliases: texts.into_iter().collect() })
    }

    /// Takes in what another round gathered.
    pub fn absorb(&mut self, other: Self) {
        self.actors.extend(other.actors);
        self.posts.extend(other.posts);
        self.aliases.extend(other.aliases);
    }

    /// An account, hidden or not.
    #[must_use]
    pub fn any_actor(&self, id: i32) -> Option<&Actor> {
        self.actors.get(&id)
    }

    /// An account that may be shown.
    #[must_use]
    pub fn actor(&self, id: i32) -> Option<&Actor> {
        self.actors.get(&id).filter(|actor| actor.is_shown())
    }

    /// A post whose author may be shown.
    #[must_use]
    pub fn post(&self, place: Ref) -> Option<&Post> {
        self.actor(place.author)?;
        self.posts.get(&place)
    }

    /// The text of a post's record key.
    #[must_use]
    pub fn post_key(&self, place: Ref) -> Option<String> {
        names::key_text(place, &self.aliases)
    }
}

/// Adds the posts at those of `places` that are not there yet; whether there were any.
async fn add(client: &Client, posts: &mut HashMap<Ref, Post>, places: HashSet<Ref>) -> Result<bool, QueryError> {
    let new: Vec<Ref> = places.into_iter().filter(|place| !posts.contains_key(place)).collect();
    if new.is_empty() {
        return Ok(false);
    }
    posts.extend(post::load(client, &new).await?);
    Ok(true)
}
