//! What the API answers.

mod accounts;
mod cache;
mod database;
mod feed;
mod http;
mod labels;
mod lists;
mod notifications;
mod plans;
mod posts;
mod profile;
mod record;
mod relations;
mod shared;
mod takedowns;
mod timeline;
pub mod world;
