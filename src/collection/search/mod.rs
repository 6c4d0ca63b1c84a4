//! What posts and profiles are found by: text becomes units, units and fields become tokens of four bytes, which one GIN holds. The same code
//! says what a record has and what a query asks for, so that the two cannot drift apart. Pure, and bounded whatever a record holds.
//!
//! Tokens narrow down, they do not decide: hashes collide, and the order of words is not in them. What is found is held against the record's
//! own text ([`Condition::holds`]) before it is shown. For every record and condition: where the condition holds, the record has its tokens.

mod account;
mod condition;
mod document;
mod fold;
mod name;
mod script;
mod token;
mod unit;

pub use account::{WINDOWS, account_at, grams, place, window_gram, window_token};
pub use condition::{Condition, all_tokens};
pub use document::{Document, host, link};
pub use fold::fold;
pub use name::Name;
pub use token::{LEVELS, level_token};
pub use unit::{Unit, contains, units};

use super::Post;
use super::actor::profile::ProfileFields;
use super::feed::post::PostFields;

/// The tokens of a post, sorted, each once: what it says, names and points to, who wrote it, and its place in time.
#[must_use]
pub fn of_post(post: &Post, record: &[u8]) -> Vec<i32> {
    let Some(fields) = PostFields::of(record) else { return Vec::new() };
    let mut tokens = Document::of(&fields, post.author).tokens();
    tokens.extend((0..LEVELS.len()).map(|level| level_token(level, post.sort.unwrap_or(post.rkey))));
    sorted(tokens)
}

/// The tokens of the profile of account `author`, sorted, each once: its name, and its place in the order of accounts.
#[must_use]
pub fn of_profile(author: i32, record: &[u8]) -> Vec<i32> {
    let name = ProfileFields::of(record).and_then(|fields| fields.display_name).map(Name::of);
    let mut tokens = name.map_or_else(Vec::new, |name| name.tokens());
    if !tokens.is_empty() {
        tokens.extend((0..WINDOWS.len()).map(|level| window_token(level, place(author))));
    }
    sorted(tokens)
}

fn sorted(mut tokens: Vec<i32>) -> Vec<i32> {
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

#[cfg(test)]
mod tests;
