//! What the accounts of a page have made of each other, as far as it decides what is shown.

use super::{Labels, Subject, actor, block, tie};
use crate::collection::graph::list::ListFields;
use crate::collection::{Coll, Ref, unpack};
use crate::db::read::relation::{self, Pair};
use crate::db::record::Path;
use crate::db::{Client, read};
use crate::query::maps::{Map, Set};
use crate::query::{Audience, QueryError, Source};

/// What lists are for whose block or mute concerns their members; a block of a list to read blocks nobody.
const KEEPS_OUT: &str = "app.bsky.graph.defs#modlist";

/// How one account blocks another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Block {
    /// Key of the block of the account itself.
    pub direct: Option<i64>,
    /// A blocked list that it is on.
    pub list: Option<Ref>,
}

/// How the one who reads mutes an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mute {
    /// The account itself is muted: 0 everything, else the sum of 1 reposts, 2 quote posts.
    pub scope: Option<i16>,
    /// A muted list that it is on.
    pub list: Option<Ref>,
}

impl Mute {
    const REPOSTS: i16 = 1;
    const QUOTES: i16 = 2;

    /// Whether all of it is muted.
    #[must_use]
    pub fn is_full(self) -> bool {
        self.list.is_some() || self.scope == Some(0)
    }

    /// Whether only some of it is muted, its reposts among that.
    #[must_use]
    pub fn is_of_reposts(self) -> bool {
        !self.is_full() && self.scope.is_some_and(|scope| scope & Self::REPOSTS != 0)
    }

    /// Whether only some of it is muted, its quote posts among that.
    #[must_use]
    pub fn is_of_quotes(self) -> bool {
        !self.is_full() && self.scope.is_some_and(|scope| scope & Self::QUOTES != 0)
    }
}

/// Follows and blocks, by who made them and of whom; mutes of the one who reads.
#[derive(Debug, Default)]
pub struct Relations {
    follows: Map<Pair, i64>,
    blocks: Map<Pair, Block>,
    mutes: Map<i32, Mute>,
}

/// Pairs whose relations are asked for; some may stand here more than once.
#[derive(Debug, Default)]
pub struct Pairs {
    /// Accounts that the one who reads may follow, or that may follow it.
    follows: Vec<i32>,
    blocks: Vec<Pair>,
    /// Accounts that the first one of them may mute.
    mutes: Vec<i32>,
}

impl Pairs {
    /// Everything between the one who reads and an account.
    pub fn all(&mut self, viewer: i32, other: i32) {
        if viewer != other {
            self.follows.push(other);
            self.mutes.push(other);
        }
        self.blocks(viewer, other);
    }

    /// Whether one of two accounts blocks the other.
    pub fn blocks(&mut self, one: i32, other: i32) {
        if one != other {
            self.blocks.extend([(one, other), (other, one)]);
        }
    }
}

impl Pairs {
    /// Whether these, who have to do with each other, block each other, unless `audience` is above that.
    pub(super) fn apart(&mut self, audience: Audience, pairs: impl Iterator<Item = Pair>) {
        if !audience.sees_others_blocks {
            pairs.for_each(|(one, other)| self.blocks(one, other));
        }
    }
}

impl Relations {
    pub(super) async fn load(source: &Source, audience: Audience, pairs: &Pairs) -> Result<Self, QueryError> {
        let client: &Client = source;
        let subjects = distinct(&pairs.mutes);
        let muting = async {
            match audience.viewer {
                Some(viewer) if !subjects.is_empty() && !audience.mutes.no_account => Ok(relation::mutes(client, viewer, &subjects).await?),
                _ => Ok(Vec::new()),
            }
        };
        let blocks = distinct(&pairs.blocks);
        let others = distinct(&pairs.follows);
        let follows = async {
            match audience.viewer {
                Some(viewer) if !others.is_empty() => tie::of(source, viewer, &others).await,
                _ => Ok(Map::default()),
            }
        };
        let (follows, blocking, muting) = tokio::try_join!(follows, block::of(source, &blocks), muting)?;
        let lists: Set<Ref> = blocking.iter().filter_map(|row| row.list).chain(muting.iter().filter_map(|row| row.list)).collect();
        let in_force = in_force(source, audience, lists).await?;
        let counts = |list: Option<Ref>| list.is_none_or(|list| in_force.contains(&list));
        let mut blocks: Map<Pair, Block> = Map::default();
        for blocked in blocking.into_iter().filter(|blocked| counts(blocked.list)) {
            let block = blocks.entry((blocked.by, blocked.of)).or_default();
            match blocked.list {
                Some(list) => block.list = block.list.or(Some(list)),
                None => block.direct = Some(blocked.rkey),
            }
        }
        let mut mutes: Map<i32, Mute> = Map::default();
        for muted in muting.into_iter().filter(|muted| counts(muted.list)) {
            let mute = mutes.entry(muted.of).or_default();
            match muted.list {
                Some(list) => mute.list = mute.list.or(Some(list)),
                None => mute.scope = Some(muted.scope),
            }
        }
        Ok(Self { follows, blocks, mutes })
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.follows.extend(other.follows);
        self.blocks.extend(other.blocks);
        self.mutes.extend(other.mutes);
    }

