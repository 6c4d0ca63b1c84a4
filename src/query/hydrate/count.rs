//! What is counted of records and accounts.

use std::sync::Arc;

pub use crate::db::read::actor::Counts;

use crate::db::bucket::h31;
use crate::db::read;
use crate::db::stat::{self, PostStat, Subject};
use crate::query::maps::{Map, Set};
use crate::query::{QueryError, Source};

/// The counts of all records whose places have one hash: as a rule of one, or none.
#[derive(Debug, Clone, Default)]
pub struct Counted(Option<Arc<[(Subject, PostStat)]>>);

impl Counted {
    /// Bytes of what is on the heap.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.rows().map(size_of_val).sum()
    }

    fn rows(&self) -> impl Iterator<Item = &(Subject, PostStat)> {
        self.0.iter().flat_map(|rows| rows.iter())
    }
}

/// The counts of those of `subjects` of which anything is counted.
pub(super) async fn of(source: &Source, subjects: &[Subject]) -> Result<Map<Subject, PostStat>, QueryError> {
    let mut hashes: Vec<i32> = subjects.iter().map(|subject| h31(subject.sr, subject.sa)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    let (mut known, missed) = source.recall(|cache| &cache.counts, &hashes);
    if !missed.is_empty() {
        let mut rows: Map<i32, Vec<(Subject, PostStat)>> = missed.iter().map(|hash| (*hash, Vec::new())).collect();
        for row in stat::under(&**source, &missed).await? {
            rows.entry(h31(row.0.sr, row.0.sa)).or_default().push(row);
        }
        let counted = |rows: Vec<_>| Counted(Some(rows).filter(|rows| !rows.is_empty()).map(Arc::from));
        let read: Vec<(i32, Counted)> = rows.into_iter().map(|(hash, rows)| (hash, counted(rows))).collect();
        source.keep(|cache| &cache.counts, read.iter().map(|(hash, counted)| (hash, counted)));
        known.extend(read);
    }
    let wanted: Set<&Subject> = subjects.iter().collect();
    Ok(known.values().flat_map(Counted::rows).filter(|(subject, _)| wanted.contains(subject)).copied().collect())
}

/// The counts of accounts; those of which nothing is counted have zeros.
pub(super) async fn of_accounts(source: &Source, ids: &[i32]) -> Result<Map<i32, Counts>, QueryError> {
    let (mut known, missed) = source.recall(|cache| &cache.account_counts, ids);
    if !missed.is_empty() {
        let mut read: Map<i32, Counts> = missed.iter().map(|id| (*id, Counts::default())).collect();
        read.extend(read::actor::counts(&**source, &missed).await?);
        source.keep(|cache| &cache.account_counts, &read);
        known.extend(read);
    }
    Ok(known)
}
