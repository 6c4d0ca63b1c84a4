//! Table `pack_join`: profiles that say through which starter pack they came.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::{column, execute, query, read};
use crate::collection::Ref;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackJoin {
    pub author: i32,
    pub pack: Ref,
    /// indexedAt of the profile that first named this pack, as the value of a TID.
    pub time: i64,
}

/// The joins of these accounts.
pub async fn of(client: &impl GenericClient, accounts: &[i32]) -> Result<Vec<PackJoin>, Error> {
    const SQL: &str = "-- pack_join::of
        SELECT j.author, j.sr, j.sa, j.time FROM UNNEST($1::int4[]) AS k (author) JOIN pack_join j ON j.author = k.author";
    read(&query(client, SQL, &[&accounts]).await?, join)
}

/// Puts joins in place of what the accounts have.
pub async fn put(client: &impl GenericClient, joins: &[PackJoin]) -> Result<u64, Error> {
    const SQL: &str = "-- pack_join::put
        INSERT INTO pack_join (author, sr, sa, time) SELECT * FROM UNNEST($1::int4[], $2::int8[], $3::int4[], $4::int8[])
        ON CONFLICT (author) DO UPDATE SET sr = excluded.sr, sa = excluded.sa, time = excluded.time";
    let (authors, sr, sa) = (column(joins, |j| j.author), column(joins, |j| j.pack.rkey), column(joins, |j| j.pack.author));
    execute(client, SQL, &[&authors, &sr, &sa, &column(joins, |j| j.time)]).await
}

/// Removes the joins of these accounts.
pub async fn delete(client: &impl GenericClient, accounts: &[i32]) -> Result<u64, Error> {
    const SQL: &str = "-- pack_join::delete
        DELETE FROM pack_join j USING UNNEST($1::int4[]) AS k (author) WHERE j.author = k.author";
    execute(client, SQL, &[&accounts]).await
}

fn join(row: &Row) -> Result<PackJoin, Error> {
    Ok(PackJoin { author: row.try_get(0)?, pack: Ref { rkey: row.try_get(1)?, author: row.try_get(2)? }, time: row.try_get(3)? })
}
