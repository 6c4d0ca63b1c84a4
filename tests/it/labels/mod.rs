//! Labels from a labeler's socket to their rows.

mod client;
mod faults;
pub mod rig;
