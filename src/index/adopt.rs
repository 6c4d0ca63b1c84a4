//! Collections that got a number of their own in the code after records of theirs were kept under one of the database: those records go
//! under the new number before anything is prepared, so that later events and reads find them. Derives nothing: that is `reindex`'s.
//!
//! Workers of the version before must have stopped: they would go on with the number that they remember.

use tracing::info;

use super::{IndexError, begin};
use crate::collection::Coll;
use crate::db::{Client, collection, reindex, takedown};

/// Records that a transaction renumbers; about a tenth of a second of the lock.
const ROWS: i64 = 5000;

/// Renumbers the records of every collection that is known by now. Any number of processes may do so at once, and end anywhere.
pub(super) async fn all(client: &mut Client) -> Result<(), IndexError> {
    let nsids: Vec<&str> = Coll::known().filter_map(Coll::nsid).collect();
    for (nsid, from) in collection::ids(client, &nsids).await? {
        let Some(to) = Coll::from_nsid(&nsid) else { continue };
        let records = one(client, from, to).await?;
        info!(collection = nsid, records, from = from.number(), to = to.number(), "kept records have the number of a known collection now");
    }
    Ok(())
}

/// The same for one collection; how many records that were.
pub(super) async fn of(client: &mut Client, to: Coll) -> Result<u64, IndexError> {
    let nsid = to.nsid().unwrap_or_default();
    match collection::ids(client, &[nsid]).await?.first() {
        Some((_, from)) => one(client, *from, to).await,
        None => Ok(0),
    }
}

async fn one(client: &mut Client, from: Coll, to: Coll) -> Result<u64, IndexError> {
    let (mut records, mut after) = (0, reindex::START);
    loop {
        let places = reindex::places(client, from, after, ROWS).await?;
        let Some(last) = places.last() else { break };
        after = *last;
        let tx = begin(client).await?;
        reindex::renumber_aliases(&tx, from, to, &places).await?;
        records += reindex::renumber_records(&tx, from, to, &places).await?;
        tx.commit().await?;
    }
    // Few: what moderators took down, also of records that are not held.
    let tx = begin(client).await?;
    takedown::renumber_aliases(&tx, from, to).await?;
    takedown::renumber(&tx, from, to).await?;
    tx.commit().await?;
    collection::delete(client, from).await?;
    Ok(records)
}
