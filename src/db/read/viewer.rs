//! Who looks at a page.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use crate::atproto::Tid;
use crate::db::query;

/// An account that looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    pub id: i32,
    /// How far its repo was applied before anything else was read: what is shown holds all of it, so that a host can add the rest.
    pub rev: Option<Tid>,
    /// How many accounts it follows.
    pub follows: i32,
    pub mutes: Mutes,
}

/// What an account is known not to mute, as most do not: that need not be asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mutes {
    /// Neither an account nor a list.
    pub no_account: bool,
    /// No thread.
    pub no_thread: bool,
}

/// The account `did`; `None`: it was never seen. What most have none of is asked here once, so that nothing asks for it later.
pub async fn by_did(client: &impl GenericClient, did: &str) -> Result<Option<Viewer>, Error> {
    const SQL: &str = "-- read::viewer::by_did
        SELECT a.id, r.rev, coalesce(s.follows, 0),
          NOT EXISTS (SELECT FROM mute m WHERE m.account = a.id) AND NOT EXISTS (SELECT FROM list_mute l WHERE l.account = a.id),
          NOT EXISTS (SELECT FROM thread_mute t WHERE t.account = a.id)
        FROM account a LEFT JOIN repo r ON r.account = a.id LEFT JOIN actor_stat s ON s.account = a.id WHERE a.did = $1";
    query(client, SQL, &[&did]).await?.first().map(viewer).transpose()
}

fn viewer(row: &Row) -> Result<Viewer, Error> {
    let rev = row.try_get::<_, Option<i64>>(1)?.and_then(Tid::from_value);
    let mutes = Mutes { no_account: row.try_get(3)?, no_thread: row.try_get(4)? };
    Ok(Viewer { id: row.try_get(0)?, rev, follows: row.try_get(2)?, mutes })
}
