//! Labels from a labeler's socket to their rows.

mod client;
mod faults;
mod judge;
mod p256;
pub mod rig;
