//! Queue to PostgreSQL, with faults: each time PostgreSQL must equal an in-order model of what was sent.

mod faults;
mod feeder;
mod leases;
mod purge;
pub mod rig;
mod start;
mod sweep;
