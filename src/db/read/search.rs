//! What is found by tokens, in windows: of a GIN's hits all are looked at, so that a query names the window's token too and says how many are
//! too many. Without order: an ordered query reads all hits of its window, and is for the narrowest.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::feed::Before;
use crate::db::{column, query, read};

/// Hits of one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Nothing below it.
    pub from: i64,
    pub before: Before,
    /// Newest first. Otherwise any.
    pub ordered: bool,
    /// No more than these.
    pub limit: i64,
}

/// Posts that have all of these tokens.
pub async fn posts(client: &impl GenericClient, tokens: &[i32], window: &Window) -> Result<Vec<Before>, Error> {
    const ANY: &str = "-- read::search::posts
        SELECT coalesce(sort, rkey), rkey, author FROM post
        WHERE tokens @> $1 AND coalesce(sort, rkey) >= $2 AND (coalesce(sort, rkey), rkey, author) < ($3, $4, $5)
        LIMIT $6";
    const NEWEST: &str = "-- read::search::newest_posts
        SELECT coalesce(sort, rkey), rkey, author FROM post
        WHERE tokens @> $1 AND coalesce(sort, rkey) >= $2 AND (coalesce(sort, rkey), rkey, author) < ($3, $4, $5)
        ORDER BY coalesce(sort, rkey) DESC, rkey DESC, author DESC LIMIT $6";
    let Window { from, before, ordered, limit } = *window;
    let sql = if ordered { NEWEST } else { ANY };
    let rows = query(client, sql, &[&tokens, &from, &before.at, &before.rkey, &before.author, &limit]).await?;
    read(&rows, |row| Ok(Before { at: row.try_get(0)?, rkey: row.try_get(1)?, author: row.try_get(2)? }))
}

/// Each of these tokens with how many posts have it and `window` too, up to `most`.
pub async fn carriers(client: &impl GenericClient, tokens: &[i32], window: i32, most: i64) -> Result<Vec<(i32, i64)>, Error> {
    const SQL: &str = "-- read::search::carriers
        SELECT k.token, (SELECT count(*) FROM (SELECT FROM post WHERE tokens @> ARRAY[k.token, $2] LIMIT $3) p)
        FROM UNNEST($1::int4[]) AS k (token)";
    read(&query(client, SQL, &[&tokens, &window, &most]).await?, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

/// Accounts whose profile has all of these tokens; `at` is their place, so that the first ones come first. Only names have such tokens: the
/// collection is not asked for, since that would lead into another index, and so would the order by the column itself.
pub async fn names(client: &impl GenericClient, tokens: &[i32], window: &Window) -> Result<Vec<Before>, Error> {
    const ANY: &str = "-- read::search::names
        SELECT author FROM record_other
        WHERE tokens @> $1 AND 2147483647::int8 - author >= $2 AND 2147483647::int8 - author < $3
        LIMIT $4";
    const FIRST: &str = "-- read::search::first_names
        SELECT author FROM record_other
        WHERE tokens @> $1 AND 2147483647::int8 - author >= $2 AND 2147483647::int8 - author < $3
        ORDER BY 2147483647::int8 - author DESC LIMIT $4";
    let Window { from, before, ordered, limit } = *window;
    let rows = query(client, if ordered { FIRST } else { ANY }, &[&tokens, &from, &before.at, &limit]).await?;
    accounts(&rows)
}

/// Each of these tokens with how many names have it and `window` too, up to `most`.
pub async fn name_carriers(client: &impl GenericClient, tokens: &[i32], window: i32, most: i64) -> Result<Vec<(i32, i64)>, Error> {
    const SQL: &str = "-- read::search::name_carriers
        SELECT k.token, (SELECT count(*) FROM (SELECT FROM record_other WHERE tokens @> ARRAY[k.token, $2] LIMIT $3) o)
        FROM UNNEST($1::int4[]) AS k (token)";
    read(&query(client, SQL, &[&tokens, &window, &most]).await?, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

/// Each of these letters with how many handles have it and `window` too, up to `most`.
pub async fn handle_carriers(client: &impl GenericClient, grams: &[i32], window: i32, most: i64) -> Result<Vec<(i32, i64)>, Error> {
    const SQL: &str = "-- read::search::handle_carriers
        SELECT k.gram, (SELECT count(*) FROM (
          SELECT FROM account WHERE handle IS NOT NULL AND handle_grams(handle, id) @> ARRAY[k.gram, $2] LIMIT $3) a)
        FROM UNNEST($1::int4[]) AS k (gram)";
    read(&query(client, SQL, &[&grams, &window, &most]).await?, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
}

/// The account that was seen first last; none where there is no account.
pub async fn last_account(client: &impl GenericClient) -> Result<Option<i32>, Error> {
    const SQL: &str = "-- read::search::last_account
        SELECT id FROM account ORDER BY id DESC LIMIT 1";
    read(&query(client, SQL, &[]).await?, |row| row.try_get(0)).map(|ids| ids.first().copied())
}

/// Accounts whose handle has all of these letters and `text` in it, or at its beginning; `at` is their place.
pub async fn handles(
    client: &impl GenericClient,
    grams: &[i32],
    (text, at_beginning): (&str, bool),
    window: &Window,
) -> Result<Vec<Before>, Error> {
    const ANY: &str = "-- read::search::handles
        SELECT id FROM account
        WHERE handle IS NOT NULL AND handle_grams(handle, id) @> $1 AND 2147483647::int8 - id >= $2 AND 2147483647::int8 - id < $3
          AND CASE WHEN $5 THEN starts_with(handle, $4) ELSE strpos(handle, $4) > 0 END
        LIMIT $6";
    const FIRST: &str = "-- read::search::first_handles
        SELECT id FROM account
        WHERE handle IS NOT NULL AND handle_grams(handle, id) @> $1 AND 2147483647::int8 - id >= $2 AND 2147483647::int8 - id < $3
          AND CASE WHEN $5 THEN starts_with(handle, $4) ELSE strpos(handle, $4) > 0 END
        ORDER BY 2147483647::int8 - id DESC LIMIT $6";
    let Window { from, before, ordered, limit } = *window;
    let rows = query(client, if ordered { FIRST } else { ANY }, &[&grams, &from, &before.at, &text, &at_beginning, &limit]).await?;
    accounts(&rows)
}

fn accounts(rows: &[tokio_postgres::Row]) -> Result<Vec<Before>, Error> {
    read(rows, |row| {
        let id: i32 = row.try_get(0)?;
        Ok(Before { at: crate::collection::search::place(id), rkey: 0, author: id })
    })
}

/// Those of these accounts that `viewer` follows.
pub async fn followed(client: &impl GenericClient, viewer: i32, of: &[Before]) -> Result<Vec<i32>, Error> {
    const SQL: &str = "-- read::search::followed
        SELECT f.subject FROM UNNEST($2::int4[]) AS k (id) JOIN follow f ON f.author = $1 AND f.subject = k.id AND f.flags & 8 = 0";
    read(&query(client, SQL, &[&viewer, &column(of, |hit| hit.author)]).await?, |row| row.try_get(0))
}
