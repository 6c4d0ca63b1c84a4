//! Commands: what is written through the API is applied once, in order, and in effect when its answer comes, whatever breaks on the way.

mod effects;
mod faults;
mod procedures;
pub mod rig;
mod server;
mod workers;
