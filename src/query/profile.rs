//! What only an account's own page shows.

use super::QueryError;
use super::views::actor::Associated;
use crate::collection::Coll;
use crate::db::{Client, read};

/// How many lists, feed generators and starter packs the account has, and whether it labels.
///
/// # Errors
/// The database's.
pub async fn associated(client: &Client, account: i32) -> Result<Associated, QueryError> {
    let counts = read::actor::kept(client, account, &[Coll::LIST, Coll::GENERATOR, Coll::STARTERPACK, Coll::LABELER]).await?;
    let count = |coll| counts.iter().find(|(found, _)| *found == coll).map_or(0, |(_, count)| *count);
    Ok(Associated {
        lists: count(Coll::LIST),
        feedgens: count(Coll::GENERATOR),
        starter_packs: count(Coll::STARTERPACK),
        labeler: count(Coll::LABELER) > 0,
    })
}
