//! Labels of records whose collections have got a number in the code since they were said: kept by address until then, they go under the
//! number, where pages look for them. Says nothing itself: of two words on the same the later one counts, as ever.
//!
//! Workers of the version before must have stopped: they would go on to keep such labels by address.

use std::collections::HashMap;

use tracing::info;

use super::words::{Play, play};
use super::{Named, named, subject, wanted};
use crate::collection::Coll;
use crate::db::label::{self, Key, Subject};
use crate::db::{Client, labeler, lock, meta};
use crate::index::names::Names;
use crate::index::{IndexError, begin};

/// Addresses that are looked at together; if all are moved, some tens of milliseconds of the lock.
const PAGE: i64 = 1000;
/// In the table `meta`: how many collections the code numbered when this was done last.
const DONE: &str = "labels.collections";

/// Moves the labels of every collection that is known by now; asks for one row where nothing was learnt. Any number of processes may do so at
/// once, and end anywhere.
pub(in crate::index) async fn all(client: &mut Client, names: &Names) -> Result<(), IndexError> {
    let known = Coll::known().count().to_string();
    if meta::get(client, DONE).await?.as_ref() == Some(&known) {
        return Ok(());
    }
    let (mut moved, mut after) = (0, 0);
    loop {
        let page = label::uris_after(client, after, PAGE).await?;
        let Some((_, last)) = page.last() else { break };
        after = *last;
        let known: Vec<(Named<'_>, i64)> = page.iter().map(|(uri, id)| (named(uri), *id)).collect();
        let known: Vec<_> = known.into_iter().filter(|(name, _)| !matches!(name, Named::Other(_))).collect();
        if !known.is_empty() {
            moved += some(client, names, &known).await?;
        }
    }
    if moved > 0 {
        info!(labels = moved, "labels of records that are indexed now are with them");
    }
    Ok(meta::set(client, DONE, &known).await?)
}

/// The same for these addresses; how many words were said of them.
async fn some(client: &mut Client, names: &Names, page: &[(Named<'_>, i64)]) -> Result<u64, IndexError> {
    let known = names.intern(client, &wanted(page.iter().map(|(name, _)| *name))).await?;
    let tx = begin(client).await?;
    lock::commit_durably(&tx).await?;
    if !names.hold(&tx, known.keys().iter()).await? {
        return Err(IndexError::Stale);
    }
    let places: HashMap<Subject, Subject> =
        page.iter().filter_map(|(name, id)| Some((Subject::uri(*id), subject(*name, &known, &HashMap::new())?))).collect();
    let (mut from, mut to): (Vec<_>, Vec<_>) = places.iter().map(|(from, to)| (*from, *to)).unzip();
    from.sort_unstable();
    to.sort_unstable();
    to.dedup();
    for labeler in labeler::all(&tx).await? {
        let said = label::held(&tx, labeler.id, &from).await?.into_iter();
        let mut said: Vec<_> = said.filter_map(|(key, word)| Some((Key { subject: *places.get(&key.subject)?, ..key }, word))).collect();
        said.sort_by_key(|(_, word)| word.cts);
        let Play { changed, .. } = play(label::held(&tx, labeler.id, &to).await?, said);
        if !changed.is_empty() {
            label::put(&tx, labeler.id, &changed).await?;
        }
    }
    let moved = label::forget_uris(&tx, &page.iter().map(|(_, id)| *id).collect::<Vec<_>>()).await?;
    tx.commit().await?;
    Ok(moved)
}
