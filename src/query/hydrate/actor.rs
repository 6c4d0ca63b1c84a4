//! The state of an account.

use std::sync::{Arc, OnceLock};

use super::declared::{self, Declared, Status as Doing};
use serde_json::value::RawValue;

use crate::collection::unpack;
use crate::db::repo::Status;
use crate::db::{Client, read};
use crate::query::maps::Map;
use crate::query::{Audience, QueryError, Source};

/// What an account says of itself, as its views have it: made once, and gone with the account when that is forgotten.
#[derive(Debug, Default)]
pub struct WrittenActor {
    pub name: Option<Box<str>>,
    pub pronouns: Option<Box<str>>,
    pub description: Option<Box<str>>,
    /// Address of the picture.
    pub avatar: Option<Box<str>>,
    /// As the profile has it, in the form of all times.
    pub created_at: Option<Box<str>>,
    /// Address of the post that it pinned.
    pub pinned: Option<Box<str>>,
    /// Whether it labelled itself.
    pub has_own_labels: bool,
    /// `app.bsky.actor.defs#profileViewBasic` with nothing but this; `None` where it labelled itself.
    pub basic: Option<Box<RawValue>>,
}

/// An account as it stands.
#[derive(Debug)]
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
    /// What its views say for all to read, made by the first of them (`views::written`).
    pub written: OnceLock<WrittenActor>,
}

impl Actor {
    /// What it is doing now, whether that still holds or not.
    #[must_use]
    pub fn status(&self) -> Option<&Doing> {
        self.declared.as_ref()?.status.as_ref()
    }

    /// Bytes of what is on the heap, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        // What its views say of the profile is made later, twice, and is about as long.
        let own = self.handle.as_ref().map_or(0, String::len) + 3 * self.profile.as_ref().map_or(0, Vec::len);
        3 * self.did.len() + own + self.declared.as_ref().map_or(0, |declared| declared.bytes())
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

pub(super) async fn load(source: &Source, ids: &[i32]) -> Result<Map<i32, Arc<Actor>>, QueryError> {
    let (mut known, missed) = source.recall(|cache| &cache.actors, ids);
    if !missed.is_empty() {
        let read = stored(source, &missed).await?;
        // Of those of whom nothing of their own was seen nobody tells when that comes.
        source.keep(|cache| &cache.actors, read.iter().filter(|(_, actor)| actor.status.is_some()));
        known.extend(read);
    }
    Ok(known)
}

/// Those of `ids` that exist, as the database has them.
async fn stored(client: &Client, ids: &[i32]) -> Result<Map<i32, Arc<Actor>>, QueryError> {
    let actors = read::actor::by_id(client, ids).await?.into_iter().map(|row| {
        let profile = row.profile.map(|packed| unpack(&packed)).transpose()?;
        let declared = declared::read(row.declared)?;
        let (did, handle, status, taken_down) = (row.did, row.handle, row.status, row.taken_down);
        let (labeler, trusted, verified) = (row.labeler, row.trusted, row.verified);
        let written = OnceLock::new();
        Ok((row.id, Arc::new(Actor { did, handle, status, profile, taken_down, labeler, trusted, verified, declared, written })))
    });
    actors.collect()
}
