//! The accounts that a text finds: by their handle, and by the words of their display name.

use super::ranked::Cursor;
use super::{Skeleton, Slice};
use crate::collection::actor::profile::ProfileFields;
use crate::collection::search::{Name, WINDOWS, grams, place, window_gram, window_token};
use crate::db::Client;
use crate::db::read::actor::counts;
use crate::db::read::feed::Before;
use crate::db::read::search::{self, Window};
use crate::query::hydrate::{Actor, Hydration, Wanted};
use crate::query::search::walk::{Searched, hits};
use crate::query::{Audience, QueryError, names};

/// Accounts that are ranked together: those seen first of a text that many have.
const BLOCK: usize = 300;
/// Before the place of the first account, and where a window of every width ends: those before it, of the first accounts, tell what is rare.
const BEGINNING: i64 = 1 << 31;
/// To be followed is worth more than any number of followers.
const FOLLOWED: i64 = 1 << 32;

/// How accounts are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// The text may stand anywhere in a handle.
    Anywhere,
    /// While it is typed: handles that begin with it and names, then those that have it inside.
    Typing,
}

/// Accounts that a text finds.
#[derive(Debug)]
pub struct Actors {
    manner: Manner,
    audience: Audience,
    /// As it may stand in a handle.
    text: String,
    name: Name,
    /// Whose handle the text is: it comes first.
    exact: Option<i32>,
    /// The place of the last account: below it there is nothing to walk over.
    floor: i64,
}

impl Actors {
    /// What `text` finds.
    ///
    /// # Errors
    /// The database's.
    pub async fn new(client: &Client, audience: Audience, manner: Manner, text: &str) -> Result<Self, QueryError> {
        let text = text.trim();
        let name = Name::of(text);
        let text = text.strip_prefix('@').unwrap_or(text).to_ascii_lowercase();
        // A DID is pasted as a handle is.
        let exact = async { if text.contains(['.', ':']) { names::account(client, &text).await } else { Ok(None) } };
        let last = async { Ok(search::last_account(client).await?) };
        let (exact, last) = tokio::try_join!(exact, last)?;
        Ok(Self { manner, audience, exact, text, name, floor: place(last.unwrap_or_default()) })
    }

    /// The stages: of `Typing` what begins so, and what has it inside.
    fn is_beginning(&self, stage: u8) -> bool {
        self.manner == Manner::Typing && stage == 0
    }

    /// Whether an account is found at this stage, and not at the one before.
    fn finds(&self, actor: &Actor, stage: u8) -> bool {
        let handle = actor.handle.as_deref().unwrap_or_default();
        let profile = actor.profile.as_deref().and_then(ProfileFields::of);
        let by_name = || profile.and_then(|profile| profile.display_name).is_some_and(|name| self.name.is_in(&Name::of(name)));
        let (begins, inside) =
            (!self.text.is_empty() && handle.starts_with(&self.text), grams(&self.text, false).is_some() && handle.contains(&self.text));
        match self.manner {
            Manner::Anywhere => begins || inside || by_name(),
            Manner::Typing if stage == 0 => begins || by_name(),
            Manner::Typing => inside && !begins && !by_name(),
        }
    }

    /// Hits of the block that begins at `after`, and where the next one does.
    async fn block(&self, client: &Client, after: Cursor) -> Result<(Vec<Before>, Option<Before>), QueryError> {
        let begins = self.is_beginning(after.stage);
        // Handles of fewer than three letters in a row are found by their beginning only.
        let short = grams(&self.text, false).is_none();
        let letters = grams(&self.text, begins || short).filter(|_| !(short && self.manner == Manner::Typing && after.stage > 0));
        let tokens = Some(self.name.asked()).filter(|_| !self.name.is_void() && (self.manner == Manner::Anywhere || begins));
        let start = after.block.min(Before { at: i64::from(i32::MAX), rkey: i64::MAX, author: i32::MAX });
        let (mut found, mut next): (Vec<Before>, Option<Before>) = (Vec::new(), None);
        if let Some(grams) = letters {
            let source = Handles { grams, text: &self.text, at_beginning: begins || short };
            let (hits, then) = hits(client, &source, start, self.floor, BLOCK).await?;
            found.extend(hits);
            next = next.max(then);
        }
        if let Some(tokens) = tokens {
            let (hits, then) = hits(client, &Names { tokens }, start, self.floor, BLOCK).await?;
            found.extend(hits);
            next = next.max(then);
        }
        // What one of the two had no time for begins the next block.
        found.retain(|hit| next.is_none_or(|next| *hit >= next));
        found.sort_unstable();
        found.dedup();
        Ok((found, next))
    }

