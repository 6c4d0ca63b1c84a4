//! How states are shown: borrowed structs that serialize to the lexicons' views, one file a family. Never reads the database; what is not in
//! the hydration is not there.

pub mod actor;
pub mod associated;
pub mod embed;
pub mod feed;
pub mod generator;
mod label;
pub mod labeler;
pub mod list;
pub mod notification;
pub mod pack;
pub mod post;
pub mod status;
pub mod thread;
pub mod thread_flat;
mod urls;
pub mod verification;
mod written;

pub use label::Label;
pub use urls::Urls;

use super::hydrate::Hydration;
use crate::atproto::datetime;
use crate::collection::{Coll, Ref};

/// What views are made from.
#[derive(Debug, Clone, Copy)]
pub struct Views<'a> {
    pub state: &'a Hydration,
    pub urls: &'a Urls,
}

impl Views<'_> {
    /// The address of a record; `None` where its author or the text of its key was not gathered.
    #[must_use]
    pub fn uri(&self, coll: Coll, at: Ref) -> Option<String> {
        let did = &self.state.any_actor(at.author)?.did;
        Some(format!("at://{did}/{}/{}", coll.nsid()?, self.state.key(at)?))
    }
}

/// When a record was indexed, where nothing but its own word tells it: its createdAt.
fn dated(created_at: &str) -> String {
    datetime::format_micros(datetime::parse_micros(created_at).unwrap_or(0))
}
