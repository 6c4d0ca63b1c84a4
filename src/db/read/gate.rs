//! Gates with their records.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::collection::{Coll, Ref, Threadgate};
use crate::db::threadgate::gate;
use crate::db::{column, query, read};

/// A thread's gate: whose it is, what it allows, and its record, packed.
pub type Gate = (Ref, Threadgate, Vec<u8>);

/// The gates of these posts. A gate has the key of its post.
pub async fn threads(client: &impl GenericClient, posts: &[Ref]) -> Result<Vec<Gate>, Error> {
    const SQL: &str = "-- read::gate::threads
        SELECT g.rkey, g.author, g.rules, g.lists_r, g.lists_a, g.hidden_r, g.hidden_a, o.rec
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN threadgate g ON g.author = k.author AND g.rkey = k.rkey
        JOIN record_other o ON o.author = g.author AND o.coll = $3 AND o.rkey = g.rkey";
    let rows = query(client, SQL, &[&column(posts, |p| p.author), &column(posts, |p| p.rkey), &Coll::THREADGATE.number()]).await?;
    read(&rows, |row| {
        let (at, rules) = gate(row)?;
        Ok((at, rules, row.try_get(7)?))
    })
}
