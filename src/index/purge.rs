//! Deleted accounts: all their rows go, a bounded number a transaction, under the lock of applying, and what they counted is taken back.
//! Every transaction stands for itself, so that a purge may end anywhere and be gone on with by any process. Never touches what another
//! account owns, but for its counts.

use tokio_postgres::Error;

use super::simulate::{Counts, Slot, World, subject_of, subject_post};
use super::{Index, IndexError, begin, write};
use crate::collection::{Edge, EdgeKind, Post};
use crate::db::purge::{self, Key};
use crate::db::record::{self, Path};
use crate::db::stat::{self, Subject};
use crate::db::{Client, Transaction, identity};

/// Rows that one transaction removes at most; an edge and the record kept for it are one. About a tenth of a second of the lock.
const ROWS: i64 = 5000;

/// What a step of a purge did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purged {
    pub account: i32,
    pub did: String,
    /// Rows removed.
    pub rows: u64,
    /// None is left.
    pub done: bool,
}

impl Index {
    /// Removes up to 5,000 rows of a deleted account, or all of its last ones. `None`: nothing of it is to be removed, (not) any more.
    ///
    /// # Errors
    /// The database's; what was removed before stays so, and purging again is always right.
    pub async fn purge(&self, client: &mut Client, account: i32) -> Result<Option<Purged>, IndexError> {
        let Some((did, mut rows)) = rows(client, account).await? else { return Ok(None) };
        let done = rows < ROWS;
        if done {
            rows += keys(client, account).await?;
        }
        Ok(Some(Purged { account, did, rows: u64::try_from(rows).unwrap_or(0), done }))
    }

    /// The same for the first of all accounts that are to be purged. `None`: there is none.
    ///
    /// # Errors
    /// The database's.
    pub async fn purge_some(&self, client: &mut Client) -> Result<Option<Purged>, IndexError> {
        match purge::first(client).await? {
            Some(account) => self.purge(client, account).await,
            None => Ok(None),
        }
    }
}

/// Removes up to [`ROWS`] rows; the account's DID and their number. Asked under the lock, since another process may have ended the purge,
/// and what stands there now would belong to the account's new life.
async fn rows(client: &mut Client, account: i32) -> Result<Option<(String, i64)>, Error> {
    let tx = begin(client).await?;
    let Some(did) = purge::due(&tx, account).await? else { return Ok(None) };
    identity::release(&tx, account).await?;
    let mut left = ROWS - purge::plain(&tx, account, ROWS).await?;
    let mut edges = Vec::new();
    for kind in EdgeKind::ALL {
        if left > 0 {
            let gone = purge::edges(&tx, kind, account, left).await?;
            left -= i64::try_from(gone.len()).unwrap_or(left);
            edges.extend(gone.into_iter().map(|edge| (kind, edge)));
        }
    }
    let posts = if left > 0 { purge::posts(&tx, account, left).await? } else { Vec::new() };
    left -= i64::try_from(posts.len()).unwrap_or(left);
    remove_raw(&tx, &edges).await?;
    take_back(&tx, &edges, &posts).await?;
    tx.commit().await?;
    Ok(Some((did, ROWS - left)))
}

/// The records of edges that columns do not hold go with them.
async fn remove_raw(tx: &Transaction<'_>, edges: &[(EdgeKind, Edge)]) -> Result<(), Error> {
    let raw = edges.iter().filter(|(_, edge)| edge.is_raw());
    let paths: Vec<Path> = raw.map(|(kind, edge)| Path { coll: kind.coll(), at: edge.place() }).collect();
    if !paths.is_empty() {
        record::delete_raw(tx, &paths).await?;
    }
    Ok(())
}

/// Takes back what the rows counted. No edge inherits: all edges of a pair have one author.
async fn take_back(tx: &Transaction<'_>, edges: &[(EdgeKind, Edge)], posts: &[Post]) -> Result<(), Error> {
    let counted = || edges.iter().filter(|(_, edge)| !edge.is_duplicate());
    let of_posts = posts.iter().flat_map(|post| [post.parent, post.quote]).flatten().map(subject_post);
    let mut subjects: Vec<Subject> = counted().filter_map(|(kind, edge)| subject_of(*kind, edge)).chain(of_posts).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let mut counts = Counts::default();
    if !subjects.is_empty() {
        counts.subjects.extend(stat::of(tx, &subjects).await?.into_iter().map(|(subject, stat)| (subject, Slot::held(stat))));
    }
    for (kind, edge) in counted() {
        counts.edge(*kind, edge, -1);
    }
    for post in posts {
        counts.post(post, -1);
    }
    write::all(tx, &World { counts, ..World::default() }, &[]).await
}

/// Removes the record keys that nobody names, and ends the purge; how many they were. Some keys stay, so that a transaction takes those
/// after the last one's.
async fn keys(client: &mut Client, account: i32) -> Result<i64, Error> {
    let (mut removed, mut after): (i64, Key) = (0, (i16::MIN, i64::MIN));
    loop {
        let tx = begin(client).await?;
        if purge::due(&tx, account).await?.is_none() {
            return Ok(removed);
        }
        let page = purge::keys(&tx, account, after, ROWS).await?;
        let gone = purge::forget(&tx, account, &page).await?;
        if !gone.is_empty() {
            purge::counts(&tx, account, &gone).await?;
        }
        removed += i64::try_from(gone.len()).unwrap_or(0);
        let last = page.last().copied().filter(|_| page.len() >= usize::try_from(ROWS).unwrap_or(usize::MAX));
        if last.is_none() {
            purge::finish(&tx, account).await?;
        }
        tx.commit().await?;
        let Some(last) = last else { return Ok(removed) };
        after = last;
    }
}
