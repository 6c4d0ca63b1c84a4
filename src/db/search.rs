//! Tokens that rows are found by (`collection/search`): how arrays of arrays are written, and rows whose tokens an older binary made, or did not.

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

/// A record, of which tokens are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub at: Ref,
    /// What orders a post where that is not its key.
    pub sort: Option<i64>,
    /// Packed.
    pub record: Vec<u8>,
}

/// The next `most` posts after `after`.
pub async fn posts(client: &impl GenericClient, after: Ref, most: i64) -> Result<Vec<Kept>, Error> {
    const SQL: &str = "-- search::posts
        SELECT p.rkey, p.author, p.sort, p.rec FROM post p
        WHERE (p.author, p.rkey) > ($2, $1) AND p.author >= $2 ORDER BY p.author, p.rkey LIMIT $3";
    kept(client, SQL, &[&after.rkey, &after.author, &most]).await
}

/// The same for profiles, in the order of accounts.
pub async fn profiles(client: &impl GenericClient, after: Ref, most: i64) -> Result<Vec<Kept>, Error> {
    const SQL: &str = "-- search::profiles
        SELECT o.rkey, o.author, NULL::int8, o.rec FROM record_other o
        WHERE (o.author, o.coll, o.rkey) > ($1, $2, $3) AND o.author >= $1 AND o.coll = $2
        ORDER BY o.author, o.coll, o.rkey LIMIT $4";
    kept(client, SQL, &[&after.author, &Coll::PROFILE.number(), &after.rkey, &most]).await
}

async fn kept(client: &impl GenericClient, sql: &str, params: super::Params<'_>) -> Result<Vec<Kept>, Error> {
    read(&query(client, sql, params).await?, |row| {
        let at = Ref { rkey: row.try_get(0)?, author: row.try_get(1)? };
        Ok(Kept { at, sort: row.try_get(2)?, record: row.try_get(3)? })
    })
}

/// Gives posts their tokens; how many had others.
pub async fn fill_posts(client: &impl GenericClient, tokens: &[(Ref, Vec<i32>)]) -> Result<u64, Error> {
    const SQL: &str = "-- search::fill_posts
        UPDATE post p SET tokens = ($3::int4[])[n.first:n.last]
        FROM UNNEST($1::int4[], $2::int8[], $4::int4[], $5::int4[]) AS n (author, rkey, first, last)
        WHERE p.rkey = n.rkey AND p.author = n.author AND p.tokens IS DISTINCT FROM ($3::int4[])[n.first:n.last]";
    fill(client, SQL, tokens).await
}

/// The same for profiles.
pub async fn fill_profiles(client: &impl GenericClient, tokens: &[(Ref, Vec<i32>)]) -> Result<u64, Error> {
    const SQL: &str = "-- search::fill_profiles
        UPDATE record_other o SET tokens = ($3::int4[])[n.first:n.last]
        FROM UNNEST($1::int4[], $2::int8[], $4::int4[], $5::int4[]) AS n (author, rkey, first, last)
        WHERE o.author = n.author AND o.coll = 1 AND o.rkey = n.rkey AND o.tokens IS DISTINCT FROM ($3::int4[])[n.first:n.last]";
    fill(client, SQL, tokens).await
}

async fn fill(client: &impl GenericClient, sql: &str, tokens: &[(Ref, Vec<i32>)]) -> Result<u64, Error> {
    let slices = Slices::of(tokens.iter().map(|(_, tokens)| Some(tokens.as_slice())));
    let (authors, rkeys) = (column(tokens, |t| t.0.author), column(tokens, |t| t.0.rkey));
    execute(client, sql, &[&authors, &rkeys, &slices.all, &slices.first, &slices.last]).await
}