    async fn ranked(&self, client: &Client, hits: Vec<Before>) -> Result<Vec<(i64, Before)>, QueryError> {
        let ids: Vec<i32> = hits.iter().map(|hit| hit.author).collect();
        let followed = async {
            match self.audience.viewer {
                Some(viewer) => search::followed(client, viewer, &hits).await,
                None => Ok(Vec::new()),
            }
        };
        let (counted, followed) = tokio::try_join!(counts(client, &ids), followed)?;
        let rank = |id: i32| {
            let followers = counted.iter().find(|(of, _)| *of == id).map_or(0, |(_, counts)| i64::from(counts.followers));
            followers + if followed.contains(&id) { FOLLOWED } else { 0 }
        };
        Ok(hits.iter().map(|hit| (if Some(hit.author) == self.exact { i64::MAX } else { rank(hit.author) }, *hit)).collect())
    }
}

impl Skeleton for Actors {
    /// An account, and at which stage it was found.
    type Item = (i32, u8);
    type Cursor = Cursor;

    async fn read(&self, client: &Client, after: Cursor, limit: usize) -> Result<Slice<(i32, u8), Cursor>, QueryError> {
        let (mut found, next) = self.block(client, after).await?;
        // Whose handle it is stands in the first block, wherever it was found.
        found.retain(|hit| Some(hit.author) != self.exact);
        let is_first = after.stage == 0 && after.block == Cursor::START.block;
        found.extend(self.exact.filter(|_| is_first).map(|id| Before { at: place(id), rkey: 0, author: id }));
        let next = match next {
            Some(next) => Some(Cursor::block(after.stage, next)),
            None if self.is_beginning(after.stage) => Some(Cursor { stage: 1, ..Cursor::START }),
            None => None,
        };
        let (hits, next) = after.slice(self.ranked(client, found).await?, limit, next);
        Ok((hits.into_iter().map(|hit| (hit.author, after.stage)).collect(), next))
    }

    fn wants(&self, items: &[(i32, u8)]) -> Wanted {
        Wanted { actors: items.iter().map(|(id, _)| *id).collect(), ..Wanted::default() }
    }

    /// While one types, the account whose handle one has typed is shown though a block stands between: else it could not be unblocked.
    fn keep(&self, items: Vec<(i32, u8)>, state: &Hydration) -> Vec<(i32, u8)> {
        let exact = |id: i32| Some(id) == self.exact;
        let apart = |id: i32| state.is_blocked(id) && !(exact(id) && self.manner == Manner::Typing);
        let found = |id: i32, stage: u8| state.actor(id).is_some_and(|actor| exact(id) || self.finds(actor, stage));
        items.into_iter().filter(|(id, stage)| found(*id, *stage) && !apart(*id)).collect()
    }
}

/// Accounts by the letters of their handles.
struct Handles<'a> {
    grams: Vec<i32>,
    text: &'a str,
    at_beginning: bool,
}

impl Searched for Handles<'_> {
    fn shifts(&self) -> &'static [u32] {
        &WINDOWS
    }

    fn tokens(&self) -> &[i32] {
        &self.grams
    }

    fn newest(&self) -> i64 {
        BEGINNING
    }

    async fn carriers(
        &self,
        client: &Client,
        grams: &[i32],
        (level, from): (usize, i64),
        most: i64,
    ) -> Result<Vec<(i32, i64)>, QueryError> {
        Ok(search::handle_carriers(client, grams, window_gram(level, from), most).await?)
    }

    async fn probe(&self, client: &Client, level: Option<(usize, i64)>, window: &Window) -> Result<Vec<Before>, QueryError> {
        let mut grams = self.grams.clone();
        grams.extend(level.map(|(level, from)| window_gram(level, from)));
        Ok(search::handles(client, &grams, (self.text, self.at_beginning), window).await?)
    }
}

/// Accounts by their display names.
struct Names {
    tokens: Vec<i32>,
}

impl Searched for Names {
    fn shifts(&self) -> &'static [u32] {
        &WINDOWS
    }

    fn tokens(&self) -> &[i32] {
        &self.tokens
    }

    fn newest(&self) -> i64 {
        BEGINNING
    }

    async fn carriers(
        &self,
        client: &Client,
        tokens: &[i32],
        (level, from): (usize, i64),
        most: i64,
    ) -> Result<Vec<(i32, i64)>, QueryError> {
        Ok(search::name_carriers(client, tokens, window_token(level, from), most).await?)
    }

    async fn probe(&self, client: &Client, level: Option<(usize, i64)>, window: &Window) -> Result<Vec<Before>, QueryError> {
        let mut tokens = self.tokens.clone();
        tokens.extend(level.map(|(level, from)| window_token(level, from)));
        Ok(search::names(client, &tokens, window).await?)
    }
}
