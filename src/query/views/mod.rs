//! How states are shown: borrowed structs that serialize to the lexicons' views, one file a family. Never reads the database; what is not in
//! the hydration is not there.

pub mod actor;
pub mod embed;
pub mod feed;
mod label;
pub mod post;
mod urls;

pub use label::Label;
pub use urls::Urls;

use super::hydrate::Hydration;

/// What views are made from.
#[derive(Debug, Clone, Copy)]
pub struct Views<'a> {
    pub state: &'a Hydration,
    pub urls: &'a Urls,
}
