//! Who looks at a page, and whose labels they may ask for.

use super::QueryError;
use crate::atproto::Did;
use crate::db::Client;
pub use crate::db::read::labeler::Labeler;
pub use crate::db::read::viewer::Viewer;
use crate::db::read::{labeler, viewer};

/// The account `did`; `None`: it was never seen, so that nothing is known of what it may see.
///
/// # Errors
/// The database's.
pub async fn by_did(client: &Client, did: &Did) -> Result<Option<Viewer>, QueryError> {
    Ok(viewer::by_did(client, did.as_str()).await?)
}

/// Those of `dids` of whom anything is known, as labelers.
///
/// # Errors
/// The database's.
pub async fn labelers(client: &Client, dids: &[&str]) -> Result<Vec<Labeler>, QueryError> {
    Ok(labeler::known(client, dids).await?)
}
