//! Muting an account, as a whole or only its reposts or quote posts, and unmuting it. Who mutes again replaces the scope and keeps the place
//! in the list of mutes.

use tokio_postgres::Error;

use super::changes::Changes;
use super::resolve::{Play, Resolver};
use crate::atproto::Did;
use crate::db::Transaction;
use crate::db::mute::{self, Mute, ONLY_QUOTEPOSTS, ONLY_REPOSTS, Pair};
use crate::queue::command::Refusal;

pub(super) fn mute(
    resolver: &Resolver<'_>,
    time: i64,
    (account, subject): (&Did, &Did),
    (reposts, quoteposts): (bool, bool),
) -> Result<Play, Refusal> {
    let pair = pair(resolver, account, subject)?;
    let scope = if reposts { ONLY_REPOSTS } else { 0 } + if quoteposts { ONLY_QUOTEPOSTS } else { 0 };
    Ok(Box::new(move |world| world.mutes.set(pair, Mute { time, scope }, |held, new| held.scope = new.scope)))
}

pub(super) fn unmute(resolver: &Resolver<'_>, account: &Did, subject: &Did) -> Result<Play, Refusal> {
    let pair = pair(resolver, account, subject)?;
    Ok(Box::new(move |world| world.mutes.clear(pair)))
}

fn pair(resolver: &Resolver<'_>, account: &Did, subject: &Did) -> Result<Pair, Refusal> {
    if account == subject {
        Err(Refusal::invalid("Cannot mute oneself"))
    } else {
        Ok((resolver.owner(account)?, resolver.account(subject)?))
    }
}

pub(super) async fn write(tx: &Transaction<'_>, mutes: Changes<Pair, Mute>) -> Result<(), Error> {
    let (cleared, set) = mutes.split();
    if !cleared.is_empty() {
        mute::delete(tx, &cleared).await?;
    }
    if !set.is_empty() {
        mute::put(tx, &set).await?;
    }
    Ok(())
}
