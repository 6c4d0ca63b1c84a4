//! Up to when an account has seen its notifications: what its client says last, also where that is earlier than before (clients use it to have
//! notifications unread again).

use std::collections::BTreeMap;

use tokio_postgres::Error;

use super::resolve::{Play, Resolver};
use crate::atproto::Did;
use crate::db::{Transaction, seen};
use crate::queue::command::Refusal;

pub(super) fn mark(resolver: &Resolver<'_>, account: &Did, seen_at: i64) -> Result<Play, Refusal> {
    let account = resolver.owner(account)?;
    Ok(Box::new(move |world| {
        world.seen.insert(account, seen_at);
    }))
}

pub(super) async fn write(tx: &Transaction<'_>, marks: BTreeMap<i32, i64>) -> Result<(), Error> {
    let marks: Vec<(i32, i64)> = marks.into_iter().collect();
    if !marks.is_empty() {
        seen::put(tx, &marks).await?;
    }
    Ok(())
}
