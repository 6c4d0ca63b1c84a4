//! What the API reads: one function a statement, all keys of a page at once. Never writes, never one statement an item.

pub mod actor;
pub mod feed;
pub mod key;
pub mod labeler;
pub mod post;
pub mod process;
pub mod record;
pub mod viewer;
