//! What is known of the things on a page, gathered in a fixed number of rounds, one statement a kind. Holds states; how they are shown, and
//! whether, is decided elsewhere (`rules`, `views`).

mod actor;
mod after;
mod block;
mod count;
mod declared;
mod embedded;
pub mod following;
mod gate;
mod label;
mod list;
mod notice;
mod pack;
mod post;
mod reaction;
mod relation;
mod service;
mod tie;
mod verification;

use std::sync::Arc;

pub use crate::db::read::relation::Known;
pub use actor::{Actor, WrittenActor};
pub use block::Blocks;
pub use count::{Counted, Counts};
pub use declared::{Chat, Declared, Germ, Status, Subscriptions};
pub use following::Follows;
pub use gate::{Gate, Gates, ThreadGate};
pub use label::{Label, Labels, Subject};
pub use list::List;
pub use notice::Notices;
pub use pack::StarterPack;
pub use post::{Content, Post, QuoteGate, Written, WrittenReply, micros};
pub use reaction::{KnownLikers, Likes, Reactions};
pub use relation::{Block, Mute, Pairs, Relations};
pub use service::Service;
pub use tie::Ties;
pub use verification::Verification;

use super::{Audience, QueryError, Source, names};
use crate::collection::feed::post::PostFields;
use crate::collection::{Coll, Ref};
use crate::db::read::notification::Notice;
use crate::db::record::Path;
use crate::db::{Client, read};
use crate::query::maps::{Map, Set};

/// Posts inside posts that are looked up: a quote, and the quote in it. The views nest no deeper.
const QUOTE_DEPTH: usize = 2;

/// Known followers and likers that are read by name: five are shown, and some of these may be hidden.
const MOST_KNOWN: i32 = 10;

/// What a page shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub posts: Vec<Ref>,
    /// Also the posts that `posts` answer, and the first ones of their threads.
    pub replies: bool,
    /// Accounts, besides those of posts.
    pub actors: Vec<i32>,
    /// Of what the audience and accounts have made of each other only whether a block keeps them apart.
    pub only_apart: bool,
    /// Accounts whose followers, follows and posts are counted too.
    pub counted: Vec<i32>,
    /// Accounts of which it is told who follows them that the audience follows.
    pub known: Vec<i32>,
    /// An account from which `actors` may be kept apart by blocks.
    pub apart_from: Option<i32>,
    /// Notifications of the audience; `actors` names their authors.
    pub notices: Vec<Notice>,
    /// A post of which it is told who likes it that the audience follows.
    pub known_likers: Option<Ref>,
    /// An account of which it is told what of `posts` it likes.
    pub likes_by: Option<i32>,
    /// Feed generators, labelers, lists and starter packs, besides those that posts embed.
    pub records: Vec<Path>,
}

impl Wanted {
    /// Takes in what else is to be shown.
    pub fn extend(&mut self, other: &Self) {
        self.posts.extend(&other.posts);
        self.actors.extend(&other.actors);
        self.counted.extend(&other.counted);
        self.known.extend(&other.known);
        self.notices.extend(&other.notices);
        self.records.extend(&other.records);
        self.replies |= other.replies;
        self.only_apart &= other.only_apart;
        self.apart_from = self.apart_from.or(other.apart_from);
        self.likes_by = self.likes_by.or(other.likes_by);
        self.known_likers = self.known_likers.or(other.known_likers);
    }
}

/// The state of a page.
#[derive(Debug, Default)]
pub struct Hydration {
    /// For whom it was gathered.
    pub audience: Audience,
    pub relations: Relations,
    /// What the audience made of the posts.
    pub reactions: Reactions,
    /// What the labelers that the audience listens to say of all of it.
    pub labels: Labels,
    /// Of the posts, and of the first ones of their threads.
    pub gates: Gates,
    /// Likes of the posts by one account.
    likes: Likes,
    actors: Map<i32, Arc<Actor>>,
    counts: Map<i32, Counts>,
    known: Map<i32, Known>,
    known_likers: Option<(Ref, KnownLikers)>,
    posts: Map<Ref, Post>,
    lists: Map<Ref, List>,
    notices: Notices,
    services: Map<Path, Service>,
    packs: Map<Ref, StarterPack>,
    /// Starter packs by the addresses that records have of them.
    named_packs: Map<String, Ref>,
    /// By whom accounts are verified.
    verifications: Map<i32, Vec<Verification>>,
    /// The clock as it was gathered, in microseconds since 1970.
    pub at: i64,
    /// What posts embed that is no post.
    embedded: Map<Ref, Path>,
    aliases: names::Aliases,
}

