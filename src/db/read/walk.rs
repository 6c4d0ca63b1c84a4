//! What those whom a busy account follows posted and reposted, newest first, by going back in time over everyone's and picking theirs. Who
//! follows thousands finds a page among the newest few thousand rows; asking each author for its own would read some for every one of them.
//!
//! Whom it follows is known here by a sieve: to read thousands of follows would take longer than all the rest. The buckets of time are read
//! whole (WITH TIES), so that nothing of the last one is missing between what is found.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::feed::{Before, Posted};
use crate::collection::Edge;
use crate::db::bucket::bucket_sql;
use crate::db::edge::edge;
use crate::db::{query, read};

/// A set of accounts as bits, two of them an account: holds all that were put in, and one in a hundred others. PostgreSQL looks into it for
/// each row, where it would have to build a set of the accounts themselves for each statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sieve {
    bits: Vec<u8>,
    /// Their number less one; a power of two less one.
    mask: i64,
}

impl Sieve {
    /// Bits an account: two of them are set, so that others pass with a chance of less than (2 / 16)^2 ...
    const EACH: usize = 16;
    /// ... and far less where few are followed, whose rows are rare among those that pass: bytes at least.
    const LEAST: usize = 8 << 10;
    /// Spreads neighbouring numbers: 2^32 divided by the golden ratio, as Knuth has it.
    const SPREAD: i64 = 2_654_435_769;

    /// Of these accounts, and one more.
    #[must_use]
    pub fn new(accounts: &[i32], and: i32) -> Self {
        let bytes = (accounts.len() + 1).saturating_mul(Self::EACH / 8).next_power_of_two().max(Self::LEAST);
        let mask = i64::try_from(bytes.saturating_mul(8)).map_or(i64::MAX, |bits| bits - 1);
        let mut sieve = Self { bits: vec![0; bytes], mask };
        for account in accounts.iter().copied().chain([and]) {
            for bit in sieve.places(account) {
                if let Some(byte) = usize::try_from(bit / 8).ok().and_then(|at| sieve.bits.get_mut(at)) {
                    *byte |= 1 << (bit % 8);
                }
            }
        }
        sieve
    }

    /// The same as the statements have it.
    fn places(&self, account: i32) -> [i64; 2] {
        let account = i64::from(account);
        [account & self.mask, ((account * Self::SPREAD) >> 15) & self.mask]
    }
}

/// The newest rows of a table whose authors pass the sieve, among the newest `most` of everyone's.
macro_rules! walk {
    ($name:literal, $table:literal, $columns:literal, $which:literal) => {
        concat!(
            "-- read::walk::",
            $name,
            "
        SELECT ",
            $columns,
            " FROM (
          SELECT *, coalesce(sort, rkey) AS at, ",
            bucket_sql!("coalesce(sort, rkey)", 34),
            " AS bucket FROM ",
            $table,
            " WHERE ",
            bucket_sql!("coalesce(sort, rkey)", 34),
            " <= ($2::int8 >> 34)::int4 ORDER BY ",
            bucket_sql!("coalesce(sort, rkey)", 34),
            " DESC FETCH FIRST $6 ROWS WITH TIES) w
        WHERE (at, rkey, author) < ($2, $3, $4)",
            $which,
            " AND get_bit($1::bytea, author & $7::int8) = 1 AND get_bit($1::bytea, ((author * 2654435769) >> 15) & $7::int8) = 1
        ORDER BY bucket DESC, at DESC, rkey DESC, author DESC LIMIT $5"
        )
    };
}

/// The newest `limit` posts before `before` whose authors pass the sieve, where they are among the newest `most` of everyone's; else fewer.
pub async fn posts(client: &impl GenericClient, sieve: &Sieve, before: Before, most: i64, limit: i64) -> Result<Vec<Posted>, Error> {
    const SQL: &str = walk!("posts", "post", "rkey, author, at", "");
    let rows = query(client, SQL, &[&sieve.bits, &before.at, &before.rkey, &before.author, &limit, &most, &sieve.mask]).await?;
    read(&rows, |row| Ok(Posted { rkey: row.try_get(0)?, author: row.try_get(1)?, at: row.try_get(2)? }))
}

/// The newest `limit` reposts of posts before `before` whose authors pass the sieve, where they are among the newest `most` of everyone's;
/// else fewer.
pub async fn reposts(client: &impl GenericClient, sieve: &Sieve, before: Before, most: i64, limit: i64) -> Result<Vec<Edge>, Error> {
    const SQL: &str = walk!("reposts", "repost", "rkey, author, sr, sa, via, dms, flags, sort", " AND flags & 120 = 0");
    read(&query(client, SQL, &[&sieve.bits, &before.at, &before.rkey, &before.author, &limit, &most, &sieve.mask]).await?, edge)
}
