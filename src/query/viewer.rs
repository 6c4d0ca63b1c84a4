//! Who looks at a page, and whose labels they may ask for.

use super::QueryError;
use crate::atproto::{Did, Tid};
use crate::db::Client;
pub use crate::db::read::labeler::Labeler;
use crate::db::read::{labeler, viewer};

/// The account that looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    pub id: i32,
    /// How far its repo was applied before anything else was read: what is shown holds all of it, so that a host can add the rest.
    pub rev: Option<Tid>,
}

/// The account `did`; `None`: it was never seen, so that nothing is known of what it may see.
///
/// # Errors
/// The database's.
pub async fn by_did(client: &Client, did: &Did) -> Result<Option<Viewer>, QueryError> {
    Ok(viewer::by_did(client, did.as_str()).await?.map(|(id, rev)| Viewer { id, rev }))
}

/// Those of `dids` of whom anything is known, as labelers.
///
/// # Errors
/// The database's.
pub async fn labelers(client: &Client, dids: &[&str]) -> Result<Vec<Labeler>, QueryError> {
    Ok(labeler::known(client, dids).await?)
}
