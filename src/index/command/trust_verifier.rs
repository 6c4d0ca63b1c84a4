//! Which accounts' verifications are shown; also accounts of which nothing is held yet.

use tokio_postgres::Error;

use super::changes::Changes;
use super::resolve::{Play, Resolver};
use crate::atproto::Did;
use crate::db::{Transaction, verifier};
use crate::queue::command::Refusal;

pub(super) fn trust(resolver: &Resolver<'_>, time: i64, account: &Did) -> Result<Play, Refusal> {
    let account = resolver.account(account)?;
    Ok(Box::new(move |world| world.verifiers.set(account, time, |_, _| ())))
}

pub(super) fn distrust(resolver: &Resolver<'_>, account: &Did) -> Result<Play, Refusal> {
    let account = resolver.account(account)?;
    Ok(Box::new(move |world| world.verifiers.clear(account)))
}

pub(super) async fn write(tx: &Transaction<'_>, verifiers: Changes<i32, i64>) -> Result<(), Error> {
    let (cleared, set) = verifiers.split();
    if !cleared.is_empty() {
        verifier::delete(tx, &cleared).await?;
    }
    if !set.is_empty() {
        verifier::put(tx, &set).await?;
    }
    Ok(())
}
