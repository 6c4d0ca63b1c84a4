//! Muting the notifications of a thread, by its root, and unmuting them. The root need not be held (yet).

use tokio_postgres::Error;

use super::changes::Changes;
use super::resolve::{Play, Resolver};
use crate::atproto::Did;
use crate::collection::Coll;
use crate::db::Transaction;
use crate::db::mute::{self, Target};
use crate::queue::command::{RecordUri, Refusal};

pub(super) fn mute(resolver: &Resolver<'_>, time: i64, account: &Did, root: &RecordUri) -> Result<Play, Refusal> {
    let target = target(resolver, account, root)?;
    Ok(Box::new(move |world| world.thread_mutes.set(target, time, |_, _| ())))
}

pub(super) fn unmute(resolver: &Resolver<'_>, account: &Did, root: &RecordUri) -> Result<Play, Refusal> {
    let target = target(resolver, account, root)?;
    Ok(Box::new(move |world| world.thread_mutes.clear(target)))
}

fn target(resolver: &Resolver<'_>, account: &Did, root: &RecordUri) -> Result<Target, Refusal> {
    Ok(mute::target(resolver.owner(account)?, resolver.record_of(Coll::POST, root)?))
}

pub(super) async fn write(tx: &Transaction<'_>, mutes: Changes<Target, i64>) -> Result<(), Error> {
    let (cleared, set) = mutes.split();
    if !cleared.is_empty() {
        mute::delete_threads(tx, &cleared).await?;
    }
    if !set.is_empty() {
        mute::put_threads(tx, &set).await?;
    }
    Ok(())
}
