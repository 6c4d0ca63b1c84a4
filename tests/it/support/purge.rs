//! Ends the purges that are due, also where no worker runs any more: a state is compared when deleted accounts have left it.

use appviewd::config::index::Index as Options;
use appviewd::db::pool;
use appviewd::index::Index;

use super::postgres::Postgres;

/// Purges every account that is to be purged. A worker may do the same meanwhile.
pub async fn finish(postgres: &Postgres) {
    let mut client = pool::writer(&postgres.url(), 1).unwrap().get().await.unwrap();
    let index = Index::new(Options::default());
    while index.purge_some(&mut client).await.unwrap().is_some() {}
}