impl Hydration {
    /// Nothing gathered yet.
    #[must_use]
    pub fn nothing(audience: Audience) -> Self {
        Self { audience, ..Self::default() }
    }

    /// Gathers what `wanted` shows to `audience`.
    ///
    /// # Errors
    /// The database's; stored bytes that cannot be unpacked.
    pub async fn load(client: &Source, audience: Audience, wanted: &Wanted) -> Result<Self, QueryError> {
        let notices = Notices::load(client, audience.viewer, &wanted.notices);
        let fans = reaction::known_likers(client, audience.viewer, wanted.known_likers);
        let (mut posts, known, fans, notices) =
            tokio::try_join!(posts(client, wanted), known(client, audience, &wanted.known), fans, notices)?;
        let embedded = embedded::load(client, &posts).await?;
        let records: Set<Path> = wanted.records.iter().chain(embedded.values()).copied().collect();
        let of = |coll: Coll| records.iter().filter(move |path| path.coll == coll).map(|path| path.at).collect::<Vec<Ref>>();
        let services: Vec<Path> = records.iter().filter(|path| service::is_service(path.coll)).copied().collect();
        let mut actors = accounts(audience, &posts, wanted, &known, &records);
        actors.extend(fans.iter().flat_map(|(_, fans)| &fans.some));
        actors.sort_unstable();
        actors.dedup();
        let mut pairs = pairs(audience, &posts, &actors, wanted, &embedded);
        pairs.apart(audience, known.values().flat_map(|known| known.some.iter().map(|follower| (known.of, *follower))));
        pairs.apart(audience, fans.iter().flat_map(|(post, fans)| fans.some.iter().map(|liker| (post.author, *liker))));
        let places: Vec<Ref> = posts.keys().copied().collect();
        let roots: Vec<Ref> = posts.values().map(|post| post.row.thread().unwrap_or(post.row.place())).collect();
        let told = wanted.notices.iter().map(|notice| Subject::record(notice.path().coll, notice.path().at));
        let subjects = label::subjects(&actors, &places).chain(told);
        let subjects = subjects.chain(records.iter().map(|path| Subject::record(path.coll, path.at))).collect();
        let (lists, packs) = (of(Coll::LIST), of(Coll::STARTERPACK));
        // Only reactions wait for counts: where nothing is counted there are none.
        let reactions = async {
            let counted = post::stats(client, &places).await?;
            let reactions = Reactions::load(client, audience, &counted, &roots).await?;
            Ok((counted, reactions))
        };
        let (actors, counts, relations, (counted, reactions), labels, gates, likes, services, lists, packs) = tokio::try_join!(
            actor::load(client, &actors),
            count::of_accounts(client, &wanted.counted),
            Relations::load(client, audience, &pairs),
            reactions,
            Labels::load(client, audience, subjects),
            Gates::load(client, &roots),
            Likes::load(client, wanted.likes_by, &wanted.posts),
            service::load(client, audience.viewer, &services),
            list::load(client, audience.viewer, &lists),
            pack::load(client, &packs),
        )?;
        for (place, stat) in counted {
            if let Some(post) = posts.get_mut(&place) {
                post.stat = stat;
            }
        }
        let mut state =
            Self { audience, relations, reactions, labels, gates, likes, actors, counts, known, posts, notices, ..Self::default() };
        (state.services, state.lists, state.packs, state.embedded) = (services, lists, packs, embedded);
        state.known_likers = fans;
        state.at = label::now();
        state.find_admissions(client).await?;
        state.find_lists(client).await?;
        state.find_statuses(client).await?;
        state.find_verifications(client).await?;
        state.find_packs(client, wanted).await?;
        state.find_keys(client, &wanted.notices).await?;
        Ok(state)
    }

