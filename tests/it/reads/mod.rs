//! What the API answers.

mod accounts;
mod cache;
mod changes;
mod database;
mod embeds;
mod feed;
mod generators;
mod http;
mod labels;
mod lists;
mod notifications;
mod plans;
mod posts;
mod profile;
mod record;
mod relations;
mod reply_gates;
mod search_actors;
mod search_posts;
mod shared;
mod takedowns;
mod threads;
mod threads_flat;
mod timeline;
mod tree;
mod walk;
pub mod world;
