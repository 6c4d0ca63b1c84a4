//! Takedowns: a moderator hides an account, a record or a blob of an account, held or not, and shows it again. The newest takedown of a
//! subject stands.

use tokio_postgres::Error;

use super::changes::Changes;
use super::resolve::{Play, Resolver};
use crate::atproto::Cid;
use crate::db::Transaction;
use crate::db::takedown::{self, Record, Takedown};
use crate::index::prepare::clean;
use crate::queue::command::{Refusal, Subject};

/// Longest name of a case that is kept, in bytes.
const MAX_REFERENCE: usize = 1024;

pub(super) fn take_down(resolver: &Resolver<'_>, time: i64, subject: &Subject, reference: Option<&str>) -> Result<Play, Refusal> {
    let takedown = Takedown { time, reference: reference.map(|text| clean(text, MAX_REFERENCE)) };
    let replace = |held: &mut Takedown, new: Takedown| *held = new;
    Ok(match target(resolver, subject)? {
        Target::Account(account) => Box::new(move |world| world.accounts.set(account, takedown, replace)),
        Target::Record(record) => Box::new(move |world| world.records.set(record, takedown, replace)),
        Target::Blob(blob) => Box::new(move |world| world.blobs.set(blob, takedown, replace)),
    })
}

pub(super) fn restore(resolver: &Resolver<'_>, subject: &Subject) -> Result<Play, Refusal> {
    Ok(match target(resolver, subject)? {
        Target::Account(account) => Box::new(move |world| world.accounts.clear(account)),
        Target::Record(record) => Box::new(move |world| world.records.clear(record)),
        Target::Blob(blob) => Box::new(move |world| world.blobs.clear(blob)),
    })
}

/// A subject by its numbers.
enum Target {
    Account(i32),
    Record(Record),
    Blob((i32, Cid)),
}

fn target(resolver: &Resolver<'_>, subject: &Subject) -> Result<Target, Refusal> {
    Ok(match subject {
        Subject::Account { did } => Target::Account(resolver.account(did)?),
        Subject::Record { uri } => Target::Record(takedown::record(resolver.record(uri)?)),
        Subject::Blob { did, cid } => Target::Blob((resolver.account(did)?, *cid)),
    })
}

pub(super) async fn write(
    tx: &Transaction<'_>,
    accounts: Changes<i32, Takedown>,
    records: Changes<Record, Takedown>,
    blobs: Changes<(i32, Cid), Takedown>,
) -> Result<(), Error> {
    let (cleared, set) = accounts.split();
    if !cleared.is_empty() {
        takedown::delete_accounts(tx, &cleared).await?;
    }
    if !set.is_empty() {
        takedown::put_accounts(tx, &set).await?;
    }
    let (cleared, set) = records.split();
    if !cleared.is_empty() {
        takedown::delete_records(tx, &cleared).await?;
    }
    if !set.is_empty() {
        takedown::put_records(tx, &set).await?;
    }
    let (cleared, set) = blobs.split();
    if !cleared.is_empty() {
        takedown::delete_blobs(tx, &cleared).await?;
    }
    if !set.is_empty() {
        takedown::put_blobs(tx, &set).await?;
    }
    Ok(())
}
