//! Who looks at a page.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use crate::atproto::Tid;
use crate::db::query;

/// The id of the account `did` and the rev up to which its repo is applied; `None`: it was never seen.
pub async fn by_did(client: &impl GenericClient, did: &str) -> Result<Option<(i32, Option<Tid>)>, Error> {
    const SQL: &str = "-- read::viewer::by_did
        SELECT a.id, r.rev FROM account a LEFT JOIN repo r ON r.account = a.id WHERE a.did = $1";
    query(client, SQL, &[&did]).await?.first().map(viewer).transpose()
}

fn viewer(row: &Row) -> Result<(i32, Option<Tid>), Error> {
    Ok((row.try_get(0)?, row.try_get::<_, Option<i64>>(1)?.and_then(Tid::from_value)))
}
