//! The state of an account.

use std::collections::HashMap;
use std::sync::Arc;

use super::declared::{self, Declared, Status as Doing};
use crate::collection::unpack;
pub use crate::db::read::actor::Counts;
use crate::db::repo::Status;
use crate::db::{Client, read};
use crate::query::{Audience, QueryError, Source};

/// An account as it stands.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact by itself")]
pub struct Actor {
    pub did: String,
    /// Verified, in lower case.
    pub handle: Option<String>,
    /// `None`: it was only ever mentioned.
    pub status: Option<Status>,
    /// The bytes of the profile.
    pub profile: Option<Vec<u8>>,
    /// Operators of this service took it down.
    pub taken_down: bool,
    /// It labels.
    pub labeler: bool,
    /// Its verifications are shown.
    pub trusted: bool,
    /// Somebody whose verifications are shown verifies it.
    pub verified: bool,
    /// What it declares, besides the defaults.
    pub declared: Option<Box<Declared>>,
}

impl Actor {
    /// What it is doing now, whether that still holds or not.
    #[must_use]
    pub fn status(&self) -> Option<&Doing> {
        self.declared.as_ref()?.status.as_ref()
    }

    /// Whether `audience` is shown it: something of its own was seen, its host calls it active, and nobody took it down. Who sees takedowns
    /// sees every account that is not gone.
    #[must_use]
    pub fn is_shown_to(&self, audience: Audience) -> bool {
        match self.status {
            Some(Status::Deleted) | None => false,
            Some(_) if audience.sees_takedowns => true,
            Some(status) => status == Status::Active && !self.taken_down,
        }
    }
}

pub(super) async fn load(source: &Source, ids: &[i32]) -> Result<HashMap<i32, Arc<Actor>>, QueryError> {
    let Some((cache, read)) = source.remembered() else { return stored(source, ids).await };
    let (mut actors, mut missed) = (HashMap::with_capacity(ids.len()), Vec::new());
    for id in ids {
        match cache.actor(*id) {
            Some(actor) => drop(actors.insert(*id, actor)),
            None => missed.push(*id),
        }
    }
    let found = stored(source, &missed).await?;
    cache.keep_actors(read, found.iter().map(|(id, actor)| (*id, actor)));
    actors.extend(found);
    Ok(actors)
}

/// Those of `ids` that exist, as the database has them.
async fn stored(client: &Client, ids: &[i32]) -> Result<HashMap<i32, Arc<Actor>>, QueryError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let actors = read::actor::by_id(client, ids).await?.into_iter().map(|row| {
        let profile = row.profile.map(|packed| unpack(&packed)).transpose()?;
        let declared = declared::read(row.declared)?;
        let (did, handle, status, taken_down) = (row.did, row.handle, row.status, row.taken_down);
        let (labeler, trusted, verified) = (row.labeler, row.trusted, row.verified);
        Ok((row.id, Arc::new(Actor { did, handle, status, profile, taken_down, labeler, trusted, verified, declared })))
    });
    actors.collect()
}

pub(super) async fn counts(client: &Client, ids: &[i32]) -> Result<HashMap<i32, Counts>, QueryError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(read::actor::counts(client, ids).await?.into_iter().collect())
}
