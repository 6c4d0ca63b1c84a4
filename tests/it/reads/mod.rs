//! What the API answers.

mod database;
mod feed;
mod http;
mod plans;
mod posts;
mod profile;
mod record;
pub mod world;
