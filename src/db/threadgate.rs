//! Table `threadgate`: who may reply to a post, and what its author hides below it.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{column, execute, query, read};
use crate::collection::{Ref, Threadgate};

/// The gates of these posts.
pub async fn of(client: &impl GenericClient, posts: &[Ref]) -> Result<Vec<(Ref, Threadgate)>, Error> {
    const SQL: &str = "-- threadgate::of
        SELECT g.rkey, g.author, g.rules, g.lists_r, g.lists_a, g.hidden_r, g.hidden_a
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN threadgate g ON g.author = k.author AND g.rkey = k.rkey";
    read(&query(client, SQL, &[&column(posts, |p| p.author), &column(posts, |p| p.rkey)]).await?, gate)
}

/// Puts gates in place of what stands there.
pub async fn put(client: &impl GenericClient, gates: &[(Ref, &Threadgate)]) -> Result<u64, Error> {
    // The references of all gates are one array each, of which a gate has a slice: arrays of arrays cannot differ in length.
    const SQL: &str = "-- threadgate::put
        INSERT INTO threadgate (author, rkey, rules, lists_r, lists_a, hidden_r, hidden_a)
        SELECT author, rkey, rules,
          nullif(($6::int8[])[lists_before + 1:lists_end], '{}'), nullif(($7::int4[])[lists_before + 1:lists_end], '{}'),
          nullif(($10::int8[])[hidden_before + 1:hidden_end], '{}'), nullif(($11::int4[])[hidden_before + 1:hidden_end], '{}')
        FROM UNNEST($1::int4[], $2::int8[], $3::int2[], $4::int4[], $5::int4[], $8::int4[], $9::int4[])
          AS n (author, rkey, rules, lists_before, lists_end, hidden_before, hidden_end)
        ON CONFLICT (author, rkey) DO UPDATE SET rules = excluded.rules, lists_r = excluded.lists_r, lists_a = excluded.lists_a,
          hidden_r = excluded.hidden_r, hidden_a = excluded.hidden_a";
    let (authors, rkeys, rules) = (column(gates, |g| g.0.author), column(gates, |g| g.0.rkey), column(gates, |g| g.1.rules));
    let lists = Slices::of(gates, |gate| &gate.lists);
    let hidden = Slices::of(gates, |gate| &gate.hidden);
    let (l, h) = (&lists, &hidden);
    let params: super::Params<'_> =
        &[&authors, &rkeys, &rules, &l.before, &l.end, &l.rkeys, &l.authors, &h.before, &h.end, &h.rkeys, &h.authors];
    execute(client, SQL, params).await
}

/// Removes the gates of these posts.
pub async fn delete(client: &impl GenericClient, posts: &[Ref]) -> Result<u64, Error> {
    const SQL: &str = "-- threadgate::delete
        DELETE FROM threadgate g USING UNNEST($1::int4[], $2::int8[]) AS k (author, rkey) WHERE g.author = k.author AND g.rkey = k.rkey";
    execute(client, SQL, &[&column(posts, |p| p.author), &column(posts, |p| p.rkey)]).await
}

/// References of all gates, and which of them each gate has.
#[derive(Default)]
struct Slices {
    before: Vec<i32>,
    end: Vec<i32>,
    rkeys: Vec<i64>,
    authors: Vec<i32>,
}

impl Slices {
    fn of(gates: &[(Ref, &Threadgate)], which: fn(&Threadgate) -> &[Ref]) -> Self {
        let mut slices = Self::default();
        let mut end = 0;
        for (_, gate) in gates {
            slices.before.push(end);
            for reference in which(gate) {
                slices.rkeys.push(reference.rkey);
                slices.authors.push(reference.author);
                end += 1;
            }
            slices.end.push(end);
        }
        slices
    }
}

pub(super) fn gate(row: &Row) -> Result<(Ref, Threadgate), Error> {
    let references = |at: usize| -> Result<Vec<Ref>, Error> {
        let (rkeys, authors): (Option<Vec<i64>>, Option<Vec<i32>>) = (row.try_get(at)?, row.try_get(at + 1)?);
        let pairs = rkeys.unwrap_or_default().into_iter().zip(authors.unwrap_or_default());
        Ok(pairs.map(|(rkey, author)| Ref { rkey, author }).collect())
    };
    let at = Ref { rkey: row.try_get(0)?, author: row.try_get(1)? };
    Ok((at, Threadgate { rules: row.try_get(2)?, lists: references(3)?, hidden: references(5)? }))
}
