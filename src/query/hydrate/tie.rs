//! Whom of those that it saw lately the one who reads follows, and by whom of them it is followed. Filled page by page, and forgotten as a whole
//! when it follows somebody else or somebody else follows it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::following;
use crate::db::read::relation::{self, Pair};
use crate::query::maps::{Map, Mixer};
use crate::query::{QueryError, Source};

/// Accounts of which one who reads is remembered to follow them or not: some pages. From there on it begins anew.
const MOST: usize = 512;

/// The keys of the follows between the one who reads and another account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tie {
    follows: Option<i64>,
    followed: Option<i64>,
}

/// Ties of one who reads, as they were since all of this is remembered.
///
/// Whoever adds to them read what is added after it had found them. So it is never older than they are, and where it is older than a change
/// nobody finds them any more who came after that.
#[derive(Debug, Clone, Default)]
pub struct Ties(Arc<Mutex<Map<i32, Tie>>>);

impl Ties {
    fn inner(&self) -> MutexGuard<'_, Map<i32, Tie>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, ties: &Map<i32, Tie>) {
        let mut inner = self.inner();
        if inner.len() + ties.len() > MOST {
            inner.clear();
        }
        inner.extend(ties.iter().take(MOST));
    }
}

/// The follows between `viewer` and these others, in both directions, with their keys.
pub(super) async fn of(source: &Source, viewer: i32, others: &[i32]) -> Result<Map<Pair, i64>, QueryError> {
    let ties = source.recall_one(|cache| &cache.ties, &viewer).unwrap_or_default();
    let (mut known, missed) = split(&ties, others);
    if !missed.is_empty() {
        let read = read(source, viewer, &missed).await?;
        ties.add(&read);
        source.keep(|cache| &cache.ties, [(&viewer, &ties)]);
        known.extend(read);
    }
    let both =
        |(other, tie): (i32, Tie)| [tie.follows.map(|rkey| ((viewer, other), rkey)), tie.followed.map(|rkey| ((other, viewer), rkey))];
    Ok(known.into_iter().flat_map(both).flatten().collect())
}

fn split(ties: &Ties, others: &[i32]) -> (Map<i32, Tie>, Vec<i32>) {
    let (ties, mut known, mut missed) = (ties.inner(), Map::with_capacity_and_hasher(others.len(), Mixer::default()), Vec::new());
    for other in others {
        match ties.get(other) {
            Some(tie) => drop(known.insert(*other, *tie)),
            None => missed.push(*other),
        }
    }
    (known, missed)
}

async fn read(source: &Source, viewer: i32, others: &[i32]) -> Result<Map<i32, Tie>, QueryError> {
    // Whom the viewer follows may be remembered as a whole: then it is not asked for strangers.
    let followed = following::remembered(source, viewer);
    let may_follow = |other: i32| followed.as_ref().is_none_or(|followed| followed.contains(other));
    let follows = others.iter().filter(|other| may_follow(**other)).map(|other| (viewer, *other));
    let mut pairs: Vec<Pair> = follows.chain(others.iter().map(|other| (*other, viewer))).collect();
    pairs.sort_unstable();
    let mut ties: Map<i32, Tie> = others.iter().map(|other| (*other, Tie::default())).collect();
    for ((author, subject), rkey) in relation::follows(&**source, &pairs).await? {
        let tie = ties.entry(if author == viewer { subject } else { author }).or_default();
        *(if author == viewer { &mut tie.follows } else { &mut tie.followed }) = Some(rkey);
    }
    Ok(ties)
}
