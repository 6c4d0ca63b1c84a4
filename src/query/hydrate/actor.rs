//! The state of an account.

use std::collections::HashMap;

use crate::collection::unpack;
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
    pub followers: i32,
    pub follows: i32,
    pub posts: i32,
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
    let rows = read::actor::by_id(client, ids).await?;
    let actors = rows.into_iter().map(|row| {
        let profile = row.profile.map(|packed| unpack(&packed)).transpose()?;
        let (did, handle, status) = (row.did, row.handle, row.status);
        Ok((row.id, Actor { did, handle, status, profile, followers: row.followers, follows: row.follows, posts: row.posts }))
    });
    actors.collect()
}
