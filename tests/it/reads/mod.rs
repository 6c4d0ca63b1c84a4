//! What the API answers.

mod accounts;
mod database;
mod feed;
mod http;
mod plans;
mod posts;
mod profile;
mod record;
pub mod world;
