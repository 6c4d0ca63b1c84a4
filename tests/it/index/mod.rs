//! The write side against a real PostgreSQL, with events built by hand: each rule by its name, and random histories.

mod accounts;
mod edges;
mod kept;
mod kit;
mod letters;
mod names;
mod offsets;
mod plans;
mod posts;
mod purge;
mod random;
mod reindex;
mod repos;
mod speed;
