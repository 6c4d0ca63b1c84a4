//! Fills an empty database as fast as it takes rows, for benchmarks: indexes are made when all rows are there. Never for a daemon at work:
//! ids are given by the caller, and nothing is read first.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Client, Error};

use super::record::Kept;
use super::search::Slices;
use super::{column, execute, query, read};

/// An account of which everything is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: i32,
    pub did: String,
    pub handle: String,
}

/// The key of a record that is no TID, with its (negative) id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub author: i32,
    pub coll: i16,
    pub rkey: i64,
    pub text: &'static str,
}

/// An index that can be made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pub name: String,
    /// `CREATE INDEX ...`
    pub definition: String,
}

/// Takes limits and waits off this connection, which does nothing but fill.
pub async fn unhurried(client: &Client) -> Result<(), Error> {
    client.batch_execute("-- bulk::unhurried\nSET statement_timeout = 0; SET synchronous_commit = off").await
}

/// All indexes that no constraint stands on: those that may be away while rows come.
pub async fn indexes(client: &impl GenericClient) -> Result<Vec<Index>, Error> {
    const SQL: &str = "-- bulk::indexes
        SELECT c.relname::text, pg_get_indexdef(i.indexrelid)
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE c.relnamespace = current_schema()::regnamespace AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
        ORDER BY 1";
    read(&query(client, SQL, &[]).await?, |row| Ok(Index { name: row.try_get(0)?, definition: row.try_get(1)? }))
}

/// Takes an index away.
pub async fn drop_index(client: &Client, index: &Index) -> Result<(), Error> {
    client.batch_execute(&format!("-- bulk::drop_index\nDROP INDEX \"{}\"", index.name.replace('"', "\"\""))).await
}

/// Makes an index again.
pub async fn make_index(client: &Client, index: &Index) -> Result<(), Error> {
    client.batch_execute(&format!("-- bulk::make_index\n{}", index.definition)).await
}

/// Adds accounts with these ids.
pub async fn accounts(client: &impl GenericClient, accounts: &[Account]) -> Result<u64, Error> {
    const SQL: &str = "-- bulk::accounts
        INSERT INTO account (id, did, handle) OVERRIDING SYSTEM VALUE SELECT * FROM UNNEST($1::int4[], $2::text[], $3::text[])";
    let (ids, dids) = (column(accounts, |a| a.id), column(accounts, |a| a.did.as_str()));
    execute(client, SQL, &[&ids, &dids, &column(accounts, |a| a.handle.as_str())]).await
}

/// Accounts that were resolved just now and are not due for `again_in` seconds.
pub async fn identities(client: &impl GenericClient, accounts: &[i32], again_in: i32) -> Result<u64, Error> {
    const SQL: &str = "-- bulk::identities
        INSERT INTO identity (account, due, checked, failed, tries)
        SELECT account, (extract(epoch FROM clock_timestamp()) - 1577836800)::int4 + $2, (extract(epoch FROM clock_timestamp()) - 1577836800)::int4, 0, 1
        FROM UNNEST($1::int4[]) AS k (account)";
    execute(client, SQL, &[&accounts, &again_in]).await
}

/// Adds keys with these ids.
pub async fn keys(client: &impl GenericClient, keys: &[Key]) -> Result<u64, Error> {
    const SQL: &str = "-- bulk::keys
        INSERT INTO rkey_alias (author, coll, rkey, real_rkey) SELECT * FROM UNNEST($1::int4[], $2::int2[], $3::int8[], $4::text[])";
    let (authors, colls) = (column(keys, |k| k.author), column(keys, |k| k.coll));
    execute(client, SQL, &[&authors, &colls, &column(keys, |k| k.rkey), &column(keys, |k| k.text)]).await
}

/// Adds records that are kept whole, packed, to `record_other`, each with what it is found by. No index need be there.
pub async fn records(client: &impl GenericClient, records: &[(Kept<'_>, Option<Vec<i32>>)]) -> Result<u64, Error> {
    const SQL: &str = "-- bulk::records
        INSERT INTO record_other (author, coll, rkey, rec, tokens)
        SELECT n.author, n.coll, n.rkey, n.rec, ($5::int4[])[n.first:n.last]
        FROM UNNEST($1::int4[], $2::int2[], $3::int8[], $4::bytea[], $6::int4[], $7::int4[]) AS n (author, coll, rkey, rec, first, last)";
    let (authors, colls) = (column(records, |r| r.0.path.at.author), column(records, |r| r.0.path.coll.number()));
    let (rkeys, packed) = (column(records, |r| r.0.path.at.rkey), column(records, |r| r.0.record));
    let slices = Slices::of(records.iter().map(|r| r.1.as_deref()));
    execute(client, SQL, &[&authors, &colls, &rkeys, &packed, &slices.all, &slices.first, &slices.last]).await
}

/// Whether there is any account.
pub async fn holds_accounts(client: &impl GenericClient) -> Result<bool, Error> {
    const SQL: &str = "-- bulk::holds_accounts
        SELECT FROM account LIMIT 1";
    Ok(!query(client, SQL, &[]).await?.is_empty())
}

/// Has ids that come later begin behind those that were given.
pub async fn move_sequences(client: &impl GenericClient) -> Result<(), Error> {
    const SQL: &str = "-- bulk::move_sequences
        SELECT setval(pg_get_serial_sequence('account', 'id'), (SELECT coalesce(max(id), 1) FROM account)),
          setval('rkey_alias_id', (SELECT coalesce(min(rkey), -1) FROM rkey_alias))";
    query(client, SQL, &[]).await.map(|_| ())
}

/// Leaves the database as one that has stood for a while: statistics, visibility map, nothing waiting to be written.
pub async fn settle(client: &Client) -> Result<(), Error> {
    client.batch_execute("-- bulk::settle\nVACUUM (ANALYZE)").await?;
    client.batch_execute("-- bulk::settle\nCHECKPOINT").await
}
