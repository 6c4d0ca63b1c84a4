//! Who among the trusted says of an account that it is who it says.

use crate::collection::{Ref, unpack};
use crate::db::{Client, read};
use crate::query::QueryError;
use crate::query::maps::Map;

/// A verification by a trusted account.
#[derive(Debug, Clone)]
pub struct Verification {
    /// Its author is who verifies.
    pub place: Ref,
    /// The record's bytes.
    pub record: Vec<u8>,
}

/// Those of these accounts that have any, in the order of their keys.
pub(super) async fn load(client: &Client, accounts: &[i32]) -> Result<Map<i32, Vec<Verification>>, QueryError> {
    let mut found: Map<i32, Vec<Verification>> = Map::default();
    for row in read::verification::of(client, accounts).await? {
        let verification = Verification { place: row.place, record: unpack(&row.record)? };
        found.entry(row.subject).or_default().push(verification);
    }
    Ok(found)
}