    /// The key of the follow by which `author` follows `subject`.
    #[must_use]
    pub fn follow(&self, author: i32, subject: i32) -> Option<i64> {
        self.follows.get(&(author, subject)).copied()
    }

    /// How `author` blocks `subject`.
    #[must_use]
    pub fn block(&self, author: i32, subject: i32) -> Option<Block> {
        self.blocks.get(&(author, subject)).copied()
    }

    /// How the one who reads mutes an account; the default: not at all.
    #[must_use]
    pub fn mute(&self, account: i32) -> Mute {
        self.mutes.get(&account).copied().unwrap_or_default()
    }

    /// The lists by which the one who reads blocks and mutes.
    pub(super) fn lists(&self, viewer: i32) -> impl Iterator<Item = Ref> {
        let blocked = self.blocks.iter().filter(move |((by, _), _)| *by == viewer).filter_map(|(_, block)| block.list);
        blocked.chain(self.mutes.values().filter_map(|mute| mute.list))
    }

    /// The follows and blocks that are told.
    pub(super) fn paths(&self) -> impl Iterator<Item = Path> {
        let path = |coll, author: i32, rkey| Path { coll, at: Ref { rkey, author } };
        let follows = self.follows.iter().map(move |((author, _), rkey)| path(Coll::FOLLOW, *author, *rkey));
        let blocks = self.blocks.iter().filter_map(move |((author, _), block)| Some(path(Coll::BLOCK, *author, block.direct?)));
        follows.chain(blocks)
    }

    /// Whether one of the two blocks the other.
    #[must_use]
    pub fn is_block_between(&self, one: i32, other: i32) -> bool {
        self.blocks.contains_key(&(one, other)) || self.blocks.contains_key(&(other, one))
    }
}

/// Each once, sorted.
fn distinct<T: Ord + Copy>(all: &[T]) -> Vec<T> {
    let mut distinct = all.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    distinct
}

/// Those of these lists that keep their members out: they are there for that, and neither they nor their owners are hidden.
async fn in_force(source: &Source, audience: Audience, lists: Set<Ref>) -> Result<Set<Ref>, QueryError> {
    if lists.is_empty() {
        return Ok(lists);
    }
    let client: &Client = source;
    let paths: Vec<Path> = lists.iter().map(|at| Path { coll: Coll::LIST, at: *at }).collect();
    let owners = distinct(&lists.iter().map(|list| list.author).collect::<Vec<i32>>());
    let of_owners = owners.iter().map(|owner| Subject::account(*owner));
    let subjects = of_owners.chain(paths.iter().map(|path| Subject::record(path.coll, path.at))).collect();
    let (records, gone, owners, labels) = tokio::try_join!(
        async { Ok(read::record::kept(client, &paths).await?) },
        async { Ok(read::takedown::of(client, &paths).await?) },
        actor::load(source, &owners),
        Labels::load(client, audience, subjects),
    )?;
    let mut in_force = Set::default();
    for (path, packed) in records {
        let (at, record) = (path.at, unpack(&packed)?);
        let is_shown = owners.get(&at.author).is_some_and(|owner| owner.is_shown_to(audience))
            && (audience.sees_takedowns || !gone.contains(&path))
            && !labels.take_down(Subject::account(at.author), audience)
            && !labels.take_down(Subject::record(Coll::LIST, at), audience);
        if is_shown && ListFields::of(&record).is_some_and(|list| list.purpose == KEEPS_OUT) {
            in_force.insert(at);
        }
    }
    Ok(in_force)
}
