//! What only an account's own page shows.

use super::{QueryError, Source};
use crate::collection::Coll;
use crate::db::read;
use crate::query::maps::Map;

/// What an account has published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    pub lists: i64,
    pub generators: i64,
    pub packs: i64,
}

/// How many lists, feed generators and starter packs accounts have.
///
/// # Errors
/// The database's.
pub async fn published(source: &Source, accounts: &[i32]) -> Result<Map<i32, Published>, QueryError> {
    let (mut known, missed) = source.recall(|cache| &cache.published, accounts);
    if !missed.is_empty() {
        let mut found: Map<i32, Published> = missed.iter().map(|account| (*account, Published::default())).collect();
        for (account, coll, count) in read::actor::kept(&**source, &missed, &[Coll::LIST, Coll::GENERATOR, Coll::STARTERPACK]).await? {
            let published = found.entry(account).or_default();
            match coll {
                Coll::LIST => published.lists = count,
                Coll::GENERATOR => published.generators = count,
                _ => published.packs = count,
            }
        }
        source.keep(|cache| &cache.published, &found);
        known.extend(found);
    }
    Ok(known)
}
