//! Tokens that rows are found by (`collection/search`): how arrays of arrays are written, and rows that an older binary wrote without them.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::{column, execute, query, read};
use crate::collection::{Coll, Ref};

/// Arrays of different lengths as one that UNNEST takes, and where each begins and ends in it; NULL where there is none.
#[derive(Debug, Default)]
pub(super) struct Slices {
    pub all: Vec<i32>,
    pub first: Vec<Option<i32>>,
    pub last: Vec<Option<i32>>,
}

impl Slices {
    pub fn of<'a>(arrays: impl Iterator<Item = Option<&'a [i32]>>) -> Self {
        let mut slices = Self::default();
        let place = |at: usize| i32::try_from(at).unwrap_or(i32::MAX);
        for array in arrays {
            slices.first.push(array.map(|_| place(slices.all.len() + 1)));
            slices.all.extend(array.unwrap_or_default());
            slices.last.push(array.map(|_| place(slices.all.len())));
        }
        slices
    }
}

/// A record without tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bare {
    pub at: Ref,
    /// What orders a post where that is not its key.
    pub sort: Option<i64>,
    /// Packed.
    pub record: Vec<u8>,
}

/// The first of the next `most` posts after `after` that have no tokens, and the last one looked at.
pub async fn bare_posts(client: &impl GenericClient, after: Ref, most: i64) -> Result<(Vec<Bare>, Option<Ref>), Error> {
    const SQL: &str = "-- search::bare_posts
        SELECT p.rkey, p.author, p.sort, CASE WHEN p.tokens IS NULL THEN p.rec END FROM post p
        WHERE (p.author, p.rkey) > ($2, $1) AND p.author >= $2 ORDER BY p.author, p.rkey LIMIT $3";
    bare(client, SQL, &[&after.rkey, &after.author, &most]).await
}

/// The same for profiles, in the order of accounts.
pub async fn bare_profiles(client: &impl GenericClient, after: Ref, most: i64) -> Result<(Vec<Bare>, Option<Ref>), Error> {
    const SQL: &str = "-- search::bare_profiles
        SELECT o.rkey, o.author, NULL::int8, CASE WHEN o.tokens IS NULL THEN o.rec END FROM record_other o
        WHERE (o.author, o.coll, o.rkey) > ($1, $2, $3) AND o.author >= $1 AND o.coll = $2
        ORDER BY o.author, o.coll, o.rkey LIMIT $4";
    bare(client, SQL, &[&after.author, &Coll::PROFILE.number(), &after.rkey, &most]).await
}

async fn bare(client: &impl GenericClient, sql: &str, params: super::Params<'_>) -> Result<(Vec<Bare>, Option<Ref>), Error> {
    let rows = query(client, sql, params).await?;
    let last = rows.last().map(|row| Ok::<_, Error>(Ref { rkey: row.try_get(0)?, author: row.try_get(1)? })).transpose()?;
    let found = read(&rows, |row| {
        let record: Option<Vec<u8>> = row.try_get(3)?;
        let (at, sort) = (Ref { rkey: row.try_get(0)?, author: row.try_get(1)? }, row.try_get(2)?);
        Ok(record.map(|record| Bare { at, sort, record }))
    })?;
    Ok((found.into_iter().flatten().collect(), last))
}

/// Gives posts their tokens.
pub async fn fill_posts(client: &impl GenericClient, tokens: &[(Ref, Vec<i32>)]) -> Result<u64, Error> {
    const SQL: &str = "-- search::fill_posts
        UPDATE post p SET tokens = ($3::int4[])[n.first:n.last]
        FROM UNNEST($1::int4[], $2::int8[], $4::int4[], $5::int4[]) AS n (author, rkey, first, last)
        WHERE p.rkey = n.rkey AND p.author = n.author";
    fill(client, SQL, tokens).await
}

/// Gives profiles their tokens.
pub async fn fill_profiles(client: &impl GenericClient, tokens: &[(Ref, Vec<i32>)]) -> Result<u64, Error> {
    const SQL: &str = "-- search::fill_profiles
        UPDATE record_other o SET tokens = ($3::int4[])[n.first:n.last]
        FROM UNNEST($1::int4[], $2::int8[], $4::int4[], $5::int4[]) AS n (author, rkey, first, last)
        WHERE o.author = n.author AND o.coll = 1 AND o.rkey = n.rkey";
    fill(client, SQL, tokens).await
}

async fn fill(client: &impl GenericClient, sql: &str, tokens: &[(Ref, Vec<i32>)]) -> Result<u64, Error> {
    let slices = Slices::of(tokens.iter().map(|(_, tokens)| Some(tokens.as_slice())));
    let (authors, rkeys) = (column(tokens, |t| t.0.author), column(tokens, |t| t.0.rkey));
    execute(client, sql, &[&authors, &rkeys, &slices.all, &slices.first, &slices.last]).await
}
