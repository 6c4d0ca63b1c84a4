//! What only an account's own page shows.

use std::collections::HashMap;

use super::QueryError;
use crate::collection::Coll;
use crate::db::{Client, read};

/// What an account has published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Published {
    pub lists: i64,
    pub generators: i64,
    pub packs: i64,
}

/// How many lists, feed generators and starter packs accounts have; of those that have any.
///
/// # Errors
/// The database's.
pub async fn published(client: &Client, accounts: &[i32]) -> Result<HashMap<i32, Published>, QueryError> {
    let mut found: HashMap<i32, Published> = HashMap::new();
    for (account, coll, count) in read::actor::kept(client, accounts, &[Coll::LIST, Coll::GENERATOR, Coll::STARTERPACK]).await? {
        let published = found.entry(account).or_default();
        match coll {
            Coll::LIST => published.lists = count,
            Coll::GENERATOR => published.generators = count,
            _ => published.packs = count,
        }
    }
    Ok(found)
}
