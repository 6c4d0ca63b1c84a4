//! What only an account's own page shows.

use std::collections::HashMap;

use super::QueryError;
use super::views::actor::Associated;
use crate::collection::Coll;
use crate::db::{Client, read};

/// How many lists, feed generators and starter packs accounts have, and which of them label; of those that have any.
///
/// # Errors
/// The database's.
pub async fn associated(client: &Client, accounts: &[i32]) -> Result<HashMap<i32, Associated>, QueryError> {
    let mut found: HashMap<i32, Associated> = HashMap::new();
    for (account, coll, count) in
        read::actor::kept(client, accounts, &[Coll::LIST, Coll::GENERATOR, Coll::STARTERPACK, Coll::LABELER]).await?
    {
        let associated = found.entry(account).or_default();
        match coll {
            Coll::LIST => associated.lists = count,
            Coll::GENERATOR => associated.feedgens = count,
            Coll::STARTERPACK => associated.starter_packs = count,
            _ => associated.labeler = true,
        }
    }
    Ok(found)
}
