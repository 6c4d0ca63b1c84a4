//! A small atproto network in one process, for tests and for newcomers. Imports atproto/ and net/ only.
//!
//! Seeded: the same seed and number of accounts give the same frames, byte for byte. Never shares code with what it is there to judge.

pub mod directory;
pub mod labeler;
pub mod load;
pub mod network;
pub mod oracle;
pub mod recording;
pub mod relay;
mod run;

pub use directory::Directory;
pub use labeler::Labeler;
pub use network::{Made, Network};
pub use oracle::Oracle;
pub use relay::Relay;
pub use run::{Options, run};
