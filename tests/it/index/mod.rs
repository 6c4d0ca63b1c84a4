//! The write side against a real PostgreSQL, with events built by hand: each rule by its name, and random histories.

mod accounts;
mod edges;
mod gates;
mod joins;
mod kept;
pub mod kit;
mod letters;
mod names;
mod notifs;
mod offsets;
mod pending;
mod plans;
mod posts;
mod purge;
mod random;
mod reindex;
mod repos;
mod search;
mod speed;
mod splits;
mod threads;
mod told;
