//! Posts with their records, by key.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::collection::{Coll, Ref};
use crate::db::post::{Stored, post};
use crate::db::{column, query, read};

/// The posts that stand at these places.
pub async fn at(client: &impl GenericClient, places: &[Ref]) -> Result<Vec<Stored>, Error> {
    const SQL: &str = "-- read::post::at
        SELECT p.rkey, p.author, p.flags, p.parent_r, p.parent_a, p.root_r, p.root_a, p.quote_r, p.quote_a, p.sort, p.rec
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN post p ON p.rkey = k.rkey AND p.author = k.author";
    let rows = query(client, SQL, &[&column(places, |p| p.author), &column(places, |p| p.rkey)]).await?;
    read(&rows, |row| Ok(Stored { post: post(row)?, record: row.try_get(10)?, tokens: Vec::new() }))
}

/// A post, and what else decides how it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub stored: Stored,
    /// Its gate against quotes, packed.
    pub gate: Option<Vec<u8>>,
    /// Operators of this service took it down.
    pub taken_down: bool,
}

/// The same posts, with their gates.
pub async fn shown(client: &impl GenericClient, places: &[Ref]) -> Result<Vec<Shown>, Error> {
    const SQL: &str = "-- read::post::shown
        SELECT p.rkey, p.author, p.flags, p.parent_r, p.parent_a, p.root_r, p.root_a, p.quote_r, p.quote_a, p.sort, p.rec,
          g.rec, t.sr IS NOT NULL
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN post p ON p.rkey = k.rkey AND p.author = k.author
        LEFT JOIN record_other g ON g.author = k.author AND g.coll = $3 AND g.rkey = k.rkey
        LEFT JOIN takedown_record t ON t.sa = k.author AND t.coll = $4 AND t.sr = k.rkey";
    let (authors, rkeys) = (column(places, |p| p.author), column(places, |p| p.rkey));
    let rows = query(client, SQL, &[&authors, &rkeys, &Coll::POSTGATE.number(), &Coll::POST.number()]).await?;
    read(&rows, |row| {
        let stored = Stored { post: post(row)?, record: row.try_get(10)?, tokens: Vec::new() };
        Ok(Shown { stored, gate: row.try_get(11)?, taken_down: row.try_get(12)? })
    })
}
