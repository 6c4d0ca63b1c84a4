//! Search: what a query asks for, how it is found, and whether what was found has it. Tokens find too much now and then; every post is held
//! against its own record before it is shown.

mod parse;
pub(super) mod walk;

pub use parse::{Asked, BadQuery, Clause, What, domain, lang};

use super::{Audience, QueryError, names};
use crate::collection::feed::post::PostFields;
use crate::collection::search::{Condition, Document, all_tokens};
use crate::db::{Client, read};

/// A query, all of whose names are known.
#[derive(Debug, Clone, Default)]
pub struct PostQuery {
    with: Vec<Condition>,
    without: Vec<Condition>,
    /// Sort keys: what is before this is not found, ...
    pub since: i64,
    /// ... nor what is from this on.
    pub until: Option<i64>,
}

impl PostQuery {
    /// The query `asked` by `audience`. `None`: it names somebody who was never seen, so that nothing can be found.
    ///
    /// # Errors
    /// The database's.
    pub async fn resolve(client: &Client, audience: Audience, asked: Asked) -> Result<Option<Self>, QueryError> {
        let mut query = Self { since: asked.since.unwrap_or_default(), until: asked.until, ..Self::default() };
        for Clause { negated, what } in asked.clauses {
            let condition = match what {
                What::Has(condition) => Some(condition),
                What::From(name) => account(client, audience, &name).await?.map(Condition::Author),
                What::Mentions(name) => match account(client, audience, &name).await? {
                    Some(id) => read::key::did(client, id).await?.map(Condition::Mention),
                    None => None,
                },
            };
            match condition {
                Some(condition) if negated => query.without.push(condition),
                Some(condition) => query.with.push(condition),
                // Nobody's posts, and nobody is mentioned.
                None if negated => {}
                None => return Ok(None),
            }
        }
        Ok(Some(query))
    }

    /// Tokens that every post has that is found.
    #[must_use]
    pub fn tokens(&self) -> Vec<i32> {
        all_tokens(self.with.iter())
    }

    /// Whether a post is found by it.
    #[must_use]
    pub fn finds(&self, author: i32, record: &[u8]) -> bool {
        let Some(fields) = PostFields::of(record) else { return false };
        let document = Document::of(&fields, author);
        self.with.iter().all(|condition| condition.holds(&document)) && !self.without.iter().any(|condition| condition.holds(&document))
    }
}

/// `me` is who asks.
async fn account(client: &Client, audience: Audience, name: &str) -> Result<Option<i32>, QueryError> {
    if name.eq_ignore_ascii_case("me") {
        return Ok(audience.viewer.filter(|viewer| *viewer != Audience::NOT_INDEXED));
    }
    names::account(client, name).await
}