    /// Takes in what another round gathered for the same audience.
    pub fn absorb(&mut self, other: Self) {
        self.relations.absorb(other.relations);
        self.reactions.absorb(other.reactions);
        self.labels.absorb(other.labels);
        self.gates.absorb(other.gates);
        self.likes.absorb(other.likes);
        self.actors.extend(other.actors);
        self.counts.extend(other.counts);
        self.known.extend(other.known);
        self.posts.extend(other.posts);
        self.lists.extend(other.lists);
        self.notices.absorb(other.notices);
        self.services.extend(other.services);
        self.packs.extend(other.packs);
        self.named_packs.extend(other.named_packs);
        self.known_likers = self.known_likers.take().or(other.known_likers);
        self.verifications.extend(other.verifications);
        self.at = self.at.max(other.at);
        self.embedded.extend(other.embedded);
        self.aliases.extend(other.aliases);
    }

    /// An account, hidden or not.
    #[must_use]
    pub fn any_actor(&self, id: i32) -> Option<&Actor> {
        self.actors.get(&id).map(|actor| &**actor)
    }

    /// An account that may be shown.
    #[must_use]
    pub fn actor(&self, id: i32) -> Option<&Actor> {
        self.any_actor(id).filter(|actor| actor.is_shown_to(self.audience) && !self.is_redacted(Subject::account(id)))
    }

    /// Who among the trusted verifies an account.
    #[must_use]
    pub fn verifications(&self, account: i32) -> &[Verification] {
        self.verifications.get(&account).map_or(&[], Vec::as_slice)
    }

    /// What is counted of an account that was to be counted.
    #[must_use]
    pub fn counts(&self, id: i32) -> Counts {
        self.counts.get(&id).copied().unwrap_or_default()
    }

    /// Who follows an account that the audience follows; `None` where nobody does, or it was not asked for.
    #[must_use]
    pub fn known(&self, id: i32) -> Option<&Known> {
        self.known.get(&id)
    }

    /// Who likes a post that the audience follows; `None` where nobody does, or it was not asked for.
    #[must_use]
    pub fn known_likers(&self, post: Ref) -> Option<&KnownLikers> {
        self.known_likers.as_ref().filter(|(of, _)| *of == post).map(|(_, likers)| likers)
    }

    /// The starter pack that a record of this page names by this address, held or not.
    #[must_use]
    pub fn named_pack(&self, uri: &str) -> Option<Ref> {
        self.named_packs.get(uri).copied()
    }

    /// The key of the like of a post by the author of its thread, and who that is, where it was asked for and may be shown.
    #[must_use]
    pub fn author_like(&self, post: Ref) -> Option<Ref> {
        self.likes.of(post).filter(|like| self.actor(like.author).is_some())
    }

    /// A post that may be shown, and its author too.
    #[must_use]
    pub fn post(&self, place: Ref) -> Option<&Post> {
        self.actor(place.author)?;
        let is_shown = |post: &&Post| !post.taken_down || self.audience.sees_takedowns;
        self.posts.get(&place).filter(is_shown).filter(|_| !self.is_redacted(Subject::record(Coll::POST, place)))
    }

    /// A list that may be shown, and its owner too.
    #[must_use]
    pub fn list(&self, place: Ref) -> Option<&List> {
        self.lists.get(&place).filter(|list| self.is_shown(Path { coll: Coll::LIST, at: place }, list.taken_down))
    }

    /// The words of a post that may be shown.
    #[must_use]
    pub fn text(&self, place: Ref) -> Option<&str> {
        Some(PostFields::of(&self.post(place)?.record)?.text)
    }

    /// The CID by which a post that may be shown quotes another.
    #[must_use]
    pub fn quoted_cid(&self, place: Ref) -> Option<&str> {
        Some(PostFields::of(&self.post(place)?.record)?.embed?.record?.cid)
    }

    /// A feed generator or labeler that may be shown, and its owner too.
    #[must_use]
    pub fn service(&self, path: Path) -> Option<&Service> {
        self.services.get(&path).filter(|service| self.is_shown(path, service.taken_down))
    }

    /// A starter pack that may be shown, and its owner too.
    #[must_use]
    pub fn pack(&self, place: Ref) -> Option<&StarterPack> {
        self.packs.get(&place).filter(|pack| self.is_shown(Path { coll: Coll::STARTERPACK, at: place }, pack.taken_down))
    }

