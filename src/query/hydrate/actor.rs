//! The state of an account.

use std::collections::HashMap;

use crate::collection::unpack;
pub use crate::db::read::actor::Counts;
use crate::db::repo::Status;
use crate::db::{Client, read};
use crate::query::QueryError;

/// An account as it stands.
#[derive(Debug, Clone)]
pub struct Actor {
    pub did: String,
    /// Verified, in lower case.
    pub handle: Option<String>,
    /// `None`: it was only ever mentioned.
    pub status: Option<Status>,
    /// The bytes of the profile.
    pub profile: Option<Vec<u8>>,
}

impl Actor {
    /// Whether it may be shown: something of its own was seen, and its host calls it active.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.status == Some(Status::Active)
    }
}

pub(super) async fn load(client: &Client, ids: &[i32]) -> Result<HashMap<i32, Actor>, QueryError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let actors = read::actor::by_id(client, ids).await?.into_iter().map(|row| {
        let profile = row.profile.map(|packed| unpack(&packed)).transpose()?;
        let (did, handle, status) = (row.did, row.handle, row.status);
        Ok((row.id, Actor { did, handle, status, profile }))
    });
    actors.collect()
}

pub(super) async fn counts(client: &Client, ids: &[i32]) -> Result<HashMap<i32, Counts>, QueryError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(read::actor::counts(client, ids).await?.into_iter().collect())
}