    /// Whether a record that is held may be shown.
    fn is_shown(&self, path: Path, taken_down: bool) -> bool {
        let is_up = !taken_down || self.audience.sees_takedowns;
        is_up && self.actor(path.at.author).is_some() && !self.is_redacted(Subject::record(path.coll, path.at))
    }

    /// What a post embeds that is no post, held or not.
    #[must_use]
    pub fn embedded(&self, post: Ref) -> Option<Path> {
        self.embedded.get(&post).copied()
    }

    /// The text of a record key.
    #[must_use]
    pub fn key(&self, place: Ref) -> Option<String> {
        names::key_text(place, &self.aliases)
    }
}

/// The posts of a page, those that they answer, and those that all of these quote.
async fn posts(client: &Source, wanted: &Wanted) -> Result<Map<Ref, Post>, QueryError> {
    let mut places = wanted.posts.clone();
    places.sort_unstable_by_key(|place| (place.author, place.rkey));
    places.dedup();
    let mut posts = post::load(client, &places).await?;
    if wanted.replies {
        let answered = posts.values().flat_map(|post| [post.row.parent, post.row.thread()]).flatten().collect();
        add(client, &mut posts, answered).await?;
    }
    for _ in 0..QUOTE_DEPTH {
        let quoted = posts.values().filter_map(|post| post.row.quote).collect();
        if !add(client, &mut posts, quoted).await? {
            break;
        }
    }
    Ok(posts)
}

/// Never left out for the time that it takes: what is shown does not depend on load.
async fn known(client: &Client, audience: Audience, of: &[i32]) -> Result<Map<i32, Known>, QueryError> {
    let Some(viewer) = audience.viewer.filter(|_| !of.is_empty()) else { return Ok(Map::default()) };
    let found = read::relation::known(client, viewer, of, MOST_KNOWN).await?;
    Ok(found.into_iter().filter(|known| known.of != viewer).map(|known| (known.of, known)).collect())
}

/// Adds the posts at those of `places` that are not there yet; whether there were any.
async fn add(client: &Source, posts: &mut Map<Ref, Post>, places: Set<Ref>) -> Result<bool, QueryError> {
    let new: Vec<Ref> = places.into_iter().filter(|place| !posts.contains_key(place)).collect();
    if new.is_empty() {
        return Ok(false);
    }
    posts.extend(post::load(client, &new).await?);
    Ok(true)
}

/// Every account that a page may show, or must know to decide what it shows; sorted.
fn accounts(audience: Audience, posts: &Map<Ref, Post>, wanted: &Wanted, known: &Map<i32, Known>, records: &Set<Path>) -> Vec<i32> {
    let author = |place: Option<Ref>| place.map(|place| place.author);
    let of_post = |(place, post): (&Ref, &Post)| [author(Some(*place)), author(post.row.parent), author(post.row.thread())];
    let mut ids: Vec<i32> = posts.iter().flat_map(of_post).flatten().collect();
    ids.extend(audience.viewer);
    ids.extend(records.iter().map(|path| path.at.author));
    ids.extend(wanted.actors.iter().chain(&wanted.counted).chain(known.values().flat_map(|known| &known.some)));
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The accounts between which it matters what they made of each other: the audience and everyone; the author of a post and those whom it
/// answers and quotes.
fn pairs(audience: Audience, posts: &Map<Ref, Post>, actors: &[i32], wanted: &Wanted, embedded: &Map<Ref, Path>) -> Pairs {
    let mut pairs = Pairs::default();
    if let Some(owner) = wanted.apart_from.filter(|_| !audience.sees_others_blocks) {
        wanted.actors.iter().for_each(|actor| pairs.blocks(owner, *actor));
    }
    for actor in actors {
        match audience.viewer {
            Some(viewer) if wanted.only_apart => pairs.blocks(viewer, *actor),
            Some(viewer) => pairs.all(viewer, *actor),
            None => {}
        }
    }
    if !audience.sees_others_blocks {
        for (post, record) in embedded {
            pairs.blocks(post.author, record.at.author);
        }
        for (place, post) in posts {
            for other in [post.row.parent, post.row.thread(), post.row.quote].into_iter().flatten() {
                pairs.blocks(place.author, other.author);
            }
        }
    }
    pairs
}
